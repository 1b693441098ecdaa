// The codes of `ERR`: a closed list, on which programs rely.

package enum ErrorCode: String, CaseIterable, Sendable {
    // The line can't be read.
    case lineTooLong = "line-too-long"
    case lineNotEnded = "line-not-ended"
    case badTag = "bad-tag"
    case tagInUse = "tag-in-use"
    case noVerb = "no-verb"
    case controlCharacter = "control-character"
    case unknownVerb = "unknown-verb"
    case unknownWord = "unknown-word"
    case unknownOption = "unknown-option"
    case givenTwice = "given-twice"
    case missingWord = "missing-word"
    case tooManyKeys = "too-many-keys"
    case badKey = "bad-key"
    case badToken = "bad-token"
    case badValue = "bad-value"
    // The request can't be granted to anybody, or not to this peer.
    case unknownKind = "unknown-kind"
    case wrongParts = "wrong-parts"
    case partNotAllowed = "part-not-allowed"
    case ttlTooLong = "ttl-too-long"
    case waitTooLong = "wait-too-long"
    case priorityTooHigh = "priority-too-high"
    case cannotJoin = "cannot-join"
    case requestDiffers = "request-differs"
    case noProcess = "no-process"
    case forbidden
    case noSuchTag = "no-such-tag"
    case tooOld = "too-old"
    case notYet = "not-yet"
    case nothingKept = "nothing-kept"
    case badPolicy = "bad-policy"
    case withdrawn
    case clockNotManual = "clock-not-manual"
    // The daemon can't do it now.
    case tooManyConnections = "too-many-connections"
    case tooManyLeases = "too-many-leases"
    case tooManyWaiters = "too-many-waiters"
    case tooManyCounted = "too-many-counted"
    case noSpace = "no-space"
    case storage
    case stopping
    case compactionStopped = "compaction-stopped"
}

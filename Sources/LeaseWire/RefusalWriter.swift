// What each refusal says: its code, the numbers a program needs, and a sentence on what to write instead.

import LeaseModel

/// One `ERR`. The sentence's first word never looks like a field, so that whoever reads it back knows where
/// the fields end.
private struct Words {
    let code: ErrorCode
    let fields: [String]
    let sentence: String

    init(_ code: ErrorCode, _ fields: String..., says sentence: String) {
        self.code = code
        self.fields = fields
        self.sentence = sentence
    }
}

enum RefusalWriter {
    /// Appends `ERR code [name=value…] sentence` without the LF.
    static func append(_ refusal: Refusal, to output: inout [UInt8]) {
        let words = words(of: refusal)
        output.append("ERR")
        for part in [words.code.rawValue] + words.fields + [words.sentence] {
            output.append(ASCII.space)
            output.append(contentsOf: part.utf8)
        }
    }

    static func code(of refusal: Refusal) -> ErrorCode {
        words(of: refusal).code
    }

    private static func words(of refusal: Refusal) -> Words {
        switch refusal {
        case .lineTooLong: lineTooLong
        case .lineNotEnded: lineNotEnded
        case .badTag: badTag
        case .tagInUse(let tag): tagInUse(tag)
        case .noVerb: noVerb
        case .controlCharacter(let byte, let column): controlCharacter(byte, column)
        case .unknownVerb(let word, let meant): unknownVerb(word, meant)
        case .unknownWord(let word, let verb, let meant):
            Words(.unknownWord, says: "the word '\(Shown.word(word))' \(notTaken(by: verb, meant))")
        case .unknownOption(let name, let verb, let meant):
            Words(.unknownOption, says: "the option '\(Shown.word(name))=' \(notTaken(by: verb, meant))")
        case .givenTwice(let word): Words(.givenTwice, says: "write '\(Shown.word(word))' only once")
        case .missing(let verb, let what):
            Words(.missingWord, says: "\(what) is missing; write \(VerbTable.entry(verb).usage)")
        case .tooManyKeys: tooMany("keys; ask for the rest with another")
        case .tooManyPrefixes: tooMany("prefixes; write one that is above several of them")
        case .badKey(let word, let error): badKey(Shown.word(word), error)
        case .badToken(let word): badToken(word)
        case .badValue(let option, let value, let want): badValue(option, value, want)
        case .unknownKey(let key, let problem): unknownKey(Shown.word(key.bytes), problem)
        case .ttlTooLong(let key, let longest): tooLong(.ttlTooLong, "ttl", key, longest)
        case .waitTooLong(let key, let longest): tooLong(.waitTooLong, "wait", key, longest)
        case .priorityTooHigh(let key, let highest): priorityTooHigh(key, highest)
        case .cannotJoin(let problem): cannotJoin(problem)
        case .requestDiffers(let id): requestDiffers(id)
        case .noProcess(let pid): noProcess(pid)
        case .processOfAnother(let pid):
            Words(.forbidden, "pid=\(pid)", says: "process \(pid) is another user's; name one of your own")
        case .forbidden(let token, let uid): forbidden(token, uid)
        case .administratorsOnly(let verb):
            Words(.forbidden, says: "\(verb.rawValue) is for root and the daemon's own user only")
        case .noSuchTag(let tag): noSuchTag(tag)
        case .tooOld(let oldest): tooOld(oldest)
        case .notYet(let newest): notYet(newest)
        case .nothingKept(let key):
            Words(.nothingKept, says: "no result of \(Shown.word(key.bytes)) is kept; get shows what is")
        case .keptByAnother(let key, let uid): keptByAnother(key, uid)
        case .badPolicy(let error): badPolicy(error)
        case .noPolicy(let reason):
            Words(
                .badPolicy, says: "the policy can't be read, so the old one stays: \(Shown.sentence(reason))")
        case .withdrawn: Words(.withdrawn, says: "the request was withdrawn by its connection")
        case .clockNotManual:
            Words(.clockNotManual, says: "only a manual clock can be moved: start leased with --clock=manual")
        case .tooManyConnections(let most, let flag):
            full(.tooManyConnections, "connections", most, flag)
        case .tooManyLeases(let most, let flag): full(.tooManyLeases, "leases", most, flag)
        case .tooManyWaiters(let most, let flag): full(.tooManyWaiters, "waiting requests", most, flag)
        case .tooManyCounted(let most, let flag):
            full(.tooManyCounted, "grants that a rate counts", most, flag)
        case .noSpace: noSpace
        case .storage(let reason):
            Words(.storage, says: "the log failed, so the daemon stops: \(Shown.sentence(reason))")
        case .stopping: Words(.stopping, says: "the daemon is stopping; ask again when it is back")
        case .compactionStopped:
            Words(.compactionStopped, says: "the log could not be compacted now; the old one goes on")
        }
    }
}

// MARK: - The line

extension RefusalWriter {
    private static let lineTooLong = Words(
        .lineTooLong, "max=\(Limits.lineBytesMax)",
        says: "this line was longer than \(Limits.lineBytesMax) bytes and was skipped; send a shorter one")

    private static let lineNotEnded = Words(
        .lineNotEnded, says: "the last line had no end and was not carried out; end each with a line feed")

    private static let badTag = Words(
        .badTag, "max=\(Limits.tagBytesMax)",
        says: "a tag is # and 1 to \(Limits.tagBytesMax) letters, digits and . _ : - as in #a1")

    private static let noVerb = Words(
        .noVerb, says: "there is no verb behind the tag; write one, as in #a1 ping, or type help")

    private static func tagInUse(_ tag: [UInt8]) -> Words {
        Words(
            .tagInUse,
            says: "request #\(Shown.word(tag)) still waits for its answer; use another tag till then")
    }

    private static func controlCharacter(_ byte: UInt8, _ column: Int) -> Words {
        Words(
            .controlCharacter, "column=\(column)",
            says: "the line holds the control character \(percentEncoded(byte)) there; "
                + "percent-encode it in a value, and part words by spaces")
    }

    private static func percentEncoded(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return "%" + (digits.utf8.count < 2 ? "0" : "") + digits
    }
}

// MARK: - Its words

extension RefusalWriter {
    private static func tooMany(_ what: String) -> Words {
        Words(
            .tooManyKeys, "max=\(Limits.keysPerRequestMax)",
            says: "one request takes at most \(Limits.keysPerRequestMax) \(what)")
    }

    private static func unknownVerb(_ word: [UInt8], _ meant: Verb?) -> Words {
        let next = meant.map { "did you mean \($0.rawValue)?" } ?? "type help for the list"
        return Words(.unknownVerb, says: "there is no verb '\(Shown.word(word))'; \(next)")
    }

    private static func notTaken(by verb: Verb, _ meant: String?) -> String {
        let next = meant.map { "did you mean \($0)?" } ?? "write \(VerbTable.entry(verb).usage)"
        return "has no place in \(verb.rawValue); \(next)"
    }

    private static func badToken(_ word: [UInt8]) -> Words {
        Words(
            .badToken,
            says: "the word '\(Shown.word(word))' is no token: a token is all digits, less than 2^64")
    }

    private static func badValue(_ option: String, _ value: [UInt8], _ want: String) -> Words {
        let shown = value.isEmpty ? "an empty value" : "the value '\(Shown.word(value))'"
        return Words(
            .badValue, "option=\(option)", says: "\(shown) won't do for \(option)=, which needs \(want)")
    }

    private static func badKey(_ shown: String, _ error: KeyError) -> Words {
        let rule = "a key is a kind and its parts, as in user/42"
        return switch error {
        case .noParts: Words(.badKey, says: "there is no / in '\(shown)': \(rule)")
        case .emptyPart: Words(.badKey, says: "there is an empty part in '\(shown)': \(rule)")
        case .mustBeEncoded(let byte):
            Words(
                .badKey,
                says: "the key '\(shown)' holds a byte to be written \(percentEncoded(byte)): only letters, "
                    + "digits and . _ : @ + - stand for themselves")
        case .badPercent:
            Words(.badKey, says: "two hex digits must follow each % in '\(shown)'; write %25 for a % itself")
        case .tooLong(let bytes):
            Words(
                .badKey, "max=\(Limits.keyBytesMax)",
                says: "the key '\(shown)' has \(bytes) bytes as printed; it may have \(Limits.keyBytesMax)")
        }
    }
}

// MARK: - The request

extension RefusalWriter {
    private static func unknownKey(_ shown: String, _ problem: UnknownKey) -> Words {
        switch problem {
        case .kind(let name, let meant):
            let next = meant.map { "did you mean \(Shown.word($0))?" } ?? "type policy for those there are"
            return Words(.unknownKind, says: "the policy has no kind '\(Shown.word(name))'; \(next)")
        case .parts(_, let wanted):
            return Words(
                .wrongParts,
                says: "the key \(shown) has other parts than its kind; write \(Shown.sentence(wanted))")
        case .value(let part, let allowed):
            // So many that the line surely keeps its bound.
            let values = allowed.prefix(32).map(Shown.word) + (allowed.count > 32 ? ["..."] : [])
            return Words(
                .partNotAllowed,
                says: "the part '\(Shown.word(part))' of \(shown) must be one of "
                    + values.joined(separator: ", "))
        }
    }

    private static func tooLong(
        _ code: ErrorCode, _ option: String, _ key: Key, _ longest: Duration
    ) -> Words {
        let longest = "\(longest.wholeMilliseconds)ms"
        return Words(
            code, "max=\(longest)",
            says: "the policy bounds the \(option) of \(Shown.word(key.bytes)); "
                + "write \(option)=\(longest) or less")
    }

    private static func priorityTooHigh(_ key: Key, _ highest: Int) -> Words {
        Words(
            .priorityTooHigh, "max=\(highest)",
            says: "the policy bounds the priority for \(Shown.word(key.bytes)); "
                + "write priority=\(highest) or less")
    }

    private static func cannotJoin(_ problem: JoinProblem) -> Words {
        switch problem {
        case .severalKeys:
            Words(.cannotJoin, says: "join is for the work on one key; name one, or leave join out")
        case .shared:
            Words(.cannotJoin, says: "join and shared don't go together; leave one of them out")
        case .severalSlots(let key, let limit):
            Words(
                .cannotJoin,
                says: "join needs a key with one holder, and \(Shown.word(key.bytes)) has limit=\(limit); "
                    + "leave join out")
        }
    }

    private static func tooOld(_ oldest: Sequence64) -> Words {
        Words(
            .tooOld, "oldest=\(oldest)",
            says: "what happened right after that number is no longer remembered; "
                + "watch without since= to see what there is")
    }

    private static func notYet(_ newest: Sequence64) -> Words {
        Words(
            .notYet, "newest=\(newest)",
            says: "no change has that number yet; write since=\(newest) or less")
    }

    private static func keptByAnother(_ key: Key, _ uid: UInt32) -> Words {
        Words(
            .forbidden, "uid=\(uid)",
            says: "the result of \(Shown.word(key.bytes)) is of uid \(uid); "
                + "only that user and administrators may drop it")
    }

    private static func badPolicy(_ error: PolicyError) -> Words {
        Words(
            .badPolicy, "line=\(error.line)", "column=\(error.column)",
            says: "the new policy is wrong there, so the old one stays: \(Shown.sentence(error.message))")
    }

    private static func requestDiffers(_ id: Text) -> Words {
        Words(
            .requestDiffers,
            says: "the request ID '\(Shown.word(id.bytes))' was used with other keys or another mode; "
                + "take a new ID for each new acquire")
    }

    private static func noProcess(_ pid: Int32) -> Words {
        Words(
            .noProcess, "pid=\(pid)",
            says: "there is no process \(pid), or it has ended; name one that the daemon can see")
    }

    private static func forbidden(_ token: Token, _ uid: UInt32) -> Words {
        Words(
            .forbidden, "token=\(token)", "uid=\(uid)",
            says: "lease \(token) is of uid \(uid); only that user and administrators may do this")
    }

    private static func noSuchTag(_ tag: [UInt8]) -> Words {
        Words(
            .noSuchTag,
            says: "no request #\(Shown.word(tag)) of this connection waits; perhaps it was answered already")
    }
}

// MARK: - The daemon

extension RefusalWriter {
    private static let noSpace = Words(
        .noSpace,
        says: "the disk of the log is full, so nothing can be granted or renewed; free some space")

    private static func full(_ code: ErrorCode, _ what: String, _ most: Int, _ flag: String) -> Words {
        Words(
            code, "max=\(most)",
            says: "there are \(most) \(what) already; try later, or start the daemon with a higher "
                + Shown.sentence(flag))
    }
}

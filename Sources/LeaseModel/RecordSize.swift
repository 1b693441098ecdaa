// How much of the log a change may take at most: so that space is set aside before the change is decided.

/// Upper bounds, in bytes, of what the written form of a change takes. The tests of the log hold them against
/// the real encoder.
public enum RecordSize {
    /// Checksum, sequence number, time, word, token, and the marks of a batch: each number at its longest.
    public static let fixedPart = 200
    /// The end of a lease of one key, without a note.
    public static let ending = fixedPart
    /// What each further key may add to it.
    public static let endingPerKey = 16
    /// What the daemon writes of itself: its start, a grace, a stop, the end of a compaction.
    public static let ownRecords = 4_096

    /// A grant whose keys (with the commas between), owner, request and note have so many bytes.
    public static func grant(names: Int) -> Int {
        fixedPart + 160 + names
    }

    public static func bound(of grant: Grant) -> Int {
        var bytes = Self.grant(names: grant.owner.bytes.count)
        bytes += (grant.request?.bytes.count ?? 0) + (grant.note?.bytes.count ?? 0)
        bytes += grant.keys.first.bytes.count
        for key in grant.keys.others {
            bytes += key.bytes.count + 1
        }
        return bytes
    }

    /// A result, without what its forgetting needs.
    public static func bound(of result: KeptResult) -> Int {
        var bytes = fixedPart + 100 + result.owner.bytes.count + result.value.bytes.count
        for key in result.keys.all {
            bytes += key.bytes.count + 1
        }
        return bytes
    }

    /// Forgetting a result for one key.
    public static let forgetting = fixedPart + Limits.keyBytesMax

    public static let renewal = fixedPart + 100
}

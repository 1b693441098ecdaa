// How long a record can get, told before it is written: its space is reserved before a grant is decided.

package import LeaseModel

/// Upper bounds in bytes, LF and batch mark included. They look at lengths only and encode nothing.
package enum RecordSize {
    private static let numberMax = 20
    private static let durationMax = numberMax + 2
    /// `-9223372036.854775808`
    static let timeMax = 21
    /// `CRC SEQ TIME`
    private static let headMax = 8 + 1 + numberMax + 1 + timeMax
    private static let markMax = Field.synced.utf8CodeUnitCount + Field.wall.utf8CodeUnitCount + 2 * numberMax
    private static let frameMax = headMax + markMax + 1
    private static let processMax = Field.process.utf8CodeUnitCount + 2 * numberMax + 1

    /// The most that the end of a lease can take, where it has no note.
    package static let endingMax =
        frameMax + Word.processEnded.utf8CodeUnitCount + Field.token.utf8CodeUnitCount + numberMax
        + Field.takenBack.utf8CodeUnitCount

    /// The most that a renewal can take.
    package static let renewalMax =
        frameMax + Word.renewed.utf8CodeUnitCount + Field.token.utf8CodeUnitCount + numberMax
        + Field.ttl.utf8CodeUnitCount + durationMax + Field.ephemeral.utf8CodeUnitCount + processMax

    /// The most that a record without keys and texts can take, whatever its word.
    private static let plainMax = 512

    /// The most that a `granted` record can take.
    package static func max(of grant: Grant) -> Int {
        plainMax + bytes(in: grant)
    }

    /// The most that any record can take.
    package static func max(of change: Change) -> Int {
        switch change {
        case .granted(let grant):
            plainMax + bytes(in: grant)
        case .ended(let ending):
            plainMax + (ending.note?.bytes.count ?? 0)
        case .started(let start):
            plainMax + start.boot.bytes.count
        case .held(let lease):
            plainMax + bytes(in: lease.grant)
        case .remembered(let lease):
            plainMax + bytes(in: lease.keys) + (lease.request?.bytes.count ?? 0)
        case .renewed, .bound, .resumed, .advanced, .stopped, .compacted:
            plainMax
        }
    }

    private static func bytes(in grant: Grant) -> Int {
        bytes(in: grant.keys) + grant.owner.bytes.count + (grant.request?.bytes.count ?? 0)
            + (grant.note?.bytes.count ?? 0)
    }

    private static func bytes(in keys: Keys) -> Int {
        var sum = keys.first.bytes.count
        for key in keys.others {
            sum += 1 + key.bytes.count
        }
        return sum
    }
}

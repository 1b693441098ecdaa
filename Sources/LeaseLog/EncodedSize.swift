// How long a record can get, so that it is written into room that is there.

internal import LeaseModel

/// Upper bounds in bytes, LF and batch mark included. They look at lengths only and encode nothing.
enum EncodedSize {
    /// The most that a record without keys and texts can take, whatever its word.
    private static let plainMax = 512
    /// A duration in nanoseconds, and a comma.
    private static let restMax = 22

    /// The most that a `granted` record can take.
    static func max(of grant: Grant) -> Int {
        plainMax + bytes(in: grant)
    }

    /// The most that any record can take.
    static func max(of change: Change) -> Int {
        switch change {
        case .granted(let grant):
            plainMax + bytes(in: grant)
        case .ended(let ending):
            plainMax + (ending.note?.bytes.count ?? 0) + ending.rests.count * restMax
        case .started(let start):
            plainMax + start.boot.bytes.count
        case .held(let lease):
            plainMax + bytes(in: lease.grant)
        case .remembered(let lease):
            plainMax + bytes(in: lease.keys) + (lease.request?.bytes.count ?? 0)
        case .kept(let result):
            plainMax + bytes(in: result)
        case .result(let standing):
            plainMax + bytes(in: standing.kept)
        case .forgotten(let forgetting):
            plainMax + (forgetting.key?.bytes.count ?? 0)
        case .resting(let rest):
            plainMax + rest.key.bytes.count
        case .renewed, .bound, .resumed, .advanced, .stopped, .compacted:
            plainMax
        }
    }

    private static func bytes(in grant: Grant) -> Int {
        bytes(in: grant.keys) + grant.owner.bytes.count + (grant.request?.bytes.count ?? 0)
            + (grant.note?.bytes.count ?? 0)
    }

    private static func bytes(in result: KeptResult) -> Int {
        bytes(in: result.keys) + result.owner.bytes.count + result.value.bytes.count
    }

    private static func bytes(in keys: Keys) -> Int {
        var sum = keys.first.bytes.count
        for key in keys.others {
            sum += 1 + key.bytes.count
        }
        return sum
    }
}

// How much of a log its own records say to be on the disk.

import LeaseModel

/// Follows the batches of a file. It says rather too little than too much, and it stays small however many
/// batches nobody claims, which is how `--sync=never` writes them.
struct SyncedPrefix {
    /// Everything before this byte was on the disk when something behind it was written.
    private(set) var bytes: Int64 = 0
    /// Where batches begin, and the last number before each, as far as that is not claimed yet.
    private var starts: [(last: Sequence64, offset: Int64)] = []
    private static let startsMax = 1_024

    /// A batch begins here that claims all numbers up to `synced`.
    mutating func batchBegins(at offset: Int64, after last: Sequence64, synced: Sequence64) {
        starts.append((last, offset))
        let claimed = starts.prefix { $0.last <= synced }.count
        if claimed > 0 {
            bytes = starts[claimed - 1].offset
            starts.removeFirst(claimed)
        } else if starts.count > SyncedPrefix.startsMax {
            starts = starts.indices.filter { $0 % 2 == 0 }.map { starts[$0] }
        }
    }

    /// The state of a compacted file ends here: such a file is synced before it is called the log.
    mutating func stateEnds(at offset: Int64) {
        bytes = offset
        starts.removeAll()
    }
}

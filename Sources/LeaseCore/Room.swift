// What is set aside ahead in the log and of the numbers: a change is decided only where there is room for it.

internal import LeaseModel

/// What may still be used of what was set aside before: the log's space, and the numbers. A grant that does
/// not fit is not made. Every lease has its end paid for already.
package struct Room: Equatable {
    package var logBytes: Int
    package var tokens: UInt64
    package var sequences: UInt64

    package init(logBytes: Int, tokens: UInt64, sequences: UInt64) {
        self.logBytes = logBytes
        self.tokens = tokens
        self.sequences = sequences
    }

    package static let unlimited = Room(logBytes: .max / 4, tokens: .max / 4, sequences: .max / 4)
}

extension Machine {
    /// Bytes that are set aside for what there is to end.
    package var owedBytes: Int {
        leaseCount * RecordSize.ending + ledger.otherKeyCount * RecordSize.endingPerKey
            + ledger.results.keyCount * RecordSize.forgetting
    }
    /// Numbers of changes that are.
    package var owedSequences: UInt64 { UInt64(leaseCount + ledger.results.keyCount) }

    /// Whether there is room for a change of so many bytes; if so, it is taken.
    mutating func takeRoom(bytes: Int) -> Bool {
        takeRoom(bytes: bytes, sequences: 1, tokens: 0)
    }

    /// A grant pays for its end as well.
    @inline(__always)
    mutating func takeRoom(
        forGrantOf first: borrowing KeyEntry, to owner: Text, _ details: LeaseDetails?
    ) -> Bool {
        var keys = first.name.bytes.count
        var bytes = RecordSize.ending
        if let details {
            for key in details.otherKeys {
                keys += ledger.keys[key].name.bytes.count + 1
                bytes += RecordSize.endingPerKey
            }
            bytes += (details.request?.bytes.count ?? 0) + (details.note?.bytes.count ?? 0)
        }
        bytes += RecordSize.grant(names: keys + owner.bytes.count)
        return takeRoom(bytes: bytes, sequences: 2, tokens: 1)
    }

    /// A result that is kept pays for being forgotten as well, for one key after the other.
    mutating func takeRoom(for result: KeptResult) -> Bool {
        let count = result.keys.count
        return takeRoom(
            bytes: RecordSize.bound(of: result) + count * RecordSize.forgetting,
            sequences: 1 + UInt64(count), tokens: 0)
    }

    @inline(__always)
    private mutating func takeRoom(bytes: Int, sequences: UInt64, tokens: UInt64) -> Bool {
        guard room.logBytes >= bytes, room.sequences >= sequences, room.tokens >= tokens else { return false }
        room.logBytes -= bytes
        room.sequences -= sequences
        room.tokens -= tokens
        return true
    }
}

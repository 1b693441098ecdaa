// The ring: a small file of room that is there already and written over and over. It takes what was written
// to the log since the log itself was synced: the sync of such a file is of data alone.

package import LeaseModel

package enum Ring {
    package static let name = "log.ring"
    package static let bytes = 4 << 20
    /// So much stays free beside it: where the disk is nearly full, its room is for the log.
    package static let sparedBytes = 16 * bytes
    /// What a start reads of one at most, of whatever size another version made it.
    package static let readBytesMax = 16 * bytes

    /// It is made when the log has been synced so often: a daemon with little to do needs none.
    package static let syncsBefore = 32
}

/// A frame to be written and synced: the records of the changes from `first` to `last`, at `offset`.
package struct RingWrite: Equatable, Sendable {
    package var first: Sequence64
    package var last: Sequence64
    package var offset: Int
    /// Every change up to this one is known to be on the disk, in the log or in the ring.
    package var synced: Sequence64

    package init(first: Sequence64, last: Sequence64, offset: Int, synced: Sequence64) {
        self.first = first
        self.last = last
        self.offset = offset
        self.synced = synced
    }
}

/// The next frame, filled as the log is: `CRC first=N last=N bytes=N synced=N`, an LF, and the records as
/// they stand in the log. The checksum is of everything behind it, the records included, so a frame is whole
/// or nothing. The numbers have leading zeros: the head's place is kept before they are known.
package struct RingFrame: Sendable {
    package static let headBytes = 107
    private var bytes = [UInt8](repeating: 0, count: RingFrame.headBytes)

    package init() {}

    package mutating func append(_ records: Span<UInt8>) {
        records.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }

    package mutating func append(_ records: [UInt8]) { append(records.span) }

    /// Forgets what was appended: the log was synced instead.
    package mutating func clear() {
        bytes.removeLast(bytes.count - RingFrame.headBytes)
    }

    /// The frame as it is to be written. The next one begins.
    package mutating func take(as write: RingWrite) -> [UInt8] {
        var sealed: [UInt8] = []
        sealed.reserveCapacity(bytes.count)
        swap(&sealed, &bytes)
        bytes.append(contentsOf: repeatElement(0, count: RingFrame.headBytes))
        var place = 8
        func put(_ text: StaticString) {
            text.withUTF8Buffer { for byte in $0 { sealed[place] = byte; place += 1 } }
        }
        func put(_ name: StaticString, _ number: UInt64, digits: Int = 20) {
            put(name)
            var rest = number
            for index in (place..<place + digits).reversed() {
                sealed[index] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            place += digits
        }
        put(" first=", write.first)
        put(" last=", write.last)
        put(" bytes=", UInt64(sealed.count - RingFrame.headBytes), digits: 10)
        put(" synced=", write.synced)
        put("\n")
        let crc = Checksum.of(sealed.span.extracting(droppingFirst: 8))
        for index in 0..<8 {
            let digit = UInt8(truncatingIfNeeded: crc >> UInt32(28 - 4 * index)) & 15
            sealed[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
        return sealed
    }
}

// What is sent at the end of a pass: bytes for many connections, taken first, then sent one right after the
// other.

package import LeaseCore

/// Bytes that are to be sent to a connection.
package struct Departure {
    package let id: ConnectionID
    package let bytes: UnsafeRawBufferPointer
}

/// The bytes of several connections, one behind the other: between two calls of the system nothing is left to
/// be done, which would have to come into the processor's cache anew each time.
package struct Departures: ~Copyable {
    package static let countMax = 512
    /// So much goes to one connection at a time.
    private static let bytesMax = 64 << 10

    private let room = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 2 * Departures.bytesMax, alignment: 64)
    private let parts = UnsafeMutablePointer<Departure>.allocate(capacity: Departures.countMax)
    package private(set) var count = 0
    private var used = 0

    package init() {}

    deinit {
        parts.deallocate()
        room.deallocate()
    }

    /// Whether what is there is to be sent before more is taken.
    package var isFull: Bool { used > Departures.bytesMax || count == Departures.countMax }

    package subscript(place: Int) -> Departure {
        precondition(place >= 0 && place < count, "nothing was taken there")
        return parts[place]
    }

    /// Copies what may be sent, or its beginning.
    mutating func add(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) -> Departure {
        precondition(!isFull, "what is there is sent first")
        let taken = UnsafeMutableRawBufferPointer(
            rebasing: room[used..<used + min(bytes.count, Departures.bytesMax)])
        taken.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<taken.count]))
        let departure = Departure(id: id, bytes: UnsafeRawBufferPointer(taken))
        (parts + count).initialize(to: departure)
        count += 1
        used += taken.count
        return departure
    }

    /// All are sent, as far as they could be.
    package mutating func removeAll() {
        (count, used) = (0, 0)
    }
}

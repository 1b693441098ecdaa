// What was read in this pass and is not decided yet.

import LeaseIO
import LeaseServer

/// Bytes of several connections, one behind the other. First all is read that is there, then the clock, once
/// for all of it, then it is decided: so nothing is decided as of an instant at which it was not yet sent,
/// and neither the system's part of the work nor ours drives the other out of the processor's cache at each
/// turn.
struct Arrivals: ~Copyable {
    /// What one read takes at most.
    static let bytesMax = 64 << 10

    private let room = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 2 * Arrivals.bytesMax, alignment: 64)
    /// Each event of a wait brings one at most. There is room for those of two waits: the second is read as
    /// long as the first did not fill its half.
    private static let partsMax = 2 * Poller.eventsMax
    private let parts = UnsafeMutablePointer<Arrival>.allocate(capacity: Arrivals.partsMax)
    private(set) var count = 0
    private var used = 0

    deinit {
        parts.deallocate()
        room.deallocate()
    }

    /// Whether what is there is to be decided before more is read.
    var isFull: Bool { used > Arrivals.bytesMax || count >= Poller.eventsMax }

    /// Where the next reads put their bytes, one behind the other.
    var space: UnsafeMutableRawBufferPointer {
        precondition(!isFull, "there is no room for another read")
        return UnsafeMutableRawBufferPointer(rebasing: room[used...])
    }

    /// So many bytes came into the space, behind those before.
    mutating func add(_ id: UInt64, _ bytes: Int) {
        precondition(count < Arrivals.partsMax, "there is no room for another part")
        (parts + count).initialize(
            to: Arrival(id, UnsafeRawBufferPointer(rebasing: room[used..<used + bytes])))
        count += 1
        used += bytes
    }

    /// They are valid till the next read.
    var all: UnsafeBufferPointer<Arrival> { UnsafeBufferPointer(start: parts, count: count) }

    mutating func removeAll() {
        (count, used) = (0, 0)
    }
}

// What was read in this pass and is not decided yet.

import LeaseIO

/// Bytes of several connections, one behind the other. First all is read that is there, then the clock, once
/// for all of it, then it is decided: so nothing is decided as of an instant at which it was not yet sent,
/// and neither the system's part of the work nor ours drives the other out of the processor's cache at each
/// turn.
struct Arrivals: ~Copyable {
    /// What one read takes at most.
    static let bytesMax = 64 << 10

    private struct Part {
        let id: UInt64
        let start: Int
        let count: Int
    }

    private let room = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 2 * Arrivals.bytesMax, alignment: 64)
    /// Each event of a wait brings one at most.
    private let parts = UnsafeMutablePointer<Part>.allocate(capacity: Poller.eventsMax)
    private(set) var count = 0
    private var used = 0

    deinit {
        parts.deallocate()
        room.deallocate()
    }

    /// Whether what is there is to be decided before more is read.
    var isFull: Bool { used > Arrivals.bytesMax || count == Poller.eventsMax }

    /// Where the next read puts its bytes.
    var space: UnsafeMutableRawBufferPointer {
        precondition(!isFull, "there is no room for another read")
        return UnsafeMutableRawBufferPointer(rebasing: room[used..<used + Arrivals.bytesMax])
    }

    /// So many bytes came into the space.
    mutating func add(_ id: UInt64, _ bytes: Int) {
        (parts + count).initialize(to: Part(id: id, start: used, count: bytes))
        count += 1
        used += bytes
    }

    /// One of them, from 0 to their count. They are valid till the next read.
    func part(_ index: Int) -> (id: UInt64, bytes: UnsafeRawBufferPointer) {
        precondition(index < count, "nothing else has come")
        let part = parts[index]
        return (part.id, UnsafeRawBufferPointer(rebasing: room[part.start..<part.start + part.count]))
    }

    mutating func removeAll() {
        (count, used) = (0, 0)
    }
}

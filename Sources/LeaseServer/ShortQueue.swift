// First in, first out, for the few elements that a connection has under way.

/// Takes from the front by moving its beginning, so that neither taking nor adding moves or makes anything as
/// long as it is emptied now and then. (An array asks at each change whether somebody else has a copy of it.)
struct ShortQueue<Element: BitwiseCopyable>: ~Copyable {
    private var room: UnsafeMutablePointer<Element>?
    private var capacity = 0
    private var start = 0
    private var end = 0

    init() {}

    deinit { room?.deallocate() }

    var isEmpty: Bool { start == end }
    var first: Element? { isEmpty ? nil : room![start] }
    var last: Element? { isEmpty ? nil : room![end - 1] }
    /// In their order.
    var all: [Element] { Array(UnsafeBufferPointer(start: room.map { $0 + start }, count: end - start)) }

    @inline(__always)
    mutating func append(_ element: Element) {
        if end == capacity { makeRoom() }
        (room! + end).initialize(to: element)
        end += 1
    }

    mutating func removeFirst() {
        precondition(!isEmpty, "there is no first element")
        start += 1
        if isEmpty { empty() }
    }

    /// Its room is used again.
    mutating func empty() {
        (start, end) = (0, 0)
    }

    mutating func removeAll() {
        self = ShortQueue()
    }

    /// Moves what is there to the front of another room, a larger one where more than half of this is full.
    @inline(never)
    private mutating func makeRoom() {
        let count = end - start
        let larger = count > capacity / 2 ? 2 * capacity : max(capacity, 4)
        let moved = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        if let room {
            moved.moveInitialize(from: room + start, count: count)
            room.deallocate()
        }
        (room, capacity, start, end) = (moved, larger, 0, count)
    }
}

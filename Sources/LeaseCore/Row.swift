// A row of plain values that is filled, gone through and emptied, again and again.

/// Like an array that nobody else can have: nothing is asked when it grows by one, and it is emptied at once.
struct Row<Element: BitwiseCopyable>: ~Copyable {
    private var room: UnsafeMutablePointer<Element>
    private var capacity = 64
    private(set) var count = 0

    init() {
        room = .allocate(capacity: capacity)
    }

    deinit {
        room.deallocate()
    }

    var all: [Element] { Array(UnsafeBufferPointer(start: room, count: count)) }

    subscript(place: Int) -> Element {
        precondition(place >= 0 && place < count, "nothing stands there")
        return room[place]
    }

    mutating func append(_ element: Element) {
        if count == capacity { grow() }
        room[count] = element
        count += 1
    }

    /// The last one goes to this place, and those from there on make way.
    mutating func moveLast(to place: Int) {
        let last = self[count - 1]
        for index in stride(from: count - 1, to: place, by: -1) {
            room[index] = room[index - 1]
        }
        room[place] = last
    }

    mutating func removeAll() {
        count = 0
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
        larger.update(from: room, count: count)
        room.deallocate()
        (room, capacity) = (larger, 2 * capacity)
    }
}

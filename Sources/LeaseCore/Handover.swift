// Values on their way from one who makes them to one who takes them, without a copy on the way.

/// A row of values that are put in at the end and taken out from the front, each once. What is copied has its
/// references counted, at some nanoseconds each; what is handed over has not. Its room is used again.
struct Handover<Element>: ~Copyable {
    private var room: UnsafeMutablePointer<Element>
    private var capacity: Int
    private var first = 0
    private var end = 0

    init() {
        capacity = 16
        room = .allocate(capacity: capacity)
    }

    deinit {
        (room + first).deinitialize(count: end - first)
        room.deallocate()
    }

    /// How many there are to be taken.
    var count: Int { end - first }

    /// Copies, for whoever only looks.
    var all: [Element] { Array(UnsafeBufferPointer(start: room + first, count: count)) }

    mutating func put(_ element: consuming Element) {
        if end == capacity { grow() }
        end += 1
        (room + (end - 1)).initialize(to: element)
    }

    /// The one that is to be taken next.
    var next: Element {
        unsafeAddress {
            precondition(first < end, "there is nothing to take")
            return UnsafePointer(room + first)
        }
    }

    mutating func take() -> Element {
        precondition(first < end, "there is nothing to take")
        let place = room + first
        first += 1
        if first == end { (first, end) = (0, 0) }
        return place.move()
    }

    mutating func removeAll() {
        guard count > 0 else { return }
        (room + first).deinitialize(count: end - first)
        (first, end) = (0, 0)
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
        larger.moveInitialize(from: room + first, count: count)
        room.deallocate()
        (room, capacity, first, end) = (larger, 2 * capacity, 0, end - first)
    }
}

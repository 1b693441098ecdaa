// Where the connections are kept, and the queues in which they wait for their turn.

internal import LeaseCore

/// Connections by their place, each changed where it stands. (An array asks at each change whether somebody
/// else has a copy of it, and a request makes many.) Places are never given back: the few bytes of a vacant
/// one wait for the next who comes.
struct ConnectionTable: ~Copyable {
    private var places: UnsafeMutablePointer<Connection>
    private var capacity = 16
    private(set) var count = 0

    init() {
        places = .allocate(capacity: capacity)
    }

    deinit {
        places.deinitialize(count: count)
        places.deallocate()
    }

    subscript(index: Int) -> Connection {
        unsafeAddress { UnsafePointer(address(of: index)) }
        unsafeMutableAddress { address(of: index) }
    }

    private func address(of index: Int) -> UnsafeMutablePointer<Connection> {
        precondition(index >= 0 && index < count, "no connection was ever there")
        return places + index
    }

    mutating func append(_ connection: consuming Connection) {
        if count == capacity { grow() }
        (places + count).initialize(to: connection)
        count += 1
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Connection>.allocate(capacity: 2 * capacity)
        larger.moveInitialize(from: places, count: count)
        places.deallocate()
        (places, capacity) = (larger, 2 * capacity)
    }
}

/// Connections in the order in which their turn comes. Taking from it and emptying it cost nothing but a
/// count: a pass with one request goes through several of these.
struct ConnectionQueue: ~Copyable {
    private var room: UnsafeMutablePointer<ConnectionID>
    private var capacity = 16
    private var first = 0
    private var end = 0

    init() {
        room = .allocate(capacity: capacity)
    }

    deinit { room.deallocate() }

    var isEmpty: Bool { first == end }
    var count: Int { end - first }

    mutating func append(_ id: ConnectionID) {
        if end == capacity { makeRoom() }
        (room + end).initialize(to: id)
        end += 1
    }

    mutating func popFirst() -> ConnectionID? {
        guard first < end else { return nil }
        let id = room[first]
        first += 1
        if first == end { (first, end) = (0, 0) }
        return id
    }

    /// Moves what is there to the front, or to a larger room where more than half of this one is full.
    private mutating func makeRoom() {
        let larger = count > capacity / 2 ? 2 * capacity : capacity
        let moved = UnsafeMutablePointer<ConnectionID>.allocate(capacity: larger)
        moved.moveInitialize(from: room + first, count: count)
        room.deallocate()
        (room, capacity, first, end) = (moved, larger, 0, count)
    }
}

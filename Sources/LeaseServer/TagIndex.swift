// Which tags wait: found by connection and tag, however many a connection has.

internal import LeaseCore

/// Waiting requests by their tag. Swift's own dictionary would be moved as a whole when it grows, which
/// stalls the loop where one connection has a hundred thousand requests in line.
struct TagIndex: ~Copyable {
    private var index = SlotIndex()
    private let hasher = Hasher32(seed: 0x7A67_5EED)

    init() {}

    /// The first place of a pending request whose tag may be this one; go on with `next`.
    func first(_ connection: ConnectionID, _ tag: [UInt8]) -> Int? {
        place(index.first(hasher.hash(tag, connection)))
    }

    func next(after place: Int) -> Int? {
        self.place(index.next(after: Slot(place)))
    }

    mutating func insert(_ place: Int, _ connection: ConnectionID, _ tag: [UInt8]) {
        index.insert(Slot(place), hash: hasher.hash(tag, connection))
    }

    mutating func remove(_ place: Int) {
        index.remove(Slot(place))
    }

    private func place(_ slot: Slot) -> Int? {
        slot == .none ? nil : Int(slot)
    }
}

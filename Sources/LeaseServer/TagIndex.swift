// Which tags wait: found by connection and tag, however many a connection has.

internal import LeaseCore

/// Waiting requests by their tag. Swift's own dictionary would be moved as a whole when it grows, which
/// stalls the loop where one connection has a hundred thousand requests in line.
struct TagIndex: ~Copyable {
    private var index = SlotIndex()
    private let hasher: Hasher32

    /// - Parameter seed: drawn by who starts the daemon: clients choose tags, and must not choose such that
    ///   collide.
    init(seed: UInt64) {
        hasher = Hasher32(seed: seed)
    }

    /// The place of the pending request that is the one; nil: there is none.
    func find(_ connection: ConnectionID, _ tag: [UInt8], where isIt: (_ place: Int) -> Bool) -> Int? {
        let slot = index.find(hasher.hash(tag, connection)) { isIt(Int($0)) }
        return slot == .none ? nil : Int(slot)
    }

    /// One without a tag can't be found, and needs not be.
    mutating func insert(_ place: Int, _ pending: Pending) {
        guard !pending.tag.isEmpty else { return }
        index.insert(Slot(place), hash: hasher.hash(pending.tag, pending.connection))
    }

    mutating func remove(_ place: Int, _ pending: Pending) {
        guard !pending.tag.isEmpty else { return }
        index.remove(Slot(place), hash: hasher.hash(pending.tag, pending.connection))
    }
}

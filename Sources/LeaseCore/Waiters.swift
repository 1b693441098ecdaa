// Who stands in line. Waiters are not part of the log: a daemon that ends takes its lines with it.

package import LeaseModel

/// A request that stands in line; the number is never used again.
package struct WaiterID: Hashable, Sendable {
    package let number: UInt64
    let slot: Slot

    /// A small number that no other waiter has at the same time: a place in a table.
    package var place: Int { Int(slot) }
}

/// A connection as the core knows it: a number that is never used again.
package typealias ConnectionID = UInt64

/// Who asks: a connection and who is at its other end. An object, since it is passed on with every request.
package final class Caller {
    package let connection: ConnectionID
    package let peer: Peer
    /// How many requests of the connection wait already.
    @exclusivity(unchecked) package var waitingCount: Int
    /// Of the request that is being decided, where it wants to be notified: what stands before its events.
    @exclusivity(unchecked) package private(set) var tag: [UInt8]

    package init(connection: ConnectionID, peer: Peer, waitingCount: Int = 0, tag: [UInt8] = []) {
        self.connection = connection
        self.peer = peer
        self.waitingCount = waitingCount
        self.tag = tag
    }

    /// The request that is decided next wants to be notified. (Set here: from another module each access to
    /// the property would be checked for overlapping ones, also where it isn't come to.)
    package func notify(as tag: [UInt8]) { self.tag = tag }

    var subscriber: Subscriber { Subscriber(connection: connection, tag: tag) }
}

struct Waiter {
    /// 0 for a vacant slot.
    var number: UInt64 = 0
    var caller: Caller
    var keys: Keys
    var keySlots: [Slot] = []
    var owner: Text
    var ttl: Duration?
    var priority = 0
    var isShared = false
    /// It waits for the holder's work, not for the key: it becomes the holder where there is none.
    var joins = false
    var isEphemeral = false
    var process: ProcessIdentity?
    var request: Text?
    var note: Text?
    /// Who is told of its way up the line.
    var subscriber: Subscriber?
    var isToldFirst = false
    var arrivedAt = Instant.zero
    /// Its place in every line: by when it counts as having come, then by who came first.
    var order = Order(instant: 0, number: 0)
    var waitsUntil = Instant.never
    /// The others of its connection.
    var previous: Slot = .none
    var next: Slot = .none

    static var vacant: Waiter {
        let nobody = Peer(uid: 0, pid: 0, defaultOwner: Text(printed: []), isAdministrator: false)
        return Waiter(
            caller: Caller(connection: 0, peer: nobody), keys: Keys(Key(printed: [])),
            owner: Text(printed: []))
    }
}

/// The lines of all keys. A waiter stands in the line of each of its keys and in the one order of all.
struct Waiters: ~Copyable {
    private let inPlace = InPlace()

    var slab = Slab<Waiter>()
    var trees: OrderTrees
    /// All waiters in their order.
    var everybody: Slot = .none
    var ends = DeadlineHeap()
    var requestIndex = SlotIndex()
    /// The first waiter of each connection that has any.
    var firstOfConnection: [ConnectionID: Slot] = [:]
    var lastNumber: UInt64 = 0
    /// Those who wait for a holder's work.
    var joinerCount = 0
    /// How many of them somebody is told of.
    var notifying = 0

    init(seed: UInt64) {
        trees = OrderTrees(seed: seed)
    }

    var count: Int { slab.count }

    func slot(_ id: WaiterID) -> Slot {
        slab[id.slot].number == id.number ? id.slot : .none
    }

    func id(_ slot: Slot) -> WaiterID {
        WaiterID(number: slab[slot].number, slot: slot)
    }

    func slot(request: Text, uid: UInt32, hash: UInt32) -> Slot {
        requestIndex.find(hash) { slab[$0].caller.peer.uid == uid && slab[$0].request == request }
    }

    mutating func link(_ slot: Slot) {
        let connection = slab[slot].caller.connection
        let first = firstOfConnection[connection] ?? .none
        slab[slot].previous = .none
        slab[slot].next = first
        if first != .none {
            slab[first].previous = slot
        }
        firstOfConnection[connection] = slot
    }

    mutating func unlink(_ slot: Slot) {
        let (previous, next) = (slab[slot].previous, slab[slot].next)
        if next != .none { slab[next].previous = previous }
        if previous != .none {
            slab[previous].next = next
        } else if next != .none {
            firstOfConnection[slab[slot].caller.connection] = next
        } else {
            firstOfConnection[slab[slot].caller.connection] = nil
        }
    }
}

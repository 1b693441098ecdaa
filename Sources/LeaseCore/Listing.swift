// `list`: looks at all that there is, in slices, and shows what there is when it has seen everything.

package import LeaseModel

/// How far a list has come. What it has found may go, and what comes meanwhile is looked at as well, so that
/// it shows one moment, that of its reply: a client that hears of changes in between sees nothing twice.
struct Listing {
    let ticket: UInt64
    let request: ListRequest
    /// nil: who may see everything.
    let peer: Peer?
    /// The lease that is looked at next; `.none` behind the last.
    var next: Slot = .none
    var tokens: [Token] = []
    /// Everybody in line before this place has been looked at.
    var place = Order(instant: .min, number: 0)
    /// Places are kept, since a retry takes one over.
    var places: [Order] = []
}

extension Machine {
    package var listCount: Int { listings.count }

    package mutating func beginList(_ ticket: UInt64, _ request: ListRequest, for peer: Peer? = nil) {
        var listing = Listing(ticket: ticket, request: request, peer: peer)
        if !request.waiting { listing.next = firstSlot(after: request.after) }
        listings.append(listing)
    }

    /// Looks at as many more as may be, and counts them.
    /// - Returns: the reply, if it has seen enough.
    package mutating func continueList(_ ticket: UInt64, looks: inout Int) -> Reply? {
        guard let place = listings.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        var listing = listings.remove(at: place)
        let reply = listing.request.waiting
            ? lookAtWaiters(&listing, looks: &looks) : lookAtLeases(&listing, looks: &looks)
        if reply == nil { listings.insert(listing, at: place) }
        return reply
    }

    package func hasList(_ ticket: UInt64) -> Bool { listings.contains { $0.ticket == ticket } }

    /// Nobody waits for them any more.
    package mutating func dropLists() {
        listings.removeAll()
    }

    private func lookAtLeases(_ listing: inout Listing, looks: inout Int) -> Reply? {
        let request = listing.request
        while listing.next != .none {
            guard looks > 0 else { return nil }
            looks -= 1
            let slot = listing.next
            if ledger.leases[slot].token > request.after, isBelow(request.prefix, slot),
                mayLook(listing.peer, at: ledger.leases[slot].uid)
            {
                if listing.tokens.count == request.limit {
                    looks -= listing.tokens.count
                    listing.tokens.removeAll { ledger.leaseSlot($0) == .none }
                    if listing.tokens.count == request.limit { return leases(of: listing, hasMore: true) }
                }
                listing.tokens.append(ledger.leases[slot].token)
            }
            listing.next = ledger.leases[slot].next
        }
        return leases(of: listing, hasMore: false)
    }

    private func leases(of listing: Listing, hasMore: Bool) -> Reply {
        let slots = listing.tokens.map { ledger.leaseSlot($0) }.filter { $0 != .none }
        return .leases(slots.map { leaseView($0, for: listing.peer) }, hasMore: hasMore)
    }

    private func lookAtWaiters(_ listing: inout Listing, looks: inout Int) -> Reply? {
        var rank = waiters.trees.before(waiters.everybody, listing.place).all
        while rank < waiters.count {
            guard looks > 0 else { return nil }
            // Who stands in line is found through a tree, which takes so much longer.
            looks -= 8
            let slot = waiters.trees.item(waiters.everybody, at: rank)
            rank += 1
            let order = waiters.slab[slot].order
            listing.place = Order(instant: order.instant, number: order.number + 1)
            guard isPart(waiter: slot, of: listing) else { continue }
            listing.places.append(order)
            if listing.places.count > listing.request.limit {
                looks -= listing.places.count
                listing.places.removeAll { waiters.slot(at: $0) == .none }
                if listing.places.count > listing.request.limit { break }
            }
        }
        let slots = listing.places.sorted().map { waiters.slot(at: $0) }.filter { $0 != .none }
        let limit = listing.request.limit
        return .waiters(
            slots.prefix(limit).map { waiterView($0, position: 0, for: listing.peer) },
            hasMore: slots.count > limit)
    }

    private func isPart(waiter slot: Slot, of listing: Listing) -> Bool {
        mayLook(listing.peer, at: waiters.slab[slot].caller.peer.uid)
            && waiters.slab[slot].keys.all.contains { listing.request.prefix.matches($0) }
    }
}

// What moves while a list is made.
extension Machine {
    /// A lease is about to end: no list may stand on it.
    mutating func leaveLists(_ slot: Slot) {
        for place in listings.indices where listings[place].next == slot {
            listings[place].next = ledger.leases[slot].next
        }
    }

    /// Another lease was granted: lists that had seen all there were look at it, too.
    mutating func enterLists() {
        for place in listings.indices
        where !listings[place].request.waiting && listings[place].next == .none {
            listings[place].next = ledger.newest
        }
    }

    /// Somebody has come to stand in line, maybe before the place that a list has come to.
    mutating func enterLists(waiter slot: Slot) {
        for place in listings.indices
        where listings[place].request.waiting && waiters.slab[slot].order < listings[place].place
            && isPart(waiter: slot, of: listings[place])
        {
            listings[place].places.append(waiters.slab[slot].order)
        }
    }
}

extension Waiters {
    /// Who stands at this place, or `.none`.
    fileprivate func slot(at order: Order) -> Slot {
        let rank = trees.before(everybody, order).all
        guard rank < count else { return .none }
        let slot = trees.item(everybody, at: rank)
        return slab[slot].order == order ? slot : .none
    }
}

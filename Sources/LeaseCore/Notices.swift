// Those who asked to be told of their own request and its lease: when it comes nearer, when the lease is
// about to end, and when it has ended without their asking.

internal import LeaseModel

/// Who is told: the connection that asked, with the tag that it asked with.
package struct Subscriber: Equatable {
    package let connection: ConnectionID
    package let tag: [UInt8]
}

// Leases.
extension Machine {
    /// From now on this connection is told of the lease, and no other.
    mutating func subscribe(_ subscriber: Subscriber, to slot: Slot, into effects: inout Effects) {
        unsubscribe(slot, into: &effects)
        let details = ledger.leases[slot].details ?? LeaseDetails()
        ledger.leases[slot].details = details
        details.subscriber = subscriber
        let token = ledger.leases[slot].token
        subscriptions[subscriber.connection, default: []].insert(token)
        arm(slot, into: &effects)
    }

    /// - Returns: who was told of the lease till now.
    @discardableResult
    mutating func unsubscribe(_ slot: Slot, into effects: inout Effects) -> Subscriber? {
        guard let details = ledger.leases[slot].details, let former = details.subscriber else { return nil }
        disarm(slot)
        details.subscriber = nil
        let token = ledger.leases[slot].token
        subscriptions[former.connection]?.remove(token)
        if subscriptions[former.connection]?.isEmpty == true {
            subscriptions[former.connection] = nil
            if !hasBoundLeases(former.connection) { effects.unbind(former.connection) }
        }
        return former
    }

    /// The connection is not to be told of any lease any more.
    mutating func unsubscribeAll(_ connection: ConnectionID) {
        guard let tokens = subscriptions.removeValue(forKey: connection) else { return }
        for token in tokens.sorted() {
            let slot = ledger.leaseSlot(token)
            disarm(slot)
            ledger.leases[slot].details?.subscriber = nil
        }
    }

    /// The lease has a new deadline: a warning is due when a fifth of the ttl is left, at once if less is.
    mutating func arm(_ slot: Slot, into effects: inout Effects) {
        guard let details = ledger.leases[slot].details, details.subscriber != nil else { return }
        disarm(slot)
        let fifth = Duration(nanoseconds: ledger.leases[slot].ttl.nanoseconds / 5)
        let due = ledger.leases[slot].endsAt - fifth
        if due > clock {
            warnings.insert(slot, at: due, tie: ledger.leases[slot].token)
            details.isToBeWarned = true
        } else {
            warn(slot, into: &effects)
        }
    }

    private mutating func disarm(_ slot: Slot) {
        guard let details = ledger.leases[slot].details, details.isToBeWarned else { return }
        warnings.remove(slot)
        details.isToBeWarned = false
    }

    /// A fifth of its ttl is left, or less. A daemon that comes too late has nothing to warn of.
    mutating func warn(_ slot: Slot, into effects: inout Effects) {
        disarm(slot)
        let left = clock.until(ledger.leases[slot].endsAt)
        guard left > .zero, let subscriber = ledger.leases[slot].details?.subscriber else { return }
        effects.notify(subscriber, .expiring(ledger.leases[slot].token, left: left))
    }

    /// Leases of which somebody is told, with their ends, by token.
    var subscribedEnds: [(slot: Slot, endsAt: Instant)] {
        subscriptions.values.reduce(into: []) { $0 += $1 }.sorted().map { token in
            let slot = ledger.leaseSlot(token)
            return (slot, ledger.leases[slot].endsAt)
        }
    }

    /// Those of them that end at another time now.
    mutating func armAgain(_ before: [(slot: Slot, endsAt: Instant)], into effects: inout Effects) {
        for (slot, endsAt) in before where ledger.leases[slot].endsAt != endsAt {
            arm(slot, into: &effects)
        }
    }
}

// The line.
extension Machine {
    /// A request has come to stand in line, or a connection has asked to be told of it.
    mutating func tellPlace(_ slot: Slot, into effects: inout Effects) {
        guard let subscriber = waiters.slab[slot].subscriber else { return }
        let position = position(slot)
        waiters.slab[slot].isToldFirst = position == 1
        effects.notify(subscriber, .queued(waiters.slab[slot].keys, position: position))
    }

    /// Somebody has come to stand before others: who was first is so no more, and is told when it is again.
    mutating func noteOvertaking(by slot: Slot) {
        guard waiters.notifying > 0 else { return }
        for key in waiters.slab[slot].keySlots {
            let line = ledger.keys[key].line
            guard waiters.trees.count(line) > 1, waiters.trees.item(line, at: 0) == slot else { continue }
            waiters.slab[waiters.trees.item(line, at: 1)].isToldFirst = false
        }
    }

    /// Somebody has gone from the lines of these keys. Who is first there is told when all is settled: it
    /// may be granted by then.
    mutating func noteGoing(from keys: [Slot]) {
        if waiters.notifying > 0 { shortened += keys }
    }

    @inline(__always)
    mutating func tellWhoIsFirst(into effects: inout Effects) {
        if !shortened.isEmpty { tellWhoIsFirstNow(into: &effects) }
    }

    @inline(never)
    private mutating func tellWhoIsFirstNow(into effects: inout Effects) {
        var first: [Slot] = []
        for key in shortened where ledger.keys[key].line != .none {
            first.append(waiters.trees.item(ledger.keys[key].line, at: 0))
        }
        shortened.removeAll(keepingCapacity: true)
        for slot in first.sorted(by: { waiters.slab[$0].order < waiters.slab[$1].order })
        where !waiters.slab[slot].isToldFirst && position(slot) == 1 {
            tellPlace(slot, into: &effects)
        }
    }
}

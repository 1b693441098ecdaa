// Leases by token: how one is found, and their order.

internal import LeaseModel

extension Ledger {
    @inline(__always)
    func leaseSlot(_ token: Token) -> Slot {
        tokenIndex.find(token) { leases[$0].token }
    }

    func leaseSlot(request: Text, uid: UInt32) -> Slot {
        requestIndex.find(hasher.hash(request.bytes, UInt64(uid))) {
            leases[$0].uid == uid && leases[$0].details?.request == request
        }
    }

    @inline(__always)
    mutating func linkAsNewest(_ slot: Slot) {
        if newest == .none {
            oldest = slot
        } else {
            let (before, lease) = (leases.address(of: newest), leases.address(of: slot))
            before.pointee.next = slot
            lease.pointee.previous = newest
            if before.pointee.token > lease.pointee.token { isOutOfOrder = true }
        }
        newest = slot
    }

    @inline(__always)
    mutating func unlink(_ slot: Slot) {
        let lease = leases.address(of: slot)
        let (previous, next) = (lease.pointee.previous, lease.pointee.next)
        snapshot.leave(slot, next: next)
        if previous == .none { oldest = next } else { leases[previous].next = next }
        if next == .none { newest = previous } else { leases[next].previous = previous }
    }

    /// All leases, by token.
    func slotsInOrder() -> [Slot] {
        var slots: [Slot] = []
        slots.reserveCapacity(leaseCount)
        var slot = oldest
        while slot != .none {
            slots.append(slot)
            slot = leases[slot].next
        }
        return slots
    }

    /// Puts the leases into the order of their tokens again. A log that was compacted while leases came and
    /// went has lines of leases behind the grants of younger ones.
    mutating func restoreOrder() {
        guard isOutOfOrder else { return }
        isOutOfOrder = false
        var all: [(token: Token, slot: Slot)] = []
        all.reserveCapacity(leaseCount)
        forEachLease { ledger, slot in all.append((ledger.leases[slot].token, slot)) }
        all.sort { $0.token < $1.token }
        oldest = .none
        newest = .none
        for (_, slot) in all {
            leases[slot].previous = .none
            leases[slot].next = .none
            linkAsNewest(slot)
        }
    }
}

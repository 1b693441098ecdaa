// The same request again: what a retry gets, by the ID of its request.

internal import LeaseModel

extension Machine {
    /// What a request with an ID gets that was made before; nil where it is the first.
    mutating func retryOutcome(
        _ request: AcquireRequest, from caller: Caller, into effects: inout Effects
    ) -> Outcome? {
        guard let id = request.request else { return nil }
        let uid = caller.peer.uid
        let lease = ledger.leaseSlot(request: id, uid: uid)
        if lease != .none, !endIfDue(lease, into: &effects) {
            return heldAgain(request, lease, from: caller, into: &effects)
        }
        let waiter = waiters.slot(
            request: id, uid: uid, hash: ledger.hasher.hash(id.bytes, UInt64(uid)))
        if waiter != .none { return standInLineAgain(request, waiter, from: caller, into: &effects) }
        let ended = ledger.endedSlot(request: id, uid: uid)
        guard ended != .none else { return nil }
        let keys = ledger.keys(of: ended, ended: true)
        guard request.keys.names(sameAs: keys), request.isShared == ledger.ended[ended].isShared else {
            return .reply(.refused(.requestDiffers(id)))
        }
        return .reply(.gone(gone(ledger.ended[ended].token)))
    }

    private mutating func heldAgain(
        _ request: AcquireRequest, _ slot: Slot, from caller: Caller, into effects: inout Effects
    ) -> Outcome {
        let keys = ledger.keys(of: slot, ended: false)
        guard request.keys.names(sameAs: keys), request.isShared == ledger.leases[slot].isShared else {
            return .reply(.refused(.requestDiffers(request.request!)))
        }
        if ledger.leases[slot].isEphemeral {
            if ledger.leases[slot].details?.orphanedAt != nil {
                guard takeRoom(bytes: RecordSize.renewal) else {
                    return .reply(.refused(.noSpace))
                }
                emit(.bound(ledger.leases[slot].token), into: &effects)
            }
            bind(connection: caller.connection, to: slot, into: &effects)
        }
        if request.notifies { subscribe(caller.subscriber, to: slot, into: &effects) }
        let left = clock.until(ledger.leases[slot].deadline)
        return .reply(.granted(token: ledger.leases[slot].token, ttl: left, waited: nil, again: true))
    }

    /// The retry takes the place of the request that still stands in line.
    private mutating func standInLineAgain(
        _ request: AcquireRequest, _ slot: Slot, from caller: Caller, into effects: inout Effects
    ) -> Outcome {
        guard request.keys.names(sameAs: waiters.slab[slot].keys),
            request.isShared == waiters.slab[slot].isShared
        else { return .reply(.refused(.requestDiffers(request.request!))) }
        let (key, _) = obstacle(ofWaiter: slot)
        let waited = waiters.slab[slot].arrivedAt.until(clock)
        effects.answer(
            waiters.id(slot), .busy(busy(key, .superseded, waited: waited, for: caller.peer)),
            at: waiters.slab[slot].caller.connection)
        // A new number makes it another waiter for whoever asks; its place, kept in `order`, stays.
        waiters.unlink(slot)
        waiters.lastNumber += 1
        let before = waiters.id(slot)
        waiters.slab[slot].number = waiters.lastNumber
        waiters.slab[slot].caller = Caller(
            connection: caller.connection, peer: waiters.slab[slot].caller.peer)
        waiters.link(slot)
        if let process = waiters.slab[slot].process {
            processes[process]?.waiters.remove(before)
            processes[process]?.waiters.insert(waiters.id(slot))
        }
        if let index = starved.firstIndex(of: before) {
            starved[index] = waiters.id(slot)
        }
        if request.notifies {
            if waiters.slab[slot].subscriber == nil { waiters.notifying += 1 }
            waiters.slab[slot].subscriber = caller.subscriber
            tellPlace(slot, into: &effects)
        }
        return .waits(waiters.id(slot))
    }
}

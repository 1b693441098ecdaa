// From a change that is about to be applied to the event that tells of it.

internal import LeaseModel

extension Machine {
    /// What is told of a change that is decided and not yet applied: an ended lease is still there. nil: it
    /// is told to nobody.
    func what(_ change: Change, waited: Duration?) -> Event.What? {
        switch change {
        case .granted(let grant):
            return .granted(ttl: grant.firstTTL, waited: waited)
        case .renewed(let renewal):
            let slot = ledger.leaseSlot(renewal.token)
            let ttl = clock.until(ledger.deadline(ofRenewal: renewal.ttl, slot, at: clock).withGrace)
            let left = clock.until(ledger.leases[slot].deadline)
            return .renewed(ttl: ttl, formerTTL: ledger.leases[slot].ttl, left: left)
        case .ended(let ending):
            let slot = ledger.leaseSlot(ending.token)
            return .ended(ending.reason, held: ledger.leases[slot].grantedAt.until(clock))
        case .kept(let result): return .kept(for: result.keep)
        case .forgotten(let forgetting): return .forgotten(forgetting.reason)
        case .bound, .resumed, .advanced, .started, .stopped, .compacted, .held, .remembered, .result,
            .resting:
            return nil
        }
    }

    /// The event that tells it.
    func event(_ what: Event.What, of change: Change) -> Event {
        switch change {
        case .granted(let grant):
            return Event(
                sequence: sequence, at: clock, what: what, keys: grant.keys, token: grant.token,
                owner: grant.owner, uid: grant.uid, pid: grant.pid, isShared: grant.isShared,
                isEphemeral: grant.isEphemeral, whilePID: grant.process?.pid, note: grant.note)
        case .renewed(let renewal):
            let slot = ledger.leaseSlot(renewal.token)
            return event(
                what, of: slot, note: ledger.leases[slot].details?.note,
                bindsConnection: renewal.bindsConnection, process: renewal.process)
        case .ended(let ending):
            return event(what, of: ledger.leaseSlot(ending.token), note: ending.note)
        case .kept(let result):
            return event(what, of: result, keys: result.keys)
        case .forgotten(let forgetting):
            let result = ledger.keptView(ledger.resultSlot(forgetting.token))
            return event(what, of: result, keys: forgetting.key.map { Keys($0) } ?? result.keys)
        case .bound, .resumed, .advanced, .started, .stopped, .compacted, .held, .remembered, .result,
            .resting:
            preconditionFailure("nobody is told of these")
        }
    }

    private func event(_ what: Event.What, of result: KeptResult, keys: Keys) -> Event {
        Event(
            sequence: sequence, at: clock, what: what, keys: keys, token: result.token, owner: result.owner,
            uid: result.uid, pid: result.pid, isShared: false)
    }

    private func event(
        _ what: Event.What, of slot: Slot, note: Text?, bindsConnection: Bool = false,
        process: ProcessIdentity? = nil
    ) -> Event {
        Event(
            sequence: sequence, at: clock, what: what, keys: ledger.keys(of: slot, ended: false),
            token: ledger.leases[slot].token, owner: ledger.leases[slot].owner,
            uid: ledger.leases[slot].uid, pid: ledger.leases[slot].pid,
            isShared: ledger.leases[slot].isShared,
            isEphemeral: bindsConnection || ledger.leases[slot].isEphemeral,
            whilePID: (process ?? ledger.leases[slot].details?.process)?.pid, note: note)
    }

    func event(_ what: Event.What, ofWaiter slot: Slot) -> Event {
        let peer = waiters.slab[slot].caller.peer
        return Event(
            sequence: sequence, at: clock, what: what, keys: waiters.slab[slot].keys, token: 0,
            owner: waiters.slab[slot].owner, uid: peer.uid, pid: peer.pid,
            isShared: waiters.slab[slot].isShared)
    }

    /// Its place in line, from 1; the last one where it stands in several.
    func position(_ slot: Slot) -> Int {
        var position = 1
        for key in waiters.slab[slot].keySlots {
            let before = waiters.trees.before(ledger.keys[key].line, waiters.slab[slot].order).all
            position = max(position, before + 1)
        }
        return position
    }
}

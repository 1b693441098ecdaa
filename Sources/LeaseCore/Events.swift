// From a change to the event that tells of it.

internal import LeaseModel

extension Machine {
    /// Tells of a change that is decided and not yet applied: an ended lease is still there.
    /// - Returns: whether anybody is told of it.
    func tell(_ change: Change, into recent: inout RecentEvents) -> Bool {
        switch change {
        case .ended(let ending):
            let slot = ledger.leaseSlot(ending.token)
            let held = ledger.leases[slot].grantedAt.until(clock)
            tell(.ended(ending.reason, held: held), of: slot, lastWords: ending.note, into: &recent)
        case .renewed(let renewal):
            tell(renewal, into: &recent)
        case .kept(let result):
            recent.append(event(.kept(for: result.keep), of: result, keys: result.keys))
        case .forgotten(let forgetting):
            let result = ledger.keptView(ledger.resultSlot(forgetting.token))
            let keys = forgetting.key.map { Keys($0) } ?? result.keys
            recent.append(event(.forgotten(forgetting.reason), of: result, keys: keys))
        case .granted: preconditionFailure("it is told of when it is there")
        case .bound, .resumed, .advanced, .started, .stopped, .compacted, .held, .remembered, .result,
            .resting:
            return false
        }
        return true
    }

    private func tell(_ renewal: Renewal, into recent: inout RecentEvents) {
        let slot = ledger.leaseSlot(renewal.token)
        let ttl = clock.until(ledger.deadline(ofRenewal: renewal.ttl, slot, at: clock).withGrace)
        let left = clock.until(ledger.leases[slot].deadline)
        let what = Event.What.renewed(ttl: ttl, formerTTL: ledger.leases[slot].ttl, left: left)
        tell(
            what, of: slot, bindsConnection: renewal.bindsConnection, process: renewal.process, into: &recent)
    }

    /// Writes the event from where the lease stands: nothing of it is copied on the way. `lastWords` is the
    /// note of an eviction, which takes the place of the lease's own.
    func tell(
        _ what: Event.What, of slot: Slot, lastWords: Text? = nil, bindsConnection: Bool = false,
        process: ProcessIdentity? = nil, into recent: inout RecentEvents
    ) {
        let details = ledger.leases[slot].details
        var note = lastWords
        if case .ended = what {} else { note = details?.note }
        let key = ledger.leases[slot].key
        let keyCount = ledger.leases[slot].keyCount
        recent.changes.append(
            EventEntry(
                sequence: sequence, at: clock, what: what, token: ledger.leases[slot].token,
                uid: ledger.leases[slot].uid, pid: ledger.leases[slot].pid,
                whilePID: (process ?? details?.process)?.pid,
                kind: keyCount == 1 ? ledger.keys[key].kind : KeyEntry.unknownKind,
                keyCount: UInt8(keyCount), isShared: ledger.leases[slot].isShared,
                isEphemeral: bindsConnection || ledger.leases[slot].isEphemeral, hasNote: note != nil))
        recent.changes.add(ledger.keys[key].name.bytes.inPlace)
        for index in 1..<max(1, keyCount) {
            recent.changes.add(ledger.keys[ledger.leases[slot].keySlot(index)].name.bytes.inPlace)
        }
        recent.changes.add(ledger.leases[slot].owner.bytes.inPlace)
        if let note { recent.changes.add(note.bytes.inPlace) }
    }

    private func event(_ what: Event.What, of result: KeptResult, keys: Keys) -> Event {
        Event(
            sequence: sequence, at: clock, what: what, keys: keys, token: result.token, owner: result.owner,
            uid: result.uid, pid: result.pid, isShared: false)
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

// From a change to the event that tells of it.

internal import LeaseModel

extension Machine {
    /// Tells of a change that is decided and not yet applied.
    /// - Returns: whether anybody is told of it.
    func tell(_ change: Change, into recent: inout RecentEvents) -> Bool {
        switch change {
        case .kept(let result):
            recent.append(event(.kept(for: result.keep), of: result, keys: result.keys))
        case .forgotten(let forgetting):
            let result = ledger.keptView(ledger.resultSlot(forgetting.token))
            let keys = forgetting.key.map { Keys($0) } ?? result.keys
            recent.append(event(.forgotten(forgetting.reason), of: result, keys: keys))
        case .granted, .renewed, .ended: preconditionFailure("these are told of by the lease's slot")
        case .bound, .resumed, .advanced, .started, .stopped, .compacted, .held, .remembered, .result,
            .resting:
            return false
        }
        return true
    }

    /// Tells of the grant of a lease, which is there.
    /// - Returns: whether the event says all that the log says of it, and stands in for its record.
    func tellGranted(_ slot: Slot, waited: Duration?, into recent: inout RecentEvents) -> Bool {
        let lease = ledger.leases.address(of: slot)
        let ttl = lease.pointee.grantedAt.until(lease.pointee.deadline)
        let what = Event.What.granted(ttl: ttl, waited: waited)
        guard lease.pointee.details == nil, ttl == lease.pointee.ttl else {
            tell(what, of: slot, into: &recent)
            return false
        }
        tellPlainly(what, of: lease, into: &recent)
        return true
    }

    /// The same of its end. It is still there.
    func tellEnded(_ slot: Slot, _ ending: Ending, into recent: inout RecentEvents) -> Bool {
        let lease = ledger.leases.address(of: slot)
        let what = Event.What.ended(ending.reason, held: lease.pointee.grantedAt.until(clock))
        let isPlain = !ending.isTakenBack && ending.note == nil && ending.rests.isEmpty
        guard isPlain, lease.pointee.details == nil else {
            tell(what, of: slot, lastWords: ending.note, into: &recent)
            return false
        }
        tellPlainly(what, of: lease, into: &recent)
        return true
    }

    /// The same of its renewal, which is yet to come.
    func tellRenewed(_ slot: Slot, _ renewal: Renewal, into recent: inout RecentEvents) -> Bool {
        let lease = ledger.leases.address(of: slot)
        let ttl = clock.until(ledger.deadline(ofRenewal: renewal.ttl, slot, at: clock).withGrace)
        let left = clock.until(lease.pointee.deadline)
        let what = Event.What.renewed(ttl: ttl, formerTTL: lease.pointee.ttl, left: left)
        let isPlain = !renewal.bindsConnection && renewal.process == nil && ttl == renewal.ttl
        guard isPlain, lease.pointee.details == nil else {
            tell(
                what, of: slot, bindsConnection: renewal.bindsConnection, process: renewal.process,
                into: &recent)
            return false
        }
        tellPlainly(what, of: lease, into: &recent)
        return true
    }

    /// Writes the event of a lease without details, as nearly all are, where it says all that the log does.
    @inline(__always)
    private func tellPlainly(
        _ what: Event.What, of lease: UnsafePointer<Lease>, into recent: inout RecentEvents
    ) {
        let key = ledger.keys.address(of: lease.pointee.key)
        recent.changes.append(
            EventEntry(
                sequence: sequence, at: clock, what: what, token: lease.pointee.token,
                uid: lease.pointee.uid, pid: lease.pointee.pid, whilePID: nil, kind: key.pointee.kind,
                keyCount: 1, isShared: lease.pointee.isShared, isEphemeral: false, hasNote: false,
                standsInForRecord: true),
            key.pointee.name.bytes.inPlace, lease.pointee.owner.bytes.inPlace)
    }

    /// Writes the event from where the lease stands: nothing of it is copied on the way. `lastWords` is the
    /// note of an eviction, which takes the place of the lease's own.
    private func tell(
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
                kind: keyCount == 1 ? ledger.keys[key].kind : EventEntry.unknownKind,
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

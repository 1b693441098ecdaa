// What happens to a lease once it is granted: renewed, released, evicted, ended.

package import LeaseModel

extension Machine {
    /// A new deadline. `process` as with `acquire`.
    package mutating func renew(
        _ request: RenewRequest, process: ProcessReport, from caller: Caller, into effects: inout Effects
    ) -> Outcome {
        let slot = liveLease(request.token, into: &effects)
        guard slot != .none else { return .reply(.gone(gone(request.token))) }
        if let refusal = ownershipRefusal(slot, caller.peer) { return .reply(.refused(refusal)) }
        let slots = KeySlots(
            ledger.leases[slot].key, ledger.leases[slot].details?.otherKeys ?? [], in: ledger)
        if let ttl = request.ttl, let refusal = ttlRefusal(ttl, slots) { return .reply(.refused(refusal)) }
        let identity: ProcessIdentity?
        switch verdict(on: request.whilePID, process, by: caller.peer.uid) {
        case .names(let found): identity = found
        case .outcome(let outcome): return outcome
        }
        guard takeRoom(bytes: RecordSize.renewal) else { return .reply(.refused(.noSpace)) }
        let renewal = Renewal(
            token: request.token, ttl: request.ttl ?? ledger.leases[slot].ttl,
            bindsConnection: request.isEphemeral, process: identity)
        let deadline = ledger.deadline(ofRenewal: renewal.ttl, slot, at: clock)
        let formerProcess = ledger.leases[slot].details?.process
        emitRenewed(slot, renewal, into: &effects)
        arm(slot, into: &effects)
        if request.isEphemeral {
            bind(connection: caller.connection, to: slot, into: &effects)
        }
        if let identity, identity != formerProcess {
            if let formerProcess { unbind(formerProcess, from: request.token, into: &effects) }
            bind(identity, to: request.token, into: &effects)
        }
        let ttl = deadline.isFinal ? clock.until(deadline.withGrace) : renewal.ttl
        return .reply(.renewed(token: request.token, ttl: ttl, isFinal: deadline.isFinal))
    }

    /// What `while=` comes to.
    enum WhileVerdict {
        /// The process, or none where none is named.
        case names(ProcessIdentity?)
        case outcome(Outcome)
    }

    /// The process must be alive and run as the peer's own user; root may name any.
    @inline(__always)
    func verdict(on pid: Int32?, _ report: ProcessReport, by asker: UInt32) -> WhileVerdict {
        guard let pid else { return .names(nil) }
        switch report {
        case .notLookedAt: return .outcome(.needsProcess(pid))
        case .dead: return .outcome(.reply(.refused(.noProcess(pid))))
        case .alive(let found, let uid):
            guard uid == asker || asker == 0 else {
                return .outcome(.reply(.refused(.processOfAnother(pid))))
            }
            return .names(found)
        }
    }

    package mutating func release(
        _ request: ReleaseRequest, from caller: borrowing Caller, into effects: inout Effects
    ) -> Reply {
        let slot = liveLease(request.token, into: &effects)
        guard slot != .none else { return .gone(gone(request.token)) }
        if let refusal = ownershipRefusal(slot, caller.peer) { return .refused(refusal) }
        let held = ledger.leases[slot].grantedAt.until(clock)
        if request.result == nil, endsPlainly(slot) {
            endPlainly(slot, .released, into: &effects)
            return .released(token: request.token, held: held)
        }
        let work = request.result == nil ? nil : work(slot, request)
        endLease(slot, .released, by: caller.connection, work: work, into: &effects)
        return .released(token: request.token, held: held, kept: work?.kept?.keep)
    }

    /// For administrators: the server has made sure of that.
    package mutating func evict(
        _ token: Token, note: Text?, by connection: ConnectionID? = nil, into effects: inout Effects
    ) -> Reply {
        let slot = liveLease(token, into: &effects)
        guard slot != .none else { return .gone(gone(token)) }
        // The space for the end is there; a note needs more.
        if let note, !takeRoom(bytes: note.bytes.count) { return .refused(.noSpace) }
        let held = ledger.leases[slot].grantedAt.until(clock)
        endLease(slot, .evicted, by: connection, note: note, into: &effects)
        return .released(token: token, held: held)
    }

    /// A retry on another connection than the first is told of this grant: it stands, whether the first was
    /// told or not.
    package mutating func noteToldAgain(_ token: Token) {
        let slot = ledger.leaseSlot(token)
        if slot != .none { ledger.leases[slot].details?.isToldAgain = true }
    }

    /// The reply to this grant could not be handed over: it is as if it had not been, but for its token.
    package mutating func takeBack(_ token: Token, into effects: inout Effects) {
        let slot = ledger.leaseSlot(token)
        guard slot != .none, ledger.leases[slot].details?.isToldAgain != true else { return }
        endLease(slot, .disconnected, isTakenBack: true, into: &effects)
    }

    /// The lease, if it is alive.
    @inline(__always)
    mutating func liveLease(_ token: Token, into effects: inout Effects) -> Slot {
        let slot = ledger.leaseSlot(token)
        return slot == .none || endIfDue(slot, into: &effects) ? .none : slot
    }

    /// Ends a lease whose time is over. Where very many are due at once, requests are decided before its turn
    /// has come; they must not revive it.
    /// - Returns: whether it has ended.
    @inline(__always)
    mutating func endIfDue(_ slot: Slot, into effects: inout Effects) -> Bool {
        guard ledger.leases.address(of: slot).pointee.endsAt <= clock else { return false }
        endDue(slot, into: &effects)
        return true
    }

    @inline(never)
    private mutating func endDue(_ slot: Slot, into effects: inout Effects) {
        endLease(slot, ledger.leases[slot].reasonWhenDue, into: &effects)
    }

    private func ownershipRefusal(_ slot: Slot, _ peer: Peer) -> Refusal? {
        let uid = ledger.leases[slot].uid
        guard uid != peer.uid, !peer.isAdministrator else { return nil }
        return .forbidden(ledger.leases[slot].token, uid: uid)
    }

    /// Whether the end of a lease concerns nobody else, as nearly always: it is bound to nothing, nobody
    /// waits for its key, and no slot comes to rest.
    @inline(__always)
    private func endsPlainly(_ slot: Slot) -> Bool {
        let lease = ledger.leases.address(of: slot)
        let key = ledger.keys.address(of: lease.pointee.key)
        return lease.pointee.details == nil && key.pointee.line == .none
            && !key.pointee.marks.contains(.lockDelay)
    }

    @inline(never)
    private mutating func endPlainly(_ slot: Slot, _ reason: EndReason, into effects: inout Effects) {
        let token = ledger.leases.address(of: slot).pointee.token
        emitEnded(slot, Ending(token: token, reason: reason), into: &effects)
        tellWhoIsFirst(into: &effects)
    }

    /// Ends a lease and grants what becomes possible by it. `asker`: the connection that wanted it.
    mutating func endLease(
        _ slot: Slot, _ reason: EndReason, by asker: ConnectionID? = nil, isTakenBack: Bool = false,
        note: Text? = nil, work: Work? = nil, into effects: inout Effects
    ) {
        if !isTakenBack, note == nil, work == nil, endsPlainly(slot) {
            return endPlainly(slot, reason, into: &effects)
        }
        let lease = ledger.leases.address(of: slot)
        let (token, first, isShared) = (lease.pointee.token, lease.pointee.key, lease.pointee.isShared)
        var (others, subscriber): ([Slot], Subscriber?) = ([], nil)
        if lease.pointee.details != nil { (others, subscriber) = unbindAll(slot, into: &effects) }
        var ending = Ending(token: token, reason: reason, isTakenBack: isTakenBack, note: note)
        // A shared lease has no slot that could rest, and a grant that was taken back leaves no trace.
        if !isTakenBack, !isShared { ending.rests = rests(after: reason, first, others) }
        emitEnded(slot, ending, into: &effects)
        if let subscriber, subscriber.connection != asker { effects.notify(subscriber, .lost(token, reason)) }
        var entrants: [WaiterID] = []
        if let work {
            share(work, of: [first] + others, token: token, entrants: &entrants, into: &effects)
        }
        if isTakenBack { uncount(token, on: first) }
        refreshFrontIfWaitedFor(first, entrants: &entrants)
        for key in others {
            if isTakenBack { uncount(token, on: key) }
            refreshFrontIfWaitedFor(key, entrants: &entrants)
        }
        promote(entrants, into: &effects)
    }

    /// - Returns: the lease's keys behind the first, and who was told of it.
    private mutating func unbindAll(_ slot: Slot, into effects: inout Effects) -> ([Slot], Subscriber?) {
        guard let details = ledger.leases[slot].details else { return ([], nil) }
        let token = ledger.leases[slot].token
        if let connection = details.connection { unbind(connection, from: token, into: &effects) }
        if let process = details.process { unbind(process, from: token, into: &effects) }
        return (details.otherKeys, unsubscribe(slot, into: &effects))
    }

    /// How long each key's slot rests, in their order; empty where none does.
    private func rests(after reason: EndReason, _ first: Slot, _ others: [Slot]) -> [Duration] {
        switch reason {
        case .released, .evicted, .processEnded: return []
        case .expired, .disconnected: break
        }
        let delay = ledger.rules(of: first).lockDelay
        guard delay != nil || others.contains(where: { ledger.rules(of: $0).lockDelay != nil }) else {
            return []
        }
        return [delay ?? .zero] + others.map { ledger.rules(of: $0).lockDelay ?? .zero }
    }
}

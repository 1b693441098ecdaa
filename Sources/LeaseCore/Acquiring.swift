// `acquire`: at once, in line, or not at all.

package import LeaseModel

/// The slots of a request's keys, in its order. One key costs no array.
struct KeySlots {
    let first: Slot
    private(set) var others: [Slot] = []
    /// Which bounds at least one of the keys has.
    private(set) var marks: RuleMarks

    init(_ first: Slot, in ledger: borrowing Ledger) {
        self.first = first
        marks = ledger.keys[first].marks
    }

    init(_ first: Slot, _ others: [Slot], in ledger: borrowing Ledger) {
        self.init(first, in: ledger)
        for key in others { append(key, in: ledger) }
    }

    mutating func append(_ key: Slot, in ledger: borrowing Ledger) {
        others.append(key)
        marks.formUnion(ledger.keys[key].marks)
    }

    var count: Int { 1 + others.count }

    subscript(index: Int) -> Slot {
        index == 0 ? first : others[index - 1]
    }
}

extension Machine {
    /// All the keys or none. `process` is what was found of the process that the request names; where the
    /// outcome asks for it, the request comes again with it.
    package mutating func acquire(
        _ request: AcquireRequest, process: ProcessReport, from caller: borrowing Caller,
        into effects: inout Effects
    ) -> Outcome {
        if request.shared.hasRarities, let outcome = retryOutcome(request, from: caller, into: &effects) {
            return outcome
        }
        let first: Slot
        do throws(Refusal) {
            first = try knownSlot(request.keys.first)
        } catch {
            return .reply(.refused(error))
        }
        if request.isPlain, let ttl = grantPlainly(request, first, from: caller, into: &effects) {
            let waited: Duration? = request.wait > .zero ? .zero : nil
            return .reply(.granted(token: ledger.lastToken, ttl: ttl, waited: waited, again: false))
        }
        return acquireInFull(request, first, process: process, from: caller, into: &effects)
    }

    /// Grants what nearly all ask for: one key, which is free, so that nothing of the rest need be looked at.
    /// - Returns: how long it lasts; nil where something else speaks against it: then nothing has happened.
    @inline(__always)
    private mutating func grantPlainly(
        _ request: AcquireRequest, _ key: Slot, from caller: borrowing Caller, into effects: inout Effects
    ) -> Duration? {
        let entry = ledger.keys.address(of: key)
        guard entry.pointee.isFree, !isDraining, mayHaveLease(caller.peer.uid) else { return nil }
        let owner = request.owner(orElse: caller.peer.defaultOwner)
        guard takeRoom(forGrantOf: entry.pointee, to: owner, nil) else { return nil }
        // (No max-ttl bounds it: a key that is free has no such rule.)
        let ttl = request.ttl ?? ledger.rules(of: key).defaultTTL ?? Limits.defaultTTL
        let lease = Lease(
            token: ledger.lastToken + 1, at: clock, ttl: ttl, owner: owner, details: nil, key: key,
            uid: caller.peer.uid, pid: caller.peer.pid, isShared: request.isShared, isEphemeral: false)
        let span = lease.span
        emitGranted(lease, waited: nil, into: &effects)
        return span
    }

    /// `first`: the slot of its first key.
    @inline(never)
    private mutating func acquireInFull(
        _ request: AcquireRequest, _ first: Slot, process: ProcessReport, from caller: borrowing Caller,
        into effects: inout Effects
    ) -> Outcome {
        var slots = KeySlots(first, in: ledger)
        do throws(Refusal) {
            for key in request.keys.others { slots.append(try knownSlot(key), in: ledger) }
        } catch {
            forgetUnused(slots)
            return .reply(.refused(error))
        }
        let outcome = decide(request, slots, process: process, from: caller, into: &effects)
        forgetUnused(slots)
        return outcome
    }

    private mutating func forgetUnused(_ slots: KeySlots) {
        for index in 0..<slots.count {
            ledger.forgetIfUnused(slots[index])
        }
    }

    private mutating func decide(
        _ request: AcquireRequest, _ slots: KeySlots, process: ProcessReport, from caller: borrowing Caller,
        into effects: inout Effects
    ) -> Outcome {
        if request.joins, let problem = joinProblem(request, slots) {
            return .reply(.refused(.cannotJoin(problem)))
        }
        // What is kept is no grant: it answers while the daemon drains, too.
        let done = request.joins ? keptAnswer(slots[0], for: caller.peer, into: &effects) : nil
        if isDraining, done == nil {
            return .reply(.busy(busy(slots[0], .draining, waited: nil, for: caller.peer)))
        }
        if let refusal = refusal(of: request, slots) { return .reply(.refused(refusal)) }
        let identity: ProcessIdentity?
        switch verdict(on: request.whilePID, process, by: caller.peer.uid) {
        case .names(let found): identity = found
        case .outcome(let outcome): return outcome
        }
        if let done { return .reply(.done(done)) }
        let order = Order(
            instant: asked(request.priority).nanoseconds, number: waiters.lastNumber + 1)
        if let (slot, reason) = firstObstacle(slots, request, order: order) {
            guard request.wait > .zero else {
                let busy = busy(
                    slot, reason, waited: nil, isShared: request.isShared, for: caller.peer)
                return .reply(.busy(busy))
            }
            if let reply = refusalInLine(slots, request, caller) { return .reply(reply) }
            let first = effects.tellingCount
            var entrants: [WaiterID] = []
            if !request.joins { makePlace(slots, entrants: &entrants, into: &effects) }
            // Who was pushed out may have been all that was in the way.
            let isFree = firstObstacle(slots, request, order: order) == nil
            let outcome = isFree
                ? grantAtOnce(request, slots, identity, from: caller, into: &effects)
                : standInLine(
                    request, slots, identity, order: order, from: caller, noticeAt: first, into: &effects)
            // It may be all that was in the way of others, too. Who came has its place among them.
            promote(entrants, into: &effects)
            return outcome
        }
        return grantAtOnce(request, slots, identity, from: caller, into: &effects)
    }

    private mutating func grantAtOnce(
        _ request: AcquireRequest, _ slots: KeySlots, _ process: ProcessIdentity?,
        from caller: borrowing Caller, into effects: inout Effects
    ) -> Outcome {
        if let refusal = grantBound(caller.peer.uid, slots) { return .reply(.refused(refusal)) }
        let owner = request.owner(orElse: caller.peer.defaultOwner)
        let details = LeaseDetails.ifNeeded(
            otherKeys: slots.others, process: process, request: request.request, note: request.note,
            maxHold: maxHold(slots), isEphemeral: request.isEphemeral)
        guard takeRoom(forGrantOf: ledger.keys[slots.first], to: owner, details) else {
            return .reply(.refused(.noSpace))
        }
        let waited: Duration? = request.wait > .zero ? .zero : nil
        emitGrant(
            Lease(
                token: ledger.lastToken + 1, at: clock, ttl: request.ttl ?? defaultTTL(slots), owner: owner,
                details: details, key: slots.first, uid: caller.peer.uid, pid: caller.peer.pid,
                isShared: request.isShared, isEphemeral: request.isEphemeral),
            waited: nil, connection: caller.connection, into: &effects)
        if request.notifies { subscribe(caller.subscriber, to: ledger.newest, into: &effects) }
        let granted = ledger.leases[ledger.newest].span
        return .reply(.granted(token: ledger.lastToken, ttl: granted, waited: waited, again: false))
    }

    /// Emits the grant, binds it, and lets the fronts of the lines draw back.
    mutating func emitGrant(
        _ lease: consuming Lease, waited: Duration?, connection: ConnectionID, into effects: inout Effects
    ) {
        emitGranted(lease, waited: waited, into: &effects)
        countNewest()
        let slot = ledger.newest
        if ledger.leases[slot].details != nil { bindNewest(to: connection, into: &effects) }
        var none: [WaiterID] = []
        for index in 0..<ledger.leases[slot].keyCount {
            refreshFrontIfWaitedFor(ledger.leases[slot].keySlot(index), entrants: &none)
        }
    }

    private mutating func bindNewest(to connection: ConnectionID, into effects: inout Effects) {
        let slot = ledger.newest
        if ledger.leases[slot].isEphemeral {
            bind(connection: connection, to: slot, into: &effects)
        }
        if let process = ledger.leases[slot].details?.process {
            bind(process, to: ledger.leases[slot].token, into: &effects)
        }
    }

    private mutating func standInLine(
        _ request: AcquireRequest, _ slots: KeySlots, _ process: ProcessIdentity?, order: Order,
        from caller: Caller, noticeAt first: Int, into effects: inout Effects
    ) -> Outcome {
        var waiter = Waiter(
            caller: caller, keys: request.keys, owner: request.owner ?? caller.peer.defaultOwner)
        waiters.lastNumber += 1
        waiter.number = waiters.lastNumber
        waiter.keySlots = (0..<slots.count).map { slots[$0] }
        waiter.ttl = request.ttl
        waiter.priority = request.priority
        waiter.isShared = request.isShared
        waiter.joins = request.joins
        waiter.isEphemeral = request.isEphemeral
        waiter.process = process
        waiter.request = request.request
        waiter.note = request.note
        waiter.subscriber = request.notifies ? caller.subscriber : nil
        waiter.arrivedAt = clock
        waiter.order = order
        waiter.waitsUntil = request.wait == .forever ? .never : clock + request.wait
        let slot = enter(waiter)
        effects.tell(event(.queued(position: position(slot), priority: waiter.priority), ofWaiter: slot))
        tellPlace(slot, into: &effects)
        if request.notifies { effects.moveLastNotice(to: first) }
        if let process {
            bind(process, to: waiters.id(slot), into: &effects)
        }
        return .waits(waiters.id(slot))
    }

    /// The slot of a known key, made where there is none.
    @inline(__always)
    private mutating func knownSlot(_ key: Key) throws(Refusal) -> Slot {
        let slot = ledger.keySlot(key)
        if slot != .none, ledger.keys[slot].isKnown { return slot }
        return try knownSlotMade(key)
    }

    @inline(never)
    private mutating func knownSlotMade(_ key: Key) throws(Refusal) -> Slot {
        do throws(UnknownKey) {
            return ledger.insertKey(key, rules: try ledger.policy.rules(for: key))
        } catch {
            throw .unknownKey(key, error)
        }
    }

    /// When a request of this priority counts as having come.
    private func asked(_ priority: Int) -> Instant {
        guard priority > 0 else { return clock }
        return clock - .milliseconds(Int64(priority) * Limits.priorityStep.wholeMilliseconds)
    }

    /// The smallest default of the keys that have one.
    func defaultTTL(_ slots: KeySlots) -> Duration {
        var smallest: Duration?
        for index in 0..<slots.count {
            guard let ttl = ledger.rules(of: slots[index]).defaultTTL else { continue }
            smallest = min(smallest ?? ttl, ttl)
        }
        return min(smallest ?? Limits.defaultTTL, self.smallest(slots) { $0.maxTTL }?.bound ?? .forever)
    }

    @inline(__always)
    func maxHold(_ slots: KeySlots) -> Duration? {
        slots.marks.contains(.maxHold) ? smallest(slots) { $0.maxHold }?.bound : nil
    }

    /// The smallest of what the rules of the keys say, and the first key of which it is true. Inlined, since
    /// rules are large and one of them is asked for.
    @inline(__always)
    func smallest<Bound: Comparable>(
        _ slots: KeySlots, _ rule: (Rules) -> Bound?
    ) -> (key: Slot, bound: Bound)? {
        var smallest: (key: Slot, bound: Bound)?
        for index in 0..<slots.count {
            guard let bound = rule(ledger.rules(of: slots[index])) else { continue }
            if let smallest, smallest.bound <= bound { continue }
            smallest = (slots[index], bound)
        }
        return smallest
    }

    /// What the rules don't let anybody ask for.
    @inline(__always)
    private func refusal(of request: AcquireRequest, _ slots: KeySlots) -> Refusal? {
        if let ttl = request.ttl, let refusal = ttlRefusal(ttl, slots) { return refusal }
        if request.wait > .zero, let (key, bound) = smallest(slots, { $0.maxWait }), request.wait > bound {
            return .waitTooLong(ledger.keys[key].name, max: bound)
        }
        if request.priority > 0, let (key, bound) = smallest(slots, { $0.maxPriority }),
            request.priority > bound
        {
            return .priorityTooHigh(ledger.keys[key].name, max: bound)
        }
        return nil
    }

    @inline(__always)
    func ttlRefusal(_ ttl: Duration, _ slots: KeySlots) -> Refusal? {
        guard slots.marks.contains(.maxTTL), let (key, bound) = smallest(slots, { $0.maxTTL }), ttl > bound
        else { return nil }
        return .ttlTooLong(ledger.keys[key].name, max: bound)
    }

    /// Whether one more lease is within the bounds.
    @inline(__always)
    private mutating func mayHaveLease(_ uid: UInt32) -> Bool {
        leaseCount + restCount < limits.leasesMax
            && ledger.user(uid).pointee.leases < limits.leasesPerUserMax
    }

    mutating func grantBound(_ uid: UInt32, _ slots: KeySlots) -> Refusal? {
        if leaseCount + restCount >= limits.leasesMax {
            return .tooManyLeases(max: limits.leasesMax, flag: "--leases-max")
        }
        let user = ledger.user(uid)
        if user.pointee.leases >= limits.leasesPerUserMax {
            return .tooManyLeases(max: limits.leasesPerUserMax, flag: "--leases-per-user-max")
        }
        return slots.marks.contains(.rate) ? countedBound(user, slots) : nil
    }

    private func countedBound(_ user: UnsafePointer<UserCount>, _ slots: KeySlots) -> Refusal? {
        // The grant counts once for each of its keys that has a rate.
        let counted = (0..<slots.count).count { ledger.rules(of: slots[$0]).rate != nil }
        if rates.grantCount + counted > limits.countedGrantsMax {
            return .tooManyCounted(max: limits.countedGrantsMax, flag: "--counted-grants-max")
        }
        if user.pointee.countedGrants + counted > limits.countedGrantsPerUserMax {
            return .tooManyCounted(
                max: limits.countedGrantsPerUserMax, flag: "--counted-grants-per-user-max")
        }
        return nil
    }

    mutating func waiterBound(_ caller: Caller) -> Refusal? {
        if caller.waitingCount >= limits.waitersPerConnectionMax {
            return .tooManyWaiters(
                max: limits.waitersPerConnectionMax, flag: "--waiters-per-connection-max")
        }
        if waiters.count >= limits.waitersMax {
            return .tooManyWaiters(max: limits.waitersMax, flag: "--waiters-max")
        }
        if ledger.user(caller.peer.uid).pointee.waiters >= limits.waitersPerUserMax {
            return .tooManyWaiters(max: limits.waitersPerUserMax, flag: "--waiters-per-user-max")
        }
        return nil
    }
}

extension AcquireRequest {
    /// Whether its grant is one lease of one key, without details, of which nobody is told apart.
    fileprivate var isPlain: Bool {
        !shared.hasRarities && keys.others.isEmpty && !joins && !isEphemeral && !notifies
    }
}

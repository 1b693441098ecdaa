// The line and its fairness: who is in the way of whom, and who is next.

internal import LeaseModel

// First come, first served, for each key, in one order for all keys. A request is granted when, after
// everybody before it on each of its keys had got a slot, one were left for it.
extension Machine {
    /// What is in the way of a request at this place in the order; the first of its keys that something is.
    func firstObstacle(
        _ slots: KeySlots, _ request: AcquireRequest, order: Order
    ) -> (key: Slot, reason: BusyReason)? {
        for index in 0..<slots.count {
            let reason = obstacle(
                slots[index], isShared: request.isShared, joins: request.joins, order: order)
            if let reason { return (slots[index], reason) }
        }
        return nil
    }

    /// Who joins waits while anybody works, also where a reload has given the key more slots.
    func obstacle(_ key: Slot, isShared: Bool, joins: Bool, order: Order) -> BusyReason? {
        let entry = ledger.keys.address(of: key)
        let limit = joins ? 1 : ledger.rules(of: key).limit
        let exclusive = Int(entry.pointee.exclusiveHolders)
        if isShared {
            if exclusive > 0 { return .held }
        } else {
            if entry.pointee.sharedHolders > 0 { return .held }
            if exclusive >= limit { return limit == 1 ? .held : .limit }
        }
        let taken = entry.pointee.rests == .none ? exclusive : slotsTaken(key)
        if isShared ? taken > 0 : taken >= limit { return .resting }
        let left = grantsLeft(key)
        if left == 0 { return .rate }
        guard entry.pointee.line != .none else { return nil }
        let before = waiters.trees.before(ledger.keys[key].line, order)
        if before.all >= left { return .queued }
        if isShared {
            return before.exclusive > 0 ? .queued : nil
        }
        return before.shared > 0 || taken + before.exclusive >= limit ? .queued : nil
    }

    /// What is in the way of one who stands in line; its first key where nothing is (any more).
    func obstacle(ofWaiter slot: Slot) -> (key: Slot, reason: BusyReason) {
        let keys = waiters.slab[slot].keySlots
        for key in keys {
            let reason = obstacle(
                key, isShared: waiters.slab[slot].isShared, joins: waiters.slab[slot].joins,
                order: waiters.slab[slot].order)
            if let reason { return (key, reason) }
        }
        return (keys[0], .queued)
    }

    /// Takes a place in every line of its keys.
    mutating func enter(_ waiter: Waiter) -> Slot {
        let slot = waiters.slab.insert(waiter)
        // Something is in its way, and for nobody else is the way any freer: none of these is asked.
        var entrants: [WaiterID] = []
        for key in waiter.keySlots {
            ledger.keys[key].references += 1
            waiters.trees.insert(
                slot, order: waiter.order, isExclusive: !waiter.isShared, takesPlace: !waiter.joins,
                into: &ledger.keys[key].line)
            if waiter.joins {
                waiters.trees.insert(
                    slot, order: waiter.order, isExclusive: true, into: &ledger.keys[key].joiners)
            }
            refreshFront(key, entrants: &entrants)
        }
        waiters.trees.insert(
            slot, order: waiter.order, isExclusive: !waiter.isShared, into: &waiters.everybody)
        if waiter.waitsUntil != .never {
            waiters.ends.insert(slot, at: waiter.waitsUntil, tie: waiter.order.number)
        }
        if let request = waiter.request {
            let hash = ledger.hasher.hash(request.bytes, UInt64(waiter.caller.peer.uid))
            waiters.requestIndex.insert(slot, hash: hash)
        }
        waiters.link(slot)
        noteOvertaking(by: slot)
        if !listings.isEmpty { enterLists(waiter: slot) }
        if waiter.subscriber != nil { waiters.notifying += 1 }
        ledger.user(waiter.caller.peer.uid).pointee.waiters += 1
        if waiter.joins { countJoiner(waiter.caller.peer.uid, by: 1) }
        return slot
    }

    /// Leaves all lines: granted, or else for a reason. Who comes to the front by it is added to
    /// `entrants`.
    mutating func leave(
        _ slot: Slot, _ reason: LeaveReason?, entrants: inout [WaiterID], into effects: inout Effects
    ) {
        let waiter = waiters.slab[slot]
        if let reason {
            let waited = waiter.arrivedAt.until(clock)
            effects.tell(event(.left(reason, waited: waited), ofWaiter: slot))
        }
        if let process = waiter.process {
            unbind(process, from: waiters.id(slot), into: &effects)
        }
        if let request = waiter.request {
            let hash = ledger.hasher.hash(request.bytes, UInt64(waiter.caller.peer.uid))
            waiters.requestIndex.remove(slot, hash: hash)
        }
        if waiter.waitsUntil != .never {
            waiters.ends.remove(slot)
        }
        waiters.unlink(slot)
        noteGoing(from: waiter.keySlots)
        if waiter.subscriber != nil { waiters.notifying -= 1 }
        waiters.trees.remove(order: waiter.order, from: &waiters.everybody)
        ledger.user(waiter.caller.peer.uid).pointee.waiters -= 1
        if waiter.joins { countJoiner(waiter.caller.peer.uid, by: -1) }
        waiters.slab.remove(slot, leaving: .vacant)
        for key in waiter.keySlots {
            let rank = waiters.trees.before(ledger.keys[key].line, waiter.order).all
            waiters.trees.remove(order: waiter.order, from: &ledger.keys[key].line)
            if waiter.joins { waiters.trees.remove(order: waiter.order, from: &ledger.keys[key].joiners) }
            if rank < ledger.keys[key].front {
                ledger.keys[key].front -= 1
            }
            refreshFront(key, entrants: &entrants)
        }
        for key in waiter.keySlots {
            ledger.dropReference(key)
        }
    }

    mutating func refreshFrontIfWaitedFor(_ key: Slot, entrants: inout [WaiterID]) {
        if ledger.keys[key].line != .none { refreshFront(key, entrants: &entrants) }
    }

    /// Counts anew how many at the head of a line stand where their key would let them be granted, and adds
    /// those who have come to stand there. The rest of the line need not be looked at: nothing changed for
    /// it.
    mutating func refreshFront(_ key: Slot, entrants: inout [WaiterID]) {
        let before = Int(ledger.keys[key].front)
        let now = frontLength(key)
        ledger.keys[key].front = UInt32(now)
        if before > 0, now > 0, ledger.keys[key].joiners != .none {
            // Who joins may have stood in front while others held the key, which a reload gave more slots.
            entrants.append(waiters.id(waiters.trees.item(ledger.keys[key].line, at: 0)))
        }
        guard now > before else { return }
        let end = before + takeTurns(key, now - before)
        ledger.keys[key].front = UInt32(end)
        for rank in before..<end {
            entrants.append(waiters.id(waiters.trees.item(ledger.keys[key].line, at: rank)))
        }
    }

    private func frontLength(_ key: Slot) -> Int {
        let line = ledger.keys[key].line
        guard line != .none else { return 0 }
        let taken = slotsTaken(key)
        let shared = waiters.trees.headRun(line, exclusive: false)
        if shared > 0 {
            return taken > 0 ? 0 : min(shared, grantsLeft(key))
        }
        guard ledger.keys[key].sharedHolders == 0 else { return 0 }
        let free = min(ledger.rules(of: key).limit - taken, grantsLeft(key))
        return free <= 0 ? 0 : min(free, waiters.trees.headRun(line, exclusive: true))
    }

    private func isNext(_ slot: Slot) -> Bool {
        for key in waiters.slab[slot].keySlots {
            let rank = waiters.trees.before(ledger.keys[key].line, waiters.slab[slot].order).all
            guard rank < ledger.keys[key].front else { return false }
            if waiters.slab[slot].joins, rank > 0 || slotsTaken(key) > 0 { return false }
        }
        return true
    }

    /// A slot that rests stands there like the lease that has left it.
    func slotsTaken(_ key: Slot) -> Int {
        Int(ledger.keys[key].exclusiveHolders) + ledger.restCount(key)
    }

    /// How many of a line count against its bound.
    func placesTaken(_ key: Slot) -> Int {
        waiters.trees.count(ledger.keys[key].line) - waiters.trees.count(ledger.keys[key].joiners)
    }

    /// Grants whoever of these can be granted now, in the order of the line.
    mutating func promote(_ candidates: [WaiterID], into effects: inout Effects) {
        if !candidates.isEmpty { grantInOrder(candidates, into: &effects) }
        tellWhoIsFirst(into: &effects)
    }

    private mutating func grantInOrder(_ candidates: [WaiterID], into effects: inout Effects) {
        var pending = candidates
        while !pending.isEmpty {
            var entrants: [WaiterID] = []
            let live = pending.filter { waiters.slot($0) != .none }
            let inOrder = live.count < 2 ? live : live.sorted { left, right in
                waiters.slab[left.slot].order < waiters.slab[right.slot].order
            }
            for id in inOrder where waiters.slot(id) != .none && isNext(id.slot) {
                grantWaiter(id.slot, entrants: &entrants, into: &effects)
            }
            pending = entrants
        }
    }

    mutating func grantWaiter(
        _ slot: Slot, entrants: inout [WaiterID], into effects: inout Effects
    ) {
        let waiter = waiters.slab[slot]
        let id = waiters.id(slot)
        let slots = KeySlots(waiter.keySlots[0], Array(waiter.keySlots.dropFirst()), in: ledger)
        if let refusal = grantBound(waiter.caller.peer.uid, slots) {
            let isCounted = if case .tooManyCounted = refusal { true } else { false }
            let reason = isCounted ? LeaveReason.tooManyCounted : .tooManyLeases
            dismiss(slot, .refused(refusal), reason, entrants: &entrants, into: &effects)
            return
        }
        let details = LeaseDetails.ifNeeded(
            otherKeys: slots.others, process: waiter.process, request: waiter.request, note: waiter.note,
            maxHold: maxHold(slots), isEphemeral: waiter.isEphemeral)
        guard takeRoom(forGrantOf: ledger.keys[slots.first], to: waiter.owner, details) else {
            starved.append(id)
            return
        }
        let waited = waiter.arrivedAt.until(clock)
        let lease = Lease(
            token: ledger.lastToken + 1, at: clock, ttl: waiter.ttl ?? defaultTTL(slots), owner: waiter.owner,
            details: details, key: slots.first, uid: waiter.caller.peer.uid, pid: waiter.caller.peer.pid,
            isShared: waiter.isShared, isEphemeral: waiter.isEphemeral)
        effects.answer(
            id, .granted(token: lease.token, ttl: lease.span, waited: waited, again: false),
            at: waiter.caller.connection)
        // Bound before it leaves the line, so that its process goes on being watched.
        emitGrant(lease, waited: waited, connection: waiter.caller.connection, into: &effects)
        if let subscriber = waiter.subscriber {
            subscribe(subscriber, to: ledger.newest, into: &effects)
        }
        leave(slot, nil, entrants: &entrants, into: &effects)
    }

    /// There is room again: those whose turn had come get it.
    package mutating func grantStarved(into effects: inout Effects) {
        guard !starved.isEmpty else { return }
        let candidates = starved
        starved.removeAll()
        promote(candidates, into: &effects)
    }

    package var hasStarved: Bool { !starved.isEmpty }

    /// One leaves the line without a grant, and is told why.
    mutating func dismiss(
        _ slot: Slot, _ reply: Reply, _ reason: LeaveReason, entrants: inout [WaiterID],
        into effects: inout Effects
    ) {
        effects.answer(waiters.id(slot), reply, at: waiters.slab[slot].caller.connection)
        leave(slot, reason, entrants: &entrants, into: &effects)
    }

    /// The same, where its wait is all that is over; and whoever that lets through is granted.
    mutating func dismiss(
        _ slot: Slot, _ busy: BusyReason, _ reason: LeaveReason, into effects: inout Effects
    ) {
        var entrants: [WaiterID] = []
        dismiss(slot, .busy(farewell(slot, busy)), reason, entrants: &entrants, into: &effects)
        promote(entrants, into: &effects)
    }

    /// What one who leaves the line without a grant is told: of those who go on waiting, it is none.
    func farewell(_ slot: Slot, _ reason: BusyReason) -> Busy {
        let (key, _) = obstacle(ofWaiter: slot)
        let waited = waiters.slab[slot].arrivedAt.until(clock)
        var busy = busy(key, reason, waited: waited, for: waiters.slab[slot].caller.peer)
        busy.waiting -= 1
        return busy
    }

    /// Withdraws a waiting request, which gets its own last reply.
    package mutating func cancel(_ id: WaiterID, into effects: inout Effects) {
        let slot = waiters.slot(id)
        guard slot != .none else { return }
        dismiss(slot, .cancelled, .cancelled, into: &effects)
    }

    /// Stops granting: everybody in line is told so, in order.
    package mutating func drain(into effects: inout Effects) {
        isDraining = true
        while waiters.everybody != .none {
            let slot = waiters.trees.item(waiters.everybody, at: 0)
            // Nothing is granted any more, whoever is next.
            var entrants: [WaiterID] = []
            dismiss(
                slot, .busy(farewell(slot, .draining)), .draining, entrants: &entrants, into: &effects)
        }
        shortened.removeAll()
        starved.removeAll()
        for key in lettingIn { ledger.keys[key].isLettingIn = false }
        lettingIn.removeAll()
    }
}

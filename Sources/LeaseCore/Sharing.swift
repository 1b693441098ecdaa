// Single flight: one does the work, the others get its result.

package import LeaseModel

extension Machine {
    /// Why the request can't be for the work instead of the key.
    func joinProblem(_ request: AcquireRequest, _ slots: KeySlots) -> JoinProblem? {
        if slots.count > 1 { return .severalKeys }
        if request.isShared { return .shared }
        let limit = ledger.rules(of: slots[0]).limit
        return limit > 1 ? .severalSlots(ledger.keys[slots[0]].name, limit: limit) : nil
    }

    /// As many as join can get one result, all at the same time.
    mutating func joinerBound(_ uid: UInt32) -> Refusal? {
        if waiters.joinerCount >= limits.joinersMax {
            return .tooManyWaiters(max: limits.joinersMax, flag: "--joiners-max")
        }
        if ledger.user(uid).pointee.joiners >= limits.joinersPerUserMax {
            return .tooManyWaiters(max: limits.joinersPerUserMax, flag: "--joiners-per-user-max")
        }
        return nil
    }

    /// Counts one who joins, or no longer does.
    mutating func countJoiner(_ uid: UInt32, by change: Int) {
        waiters.joinerCount += change
        ledger.user(uid).pointee.joiners += change
    }

    /// What a kept result of the key answers, be the key held or not; nil: none is kept, or none that this
    /// peer may see.
    mutating func keptAnswer(_ key: Slot, for peer: Peer, into effects: inout Effects) -> Done? {
        forgetResultIfDue(key, into: &effects)
        let slot = ledger.keys[key].result
        guard slot != .none, mayLook(peer, at: ledger.results.slab[slot].uid) else { return nil }
        return Done(
            token: ledger.results.slab[slot].token, result: ledger.results.slab[slot].value,
            age: ledger.results.slab[slot].at.until(clock))
    }

    /// Where very much is due at once, a request may come before the result's turn to be forgotten.
    private mutating func forgetResultIfDue(_ key: Slot, into effects: inout Effects) {
        let slot = ledger.keys[key].result
        guard slot != .none, ledger.results.slab[slot].endsAt <= clock else { return }
        // The key is in use here, whether or not anything else refers to it.
        ledger.keys[key].references += 1
        emitForgotten(slot, .expired, into: &effects)
        ledger.keys[key].references -= 1
    }

    mutating func emitForgotten(_ slot: Slot, _ reason: ForgetReason, into effects: inout Effects) {
        let token = ledger.results.slab[slot].token
        emit(.forgotten(Forgetting(token: token, key: nil, reason: reason)), into: &effects)
    }

    /// Forgets the result for one key.
    private mutating func emitForgotten(of key: Slot, _ reason: ForgetReason, into effects: inout Effects) {
        let slot = ledger.keys[key].result
        let isLast = ledger.results.slab[slot].keys.count == 1
        let forgetting = Forgetting(
            token: ledger.results.slab[slot].token, key: isLast ? nil : ledger.keys[key].name, reason: reason)
        emit(.forgotten(forgetting), into: &effects)
    }

    package mutating func forget(
        _ key: Key, from caller: Caller, into effects: inout Effects
    ) -> Reply {
        let slot = ledger.keySlot(key)
        let result = slot == .none ? .none : ledger.keys[slot].result
        guard result != .none, ledger.results.slab[result].endsAt > clock else {
            do throws(UnknownKey) {
                _ = try ledger.policy.rules(for: key)
            } catch {
                return .refused(.unknownKey(key, error))
            }
            return .refused(.nothingKept(key))
        }
        let (uid, token) = (ledger.results.slab[result].uid, ledger.results.slab[result].token)
        guard uid == caller.peer.uid || caller.peer.isAdministrator else {
            return .refused(.keptByAnother(key, uid: uid))
        }
        let age = ledger.results.slab[result].at.until(clock)
        emitForgotten(of: slot, .asked, into: &effects)
        return .forgotten(token: token, age: age)
    }
}

// The holder is done.
extension Machine {
    /// What a lease's work came to, and whether it is kept for later.
    struct Work {
        var result: Text
        var uid: UInt32
        var kept: KeptResult?
    }

    /// The work of a lease that is about to be released. Where there is no room to write the result down it
    /// is for those who stand in line alone: an end is never held up.
    mutating func work(_ slot: Slot, _ request: ReleaseRequest) -> Work? {
        guard let result = request.result else { return nil }
        let uid = ledger.leases[slot].uid
        guard let (keys, keep) = keeping(slot, request.keep) else { return Work(result: result, uid: uid) }
        let kept = KeptResult(
            token: request.token, keys: keys, owner: ledger.leases[slot].owner, uid: uid,
            pid: ledger.leases[slot].pid, keep: keep, value: result)
        return Work(result: result, uid: uid, kept: takeRoom(for: kept) ? kept : nil)
    }

    /// For which keys, and how long: as was said, else the smallest that the policy says for one of them,
    /// for those for which it says something.
    private func keeping(_ slot: Slot, _ keep: Duration?) -> (Keys, Duration)? {
        let keys = ledger.keys(of: slot, ended: false)
        if let keep { return (keys, keep) }
        var names: [Key] = []
        var shortest = Duration.forever
        for index in 0..<keys.count {
            guard let usual = ledger.rules(of: ledger.leases[slot].keySlot(index)).keep else { continue }
            names.append(keys[index])
            shortest = min(shortest, usual)
        }
        guard let first = names.first else { return nil }
        return (Keys(first, Array(names.dropFirst())), shortest)
    }

    /// The lease has ended with this result: it takes the place of what was kept, and who joined gets it.
    mutating func share(
        _ work: Work, of keys: [Slot], token: Token, entrants: inout [WaiterID], into effects: inout Effects
    ) {
        if let kept = work.kept { emit(.kept(kept), into: &effects) }
        for key in keys where ledger.keys[key].result != .none {
            if ledger.results.slab[ledger.keys[key].result].token != token {
                emitForgotten(of: key, .replaced, into: &effects)
            }
        }
        // What goes in any case may have made room enough.
        if let kept = work.kept { dropOldResults(besides: token, kept.uid, into: &effects) }
        var joined: [Slot] = []
        for key in keys {
            let joiners = ledger.keys[key].joiners
            joined += (0..<waiters.trees.count(joiners)).map { waiters.trees.item(joiners, at: $0) }
        }
        if keys.count > 1 { joined.sort { waiters.slab[$0].order < waiters.slab[$1].order } }
        for slot in joined where mayLook(waiters.slab[slot].caller.peer, at: work.uid) {
            let waited = waiters.slab[slot].arrivedAt.until(clock)
            let done = Done(token: token, result: work.result, waited: waited)
            dismiss(slot, .done(done), .done, entrants: &entrants, into: &effects)
        }
    }

    /// Makes the bounds hold again: the oldest of the user who had one more kept goes first, then the oldest
    /// of all.
    private mutating func dropOldResults(
        besides token: Token, _ uid: UInt32, into effects: inout Effects
    ) {
        let user = ledger.user(uid)
        while let root = rootOverBound(user) {
            let oldest = ledger.results.trees.item(root, at: 0)
            // By the manual clock a younger token may have been kept at this very instant.
            let isNew = ledger.results.slab[oldest].token == token
            emitForgotten(
                isNew ? ledger.results.trees.item(root, at: 1) : oldest, .dropped, into: &effects)
        }
    }

    /// Among which results the oldest has to go; nil: the bounds hold.
    private func rootOverBound(_ user: UnsafePointer<UserCount>) -> Slot? {
        let own = user.pointee.results
        let ownCount = ledger.results.trees.count(own)
        if ownCount > limits.keptPerUserMax || user.pointee.resultBytes > limits.keptBytesPerUserMax {
            return own
        }
        guard ledger.results.count > limits.keptMax || ledger.results.bytes > limits.keptBytesMax else {
            return nil
        }
        return ownCount > 1 ? own : ledger.results.all
    }
}

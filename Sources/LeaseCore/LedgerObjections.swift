// Changes that can't have happened where a log has them: only a bug or an edit by hand puts them there.

internal import LeaseModel

// What the tables rely on: a token stands in them once, and only what is there changes or goes. Who may hold
// a key beside whom they don't ask: a start is not refused for a grant that was wrong and may long be over.
extension Ledger {
    /// The lease that is renewed or bound.
    func liveSlot(_ token: Token) throws(ImpossibleChange) -> Slot {
        let slot = leaseSlot(token)
        guard slot != .none else { throw ImpossibleChange("token \(token) is not held") }
        return slot
    }

    /// The lease that ends.
    func liveSlot(of ending: Ending) throws(ImpossibleChange) -> Slot {
        let slot = try liveSlot(ending.token)
        guard ending.rests.isEmpty || ending.rests.count == leases[slot].keyCount else {
            let (given, wanted) = (ending.rests.count, leases[slot].keyCount)
            throw ImpossibleChange("`rest` has \(given) parts, and token \(ending.token) \(wanted) keys")
        }
        return slot
    }

    @inline(__always)
    func requireNew(_ grant: Grant) throws(ImpossibleChange) {
        guard grant.token > lastToken else {
            throw ImpossibleChange("token \(grant.token) is granted after \(lastToken)")
        }
    }

    func requireNew(_ held: HeldLease) throws(ImpossibleChange) {
        let token = held.grant.token
        try requireNotHeld(token)
        try requireNotRemembered(token)
        // It would rest there once more when the lease ends.
        guard rests.count == 0 || restSlot(token) == .none else {
            throw ImpossibleChange("a slot rests after token \(token)")
        }
    }

    func requireNew(_ ended: EndedLease) throws(ImpossibleChange) {
        try requireNotHeld(ended.token)
        try requireNotRemembered(ended.token)
        guard ended.newestThen >= ended.token else {
            throw ImpossibleChange("token \(ended.token) is newer than the newest, \(ended.newestThen)")
        }
    }

    func requireNew(_ rest: Rest) throws(ImpossibleChange) {
        try requireNotHeld(rest.token)
        let key = keySlot(rest.key)
        let isThere = key != .none && restSlot(rest.token, where: { $0.key == key }) != .none
        guard !isThere else {
            throw ImpossibleChange("\(rest.key.string) rests after token \(rest.token) already")
        }
    }

    func requireNoResult(of token: Token) throws(ImpossibleChange) {
        guard resultSlot(token) == .none else {
            throw ImpossibleChange("a result of token \(token) is kept already")
        }
    }

    func requireFree(_ standing: StandingResult) throws(ImpossibleChange) {
        try requireNoResult(of: standing.kept.token)
        for name in standing.kept.keys.all {
            let key = keySlot(name)
            guard key == .none || keys[key].result == .none else {
                throw ImpossibleChange("\(name.string) has another result already")
            }
        }
    }

    func requireKept(_ forgetting: Forgetting) throws(ImpossibleChange) {
        let slot = resultSlot(forgetting.token)
        guard slot != .none else {
            throw ImpossibleChange("no result of token \(forgetting.token) is kept")
        }
        guard let name = forgetting.key else { return }
        let key = keySlot(name)
        guard key != .none, keys[key].result == slot else {
            throw ImpossibleChange("the result of token \(forgetting.token) is not kept for \(name.string)")
        }
    }

    private func requireNotHeld(_ token: Token) throws(ImpossibleChange) {
        // In order, as nearly all come, they need not be looked for one by one.
        if !isOutOfOrder, newest == .none || leases[newest].token < token { return }
        guard leaseSlot(token) == .none else { throw ImpossibleChange("token \(token) is held already") }
    }

    private func requireNotRemembered(_ token: Token) throws(ImpossibleChange) {
        guard ended.count == 0 || endedSlot(token) == .none else {
            throw ImpossibleChange("token \(token) has ended already")
        }
    }

    private func restSlot(_ token: Token, where isIt: (RestEntry) -> Bool = { _ in true }) -> Slot {
        restIndex.find(hasher.hash(token)) { rests[$0].token == token && isIt(rests[$0]) }
    }
}

// What others are told of leases, lines and keys. Nothing moves here.

package import LeaseModel

extension Machine {
    /// Whether somebody may see what a user says of itself: its owners, notes and results, and with `list`,
    /// `watch` and `history` that its leases are there at all. nil: who may see everything.
    package func mayLook(_ peer: Peer?, at uid: UInt32) -> Bool {
        guard isPrivate, let peer else { return true }
        return peer.uid == uid || peer.isAdministrator
    }

    func busy(
        _ key: Slot, _ reason: BusyReason, waited: Duration?, isShared: Bool = false, for peer: Peer
    ) -> Busy {
        let line = ledger.keys[key].line
        var ahead: Text?
        if reason == .queued, line != .none {
            ahead = ownerShown(waiters.trees.item(line, at: 0), to: peer)
        }
        return Busy(
            key: ledger.keys[key].name, reason: reason, holder: holderThatEndsFirst(key, for: peer),
            ahead: ahead, retry: retry(key, reason, isShared: isShared), limit: ledger.rules(of: key).limit,
            waiting: waiters.trees.count(line), waited: waited)
    }

    /// When a slot has rested, or the window has room for another grant.
    private func retry(_ key: Slot, _ reason: BusyReason, isShared: Bool) -> Duration? {
        switch reason {
        case .resting:
            // After a limit was lowered more than one may have to end first; for a shared request, all have.
            let surplus = slotsTaken(key) - ledger.rules(of: key).limit
            let rank = isShared ? ledger.restCount(key) - 1 : max(0, surplus)
            return clock.until(ledger.rest(key, at: rank).until)
        case .rate: return nextGrant(key).map { clock.until($0) }
        case .held, .limit, .queued, .queueFull, .timeout, .cancelled, .dropped, .superseded, .draining:
            return nil
        }
    }

    private func ownerShown(_ waiter: Slot, to peer: Peer?) -> Text? {
        mayLook(peer, at: waiters.slab[waiter].caller.peer.uid) ? waiters.slab[waiter].owner : nil
    }

    private func holderThatEndsFirst(_ key: Slot, for peer: Peer) -> HolderView? {
        let slot = ledger.firstToEnd(key)
        guard slot != .none else { return nil }
        return HolderView(
            token: ledger.leases[slot].token,
            owner: mayLook(peer, at: ledger.leases[slot].uid) ? ledger.leases[slot].owner : nil,
            pid: ledger.leases[slot].pid,
            uid: ledger.leases[slot].uid, age: ledger.leases[slot].grantedAt.until(clock),
            left: clock.until(ledger.leases[slot].endsAt), isShared: ledger.leases[slot].isShared)
    }

    func gone(_ token: Token) -> Gone {
        let slot = ledger.endedSlot(token)
        guard slot != .none else { return Gone(token: token, reason: nil, ago: .zero, next: 0) }
        return Gone(
            token: token, reason: ledger.ended[slot].reason, ago: ledger.ended[slot].endedAt.until(clock),
            next: ledger.nextToken(afterEnded: slot))
    }

    func leaseView(_ slot: Slot, for peer: Peer?) -> LeaseView {
        LeaseView(
            grant: ledger.grantView(slot), age: ledger.leases[slot].grantedAt.until(clock),
            left: clock.until(ledger.leases[slot].endsAt),
            isVeiled: !mayLook(peer, at: ledger.leases[slot].uid))
    }

    func waiterView(_ slot: Slot, position: Int, for peer: Peer?) -> WaiterView {
        let end = waiters.slab[slot].waitsUntil
        return WaiterView(
            keys: waiters.slab[slot].keys, owner: ownerShown(slot, to: peer),
            pid: waiters.slab[slot].caller.peer.pid, uid: waiters.slab[slot].caller.peer.uid,
            waited: waiters.slab[slot].arrivedAt.until(clock), left: end == .never ? nil : clock.until(end),
            priority: waiters.slab[slot].priority, isShared: waiters.slab[slot].isShared,
            joins: waiters.slab[slot].joins, position: position)
    }

    /// The keys of a lease that is alive.
    package func keys(of token: Token) -> Keys? {
        let slot = ledger.leaseSlot(token)
        return slot == .none ? nil : ledger.keys(of: slot, ended: false)
    }

    /// One that is due ends now, though its turn may not have come: what was said to be gone must not come
    /// back with the grace of the next start.
    package mutating func check(_ token: Token, for peer: Peer? = nil, into effects: inout Effects) -> Reply {
        let slot = liveLease(token, into: &effects)
        return slot == .none ? .gone(gone(token)) : .checked(leaseView(slot, for: peer))
    }

    /// Holders in the order in which they end, then waiters in theirs: at most `limit` lines of them.
    package func view(_ key: Key, limit: Int, for peer: Peer? = nil) -> Reply {
        let slot = ledger.keySlot(key)
        let rules: Rules
        do throws(UnknownKey) {
            rules = try ledger.policy.rules(for: key)
        } catch {
            // What is of a kind that the policy no longer knows stays visible.
            guard slot != .none, ledger.keys[slot].holderCount > 0 || keptView(slot, for: peer) != nil else {
                return .refused(.unknownKey(key, error))
            }
            rules = ledger.rules(of: slot)
        }
        guard slot != .none else {
            return .key(
                KeyView(
                    key: key, rules: rules, holderCount: 0, waiterCount: 0, holders: [], waiters: [],
                    hasMore: false))
        }
        let holders = ledger.keys[slot].holderCount
        let line = ledger.keys[slot].line
        let waiting = waiters.trees.count(line)
        let shownHolders = min(holders, limit)
        let shownWaiters = min(waiting, limit - shownHolders)
        let resting = ledger.restCount(slot)
        let shownRests = min(resting, limit - shownHolders - shownWaiters)
        let kept = keptView(slot, for: peer)
        let shown = shownHolders + shownWaiters + shownRests
        let showsKept = shown < limit
        let cuts = shown < holders + waiting + resting || kept != nil && !showsKept
        return .key(
            KeyView(
                key: key, rules: rules, holderCount: holders, waiterCount: waiting, restCount: resting,
                nextGrant: nextGrant(slot).map { clock.until($0) },
                holders: (0..<shownHolders).map { leaseView(ledger.holder(slot, at: $0), for: peer) },
                waiters: (0..<shownWaiters).map { rank in
                    waiterView(waiters.trees.item(line, at: rank), position: rank + 1, for: peer)
                },
                rests: (0..<shownRests).map { restView(ledger.rest(slot, at: $0)) },
                kept: showsKept ? kept : nil, hasMore: cuts))
    }

    private func keptView(_ key: Slot, for peer: Peer?) -> KeptView? {
        let slot = ledger.keys[key].result
        guard slot != .none, ledger.results.slab[slot].endsAt > clock else { return nil }
        return KeptView(
            kept: ledger.keptView(slot), age: ledger.results.slab[slot].at.until(clock),
            left: clock.until(ledger.results.slab[slot].endsAt),
            isVeiled: !mayLook(peer, at: ledger.results.slab[slot].uid))
    }

    private func restView(_ rest: RestEntry) -> RestView {
        RestView(token: rest.token, left: clock.until(rest.until))
    }

    /// The next lease, where that with this token is still there, as behind a page it mostly is; else the
    /// oldest of all.
    func firstSlot(after token: Token) -> Slot {
        guard token > 0 else { return ledger.oldest }
        if token >= ledger.lastToken { return .none }
        let slot = ledger.leaseSlot(token)
        return slot == .none ? ledger.oldest : ledger.leases[slot].next
    }

    func isBelow(_ prefix: KeyPrefix, _ slot: Slot) -> Bool {
        guard !prefix.bytes.isEmpty else { return true }
        for index in 0..<ledger.leases[slot].keyCount
        where prefix.matches(ledger.keys[ledger.leases[slot].keySlot(index)].name) {
            return true
        }
        return false
    }

    package func policy(_ key: Key?) -> Reply {
        guard let key else { return .policy(ledger.policy.source) }
        do throws(UnknownKey) {
            return .rules(key, try ledger.policy.origins(for: key))
        } catch {
            return .refused(.unknownKey(key, error))
        }
    }

    /// Everything that lasts at an instant, for comparison: two machines that have seen the same changes are
    /// equal in it.
    package func portrait(at now: Instant? = nil) -> [Change] {
        let rests = (0..<Slot(ledger.rests.slotCount)).map { ledger.rests[$0] }
            .filter { $0.token != 0 && $0.until > now ?? clock }.map { ledger.restView($0) }
            .sorted { ($0.token, $0.key.string) < ($1.token, $1.key.string) }
        return ledger.endedInOrder.map { .remembered($0) }
            + ledger.slotsInOrder().map { .held(ledger.heldView($0)) }
            + ledger.resultsInOrder().map { .result(ledger.standingView($0)) }
            + rests.map { .resting($0) }
    }
}

// Single flight as the naive model has it: results in a row that is searched from end to end.

import LeaseModel

struct NaiveResult {
    /// With the keys that it still answers for.
    var kept: KeptResult
    var at: Instant

    var end: Instant { at + kept.keep }
    var bytes: Int {
        128 + kept.value.bytes.count + kept.keys.all.reduce(0) { $0 + $1.bytes.count }
    }
}

extension Naive {
    /// The oldest first.
    var resultsByAge: [NaiveResult] {
        results.sorted { ($0.at, $0.kept.token) < ($1.at, $1.kept.token) }
    }

    var resultsByToken: [NaiveResult] {
        results.sorted { $0.kept.token < $1.kept.token }
    }

    func result(_ key: Key) -> NaiveResult? {
        results.first { $0.kept.keys.all.contains(key) }
    }

    func joinProblem(_ request: AcquireRequest) -> JoinProblem? {
        guard request.joins else { return nil }
        if request.keys.count > 1 { return .severalKeys }
        if request.isShared { return .shared }
        let limit = rules(request.keys.first).limit
        return limit == 1 ? nil : .severalSlots(request.keys.first, limit: limit)
    }

    func keptAnswer(_ request: AcquireRequest) -> NaiveOutcome? {
        guard request.joins, let found = result(request.keys.first) else { return nil }
        return .reply(
            .done(Done(token: found.kept.token, result: found.kept.value, age: found.at.until(clock))))
    }

    mutating func release(_ request: ReleaseRequest, _ caller: NaiveCaller) -> Reply {
        if let reply = refusal(request.token, caller) { return reply }
        let lease = leases.first { $0.grant.token == request.token }!
        guard let value = request.result else {
            return .released(token: request.token, held: end(request.token, .released, by: caller.connection))
        }
        let keeping = lease.grant.keys.all.filter { request.keep != nil || rules($0).keep != nil }
        let keep = request.keep ?? keeping.compactMap { rules($0).keep }.min()
        let isKept = keep != nil && !isFull
        endWithoutNext(request.token, .released, by: caller.connection)
        if isKept {
            let kept = KeptResult(
                token: request.token, keys: Keys(keeping[0], Array(keeping.dropFirst())),
                owner: lease.grant.owner, uid: lease.grant.uid, pid: lease.grant.pid, keep: keep!,
                value: value)
            changes.append(.kept(kept))
            tell(.kept(for: kept.keep), kept, kept.keys)
            for key in keeping { drop(key) }
            results.append(NaiveResult(kept: kept, at: clock))
        }
        for key in lease.grant.keys.all where !(isKept && keeping.contains(key)) {
            forget(key, .replaced)
        }
        if isKept { dropOldResults(besides: request.token, lease.grant.uid) }
        let keys = lease.grant.keys.all
        for waiter in line where waiter.request.joins && keys.contains(waiter.request.keys.first) {
            answer(
                waiter,
                .done(Done(token: request.token, result: value, waited: waiter.arrivedAt.until(clock))))
            leave(waiter, .done)
        }
        settle()
        return .released(
            token: request.token, held: lease.grantedAt.until(clock), kept: isKept ? keep : nil)
    }

    /// Takes the key from the result that it has, and says so.
    private mutating func forget(_ key: Key, _ reason: ForgetReason) {
        guard let found = result(key) else { return }
        let isLast = found.kept.keys.count == 1
        changes.append(
            .forgotten(Forgetting(token: found.kept.token, key: isLast ? nil : key, reason: reason)))
        tell(.forgotten(reason), found.kept, isLast ? found.kept.keys : Keys(key))
        drop(key)
    }

    private mutating func drop(_ key: Key) {
        for place in results.indices {
            let left = results[place].kept.keys.all.filter { $0 != key }
            if left.isEmpty {
                results.remove(at: place)
                return
            }
            results[place].kept.keys = Keys(left[0], Array(left.dropFirst()))
        }
    }

    mutating func forgetWhole(_ token: Token, _ reason: ForgetReason) {
        let found = results.first { $0.kept.token == token }!
        tell(.forgotten(reason), found.kept, found.kept.keys)
        results.removeAll { $0.kept.token == token }
        changes.append(.forgotten(Forgetting(token: token, key: nil, reason: reason)))
    }

    private mutating func dropOldResults(besides token: Token, _ uid: UInt32) {
        func isOver(_ some: [NaiveResult], _ count: Int, _ bytes: Int) -> Bool {
            some.count > count || some.reduce(0) { $0 + $1.bytes } > bytes
        }
        while true {
            let own = resultsByAge.filter { $0.kept.uid == uid }
            var candidates = own
            if !isOver(own, limits.keptPerUserMax, limits.keptBytesPerUserMax) {
                guard isOver(results, limits.keptMax, limits.keptBytesMax) else { return }
                if own.count == 1 { candidates = resultsByAge }
            }
            forgetWhole(candidates.first { $0.kept.token != token }!.kept.token, .dropped)
        }
    }

    mutating func forget(_ key: Key, _ caller: NaiveCaller) -> Reply {
        guard let found = result(key) else {
            do throws(UnknownKey) {
                _ = try policy.rules(for: key)
                return .refused(.nothingKept(key))
            } catch {
                return .refused(.unknownKey(key, error))
            }
        }
        guard found.kept.uid == caller.peer.uid || caller.peer.isAdministrator else {
            return .refused(.keptByAnother(key, uid: found.kept.uid))
        }
        forget(key, .asked)
        return .forgotten(token: found.kept.token, age: found.at.until(clock))
    }

    func keptView(_ key: Key) -> KeptView? {
        result(key).map {
            KeptView(kept: $0.kept, age: $0.at.until(clock), left: clock.until($0.end))
        }
    }
}

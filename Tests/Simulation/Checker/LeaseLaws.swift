// What must hold of each lease, and of those of one key together.

extension Leases {
    /// Holds every law against what is known.
    mutating func judge() {
        for lease in inOrder {
            judgeEnds(lease)
            judgeLength(lease)
            judgeDeadlines(lease)
            judgeBonds(lease)
        }
        judgeRights()
        judgeTokens()
        judgeRetries()
        judgeExclusion()
        judgeViews()
    }

    private func line(_ sight: Sight) -> String { sight.ask.map { history.asks[$0].line } ?? "an event" }

    /// The last cut after which what was known before may not be true: only where answers go out first.
    private func isCutBetween(_ first: Int64, _ last: Int64) -> Bool {
        !history.isSyncedFirst && history.cuts.contains { $0 >= first && $0 <= last }
    }

    /// No lease ends without a cause, and none comes back.
    private mutating func judgeEnds(_ lease: Lease) {
        for end in lease.ended {
            // What was not on the disk when the power went had not happened: the lease may have lived on.
            let isUndone = isCutBetween(end.to, .max)
            if end.why == "unknown" {
                if !lease.causes.contains(where: { $0.why == "lost" && $0.from <= end.to }) {
                    accuse("kept", "token \(lease.token) is forgotten: `\(line(end))` at \(end.to)")
                }
            } else if !isUndone, !lease.mayHaveEnded(by: end.to, why: end.why),
                !lease.causes.contains(where: { $0.why == "lost" && $0.from <= end.to })
            {
                accuse(
                    "ends", "token \(lease.token) ended as \(end.why) by \(end.to), seen by `\(line(end))`; "
                        + "it expires from \(lease.expiresFrom), causes \(lease.causes)")
            }
            for alive in lease.alive
            where alive.from > end.to && alive.from > (end.ask.map { history.asks[$0].decidedBy } ?? end.to)
                && !isCutBetween(end.to, alive.from) && !isOfLostTime(alive)
            {
                accuse(
                    "ends", "token \(lease.token) came back: `\(line(end))` at \(end.to), then "
                        + "`\(line(alive))` at \(alive.from)")
            }
        }
    }

    /// A manual clock stands where the log has it when a daemon fails amid an `advance`, though who waited
    /// has been answered as of later: what was seen then was before what was seen since, whatever the clock
    /// said.
    private func isOfLostTime(_ sight: Sight) -> Bool {
        guard let ask = sight.ask else { return false }
        let life = history.talks[history.asks[ask].connection]!.life
        return history.asks.contains {
            $0.spoken.options["advance"] != nil && !$0.isHeard && history.talks[$0.connection]!.life == life
        }
    }

    /// No lease lives on behind its deadline, but for a grace.
    private mutating func judgeLength(_ lease: Lease) {
        guard lease.expiresBy < .max else { return }
        // Over a reboot lease time goes by the wall clock.
        if history.cutsWithMovedClock.contains(where: { $0 >= lease.grantedFrom }) { return }
        let isGraced = isGraced(lease)
        let last = settledBy(lease) + (isGraced ? history.grace : 0) + slack(lease)
        // It is alive before its deadline, and not at it.
        for alive in lease.alive where alive.from >= last {
            if alive.isAside, isGraced || history.isSliced { continue }
            accuse(
                "length", "token \(lease.token) ends by \(last), and is alive for `\(line(alive))`, sent at "
                    + "\(alive.from)")
        }
    }

    func isGraced(_ lease: Lease) -> Bool {
        history.lives.dropFirst().contains { $0.startedAt >= lease.grantedFrom }
            || history.absences.contains { $0 >= lease.grantedFrom - history.latenessMax }
    }

    /// What was seen can't be later than what was set.
    private func settledBy(_ lease: Lease) -> Int64 {
        guard lease.grant != nil else { return lease.expiresBy }
        return lease.deadlines.filter { !$0.isSeen }.map(\.high).max() ?? lease.expiresBy
    }

    /// What is shown of a deadline agrees with what was set.
    private mutating func judgeDeadlines(_ lease: Lease) {
        if lease.grant == nil || history.cuts.contains(where: { $0 >= lease.grantedFrom }) { return }
        for seen in lease.deadlines where seen.isSeen {
            let inForce = lease.deadlines.filter { set in
                !set.isSeen && set.from <= seen.to
                    && !lease.deadlines.contains {
                        !$0.isSeen && !$0.isUncertain && $0.from > set.to && $0.to < seen.from
                    }
            }
            guard let least = inForce.map(\.low).min() else { continue }
            // One that hangs on a lost connection is shown with the end of its grace.
            if seen.high < least, !lease.isEphemeral {
                accuse("deadlines", "token \(lease.token) ends by \(seen.high) as shown, not before \(least)")
            }
        }
    }

    /// Tokens only grow, and none is given twice.
    private mutating func judgeTokens() {
        let granted = inOrder.filter { $0.grant != nil }
        let byTime = granted.sorted { $0.grantedTo < $1.grantedTo }
        var greatest: [(to: Int64, token: UInt64)] = []
        for lease in byTime {
            greatest.append((lease.grantedTo, max(greatest.last?.token ?? 0, lease.token)))
        }
        for lease in granted {
            let sentAt = lease.grantedFrom
            var low = 0
            var high = greatest.count
            while low < high {
                let middle = (low + high) / 2
                if greatest[middle].to < sentAt { low = middle + 1 } else { high = middle }
            }
            if low > 0, greatest[low - 1].token >= lease.token {
                accuse("tokens", "token \(lease.token) was given after \(greatest[low - 1].token)")
            }
        }
    }

    /// One request, one lease: a retry never gets another one.
    private mutating func judgeRetries() {
        var first: [String: Lease] = [:]
        for lease in inOrder where lease.grant != nil && lease.request != nil {
            let id = "\(lease.uid ?? 0) \(lease.request!)"
            if let before = first[id], !isCutBetween(before.grantedFrom, lease.grantedTo) {
                accuse("retries", "request \(id) got token \(before.token) and \(lease.token)")
            }
            first[id] = lease
        }
    }

    /// Never more holders than slots, never an exclusive one beside a shared one: when a lease was granted,
    /// enough of those before it may have ended.
    private mutating func judgeExclusion() {
        var byKey: [String: [Lease]] = [:]
        for lease in inOrder {
            for key in lease.keys { byKey[key, default: []].append(lease) }
        }
        for (key, leases) in byKey.sorted(by: { $0.key < $1.key }) {
            for (place, lease) in leases.enumerated() {
                let limit = history.limit(of: key, lease.grantedFrom, lease.grantedTo)
                let beside = leases[..<place].filter { freed($0, key, lease.grantedTo) > lease.grantedTo }
                let exclusive = beside.filter { !$0.isShared }
                let isCrowded =
                    lease.isShared
                    ? !exclusive.isEmpty : exclusive.count >= limit || exclusive.count < beside.count
                if isCrowded {
                    accuse(
                        "exclusion", "\(key) has \(limit) slots: token \(lease.token) was granted by "
                            + "\(lease.grantedTo) beside "
                            + beside.map { "\($0.token) (until \(freed($0, key, lease.grantedTo)))" }
                            .joined(separator: ", "))
                }
            }
        }
    }

    /// From when on its slot may have been somebody else's: after some ends it rests for a while.
    private func freed(_ lease: Lease, _ key: String, _ until: Int64) -> Int64 {
        guard history.cutsWithMovedClock.isEmpty else { return lease.mayEndFrom }
        // An end that was not on the disk when the power went is not the one that was told afterwards.
        let told = lease.ended.filter { !isCutBetween(until, $0.to) }
        let known = Set(told.map(\.why).filter { !$0.isEmpty && $0 != "unknown" })
        let likely = lease.causes.filter { known.isEmpty || known.contains($0.why) || $0.why == "lost" }
        let slack = slack(lease)
        return (likely.isEmpty ? lease.causes : likely).map { cause in
            guard !lease.isShared, !cause.isTakenBack, ["expired", "disconnected"].contains(cause.why)
            else { return cause.from }
            let delays = history.rules(of: key, cause.from, until).map { $0?.lockDelay ?? 0 }
            return cause.from + max(0, (delays.min() ?? 0) - slack)
        }.min() ?? .max
    }

    /// What one reply shows of a key obeys the same, and shows every lease that is known to be there.
    private mutating func judgeViews() {
        for ask in history.asks where ask.spoken.verb == "get" {
            guard let told = ask.answer, told.status == "OK", let answeredAt = ask.answeredAt,
                let key = ask.spoken.keys.first, told.fields["more"] == nil
            else { continue }
            let holders = ask.lines.filter { $0.status == "holder" }
            let shared = holders.count { $0.fields["shared"] != nil }
            let limit = history.limit(of: key, .min, .max)
            if holders.count - shared > limit || shared > 0 && shared < holders.count {
                accuse("exclusion", "`\(ask.line)` shows \(holders.count) holders, \(shared) of them shared")
            }
            if told.number("holders") != UInt64(holders.count) {
                accuse("views", "`\(ask.line)` counts wrong")
            }
            let shown = Set(holders.compactMap(\.token))
            for lease in inOrder
            where lease.keys.contains(key) && lease.grantedTo < ask.sentAt && lease.mayEndFrom > answeredAt
                && !shown.contains(lease.token)
            {
                accuse("kept", "`\(ask.line)` does not show token \(lease.token)")
            }
        }
    }
}

// What the policy allows: how many grants in a window, how long a lease lives, and who goes from a full line.

extension Leases {
    mutating func judgePolicy() {
        judgeRates()
        for lease in inOrder { judgeHold(lease) }
        judgeDropped()
        judgeDrained()
        judgeQueues()
        judgeKinds()
        judgeFree()
    }

    /// Who waits for a kind that is gone waits no more.
    private mutating func judgeKinds() {
        for ask in history.asks where ask.spoken.verb == "acquire" && ask.answeredAt != nil {
            guard let told = ask.answer, told.status != "ERR", told.status != "GONE",
                told.fields["again"] == nil
            else { continue }
            let from = ask.sentAt + ask.surelyWaited
            for key in ask.spoken.keys
            where history.rules(of: key, from, ask.answeredAt!).allSatisfy({ $0 == nil }) {
                accuse("kinds", "`\(ask.line)` got \(told.status), and there is no such kind")
            }
        }
    }

    /// Nobody waits for a slot that is free.
    private mutating func judgeFree() {
        guard history.troubles.isEmpty, !history.mayStarve, !history.letsInSlowly else { return }
        for ask in history.asks where ask.spoken.verb == "get" && ask.answer?.fields["more"] == nil {
            guard let told = ask.answer, told.status == "OK", told.fields["rate"] == nil,
                let first = ask.lines.first(where: { $0.status == "waiter" }), first.fields["key"] == nil,
                first.fields["join"] == nil, first.fields["shared"] == nil
            else { continue }
            let holders = ask.lines.filter { $0.status == "holder" }
            let taken = holders.count + Int(told.number("resting") ?? 0)
            if !holders.contains(where: { $0.fields["shared"] != nil }), taken < told.number("limit") ?? 0 {
                accuse("progress", "`\(ask.line)` shows \(taken) slots taken and \(first) who waits")
            }
        }
    }

    /// In no window are more grants than the rate says. They are counted anew after a restart.
    private mutating func judgeRates() {
        var byKey: [String: [Lease]] = [:]
        for lease in inOrder where lease.grant != nil {
            for key in lease.keys { byKey[key, default: []].append(lease) }
        }
        for (key, leases) in byKey.sorted(by: { $0.key < $1.key }) {
            let most = history.rules(of: key, .min, .max).compactMap { $0?.rate?.grants }
            for grants in Set(most) where leases.count > grants {
                for (first, last) in zip(leases, leases[grants...]) {
                    judgeWindow(key, grants, first, last)
                }
            }
        }
    }

    private mutating func judgeWindow(_ key: String, _ grants: Int, _ first: Lease, _ last: Lease) {
        let lives = [first, last].map { history.talks[history.asks[$0.grant!].connection]!.life }
        guard lives[0] == lives[1] else { return }
        let rates = history.rules(of: key, first.grantedFrom, last.grantedTo).map { $0?.rate }
        let windows = rates.compactMap { $0 }.filter { $0.grants <= grants }.map(\.window)
        guard windows.count == rates.count, let window = windows.min() else { return }
        if last.grantedTo - first.grantedFrom < window {
            accuse(
                "rate", "\(key) may have \(grants) grants in \(window), and from \(first.token) at "
                    + "\(first.grantedFrom) to \(last.token) at \(last.grantedTo) there were more")
        }
    }

    /// No renewal makes a lease longer than its `max-hold`, as it was when it was granted.
    private mutating func judgeHold(_ lease: Lease) {
        guard lease.grant != nil, history.cuts.allSatisfy({ $0 < lease.grantedFrom }),
            let longest = history.surely(lease.keys, lease.grantedFrom, lease.grantedTo, { $0.maxHold })
        else { return }
        let last = lease.grantedTo + longest + (isGraced(lease) ? history.grace : 0)
        for deadline in lease.deadlines where !deadline.isUncertain && deadline.low > last {
            accuse("length", "token \(lease.token) has a deadline at \(deadline.low), and ends by \(last)")
        }
        for alive in lease.alive where alive.from > last && !alive.isAside {
            accuse("length", "token \(lease.token) ends by \(last), and is alive at \(alive.from)")
        }
    }

    /// Who is pushed out of a line is the one that has stood there longest.
    private mutating func judgeDropped() {
        let dropped = history.asks.filter {
            $0.answer?.fields["why"] == "dropped" && $0.spoken.options["request"] == nil
        }
        for ask in dropped where ask.spoken.keys.count == 1 {
            for other in history.asks where other.spoken.verb == "acquire" && other.number != ask.number {
                guard other.mayWait, other.spoken.options["request"] == nil, !other.spoken.has("join"),
                    other.spoken.keys.contains(ask.spoken.keys[0]), let answer = other.answer,
                    let waited = answer.span("waited"), answer.status != "ERR"
                else { continue }
                let came = min(other.seenBy ?? .max, other.answeredAt! - waited)
                if came < ask.sentAt, other.sentAt + waited > ask.answeredAt! {
                    accuse("order", "`\(ask.line)` was dropped before `\(other.line)`, which came first")
                }
            }
        }
    }

    /// From when all are told that nothing is granted any more until the next start, nothing is.
    private mutating func judgeDrained() {
        for drain in history.asks where drain.spoken.verb == "drain" && drain.answer?.status == "OK" {
            let life = history.talks[drain.connection]!.life
            for ask in history.asks where ask.spoken.verb == "acquire" && ask.number > drain.number {
                guard history.talks[ask.connection]!.life == life, ask.sentAt > drain.answeredAt!,
                    let told = ask.answer
                else { continue }
                if told.status == "OK", told.fields["again"] == nil {
                    accuse("drain", "`\(ask.line)` got token \(told.token ?? 0) after `drain`")
                }
                if told.fields["waited"] != nil { accuse("drain", "`\(ask.line)` waited after `drain`") }
            }
        }
    }

    /// A line is never longer than the policy lets it be.
    private mutating func judgeQueues() {
        for ask in history.asks where ask.spoken.verb == "get" && ask.answer?.status == "OK" {
            guard let key = ask.spoken.keys.first, ask.answer?.fields["more"] == nil else { continue }
            let bounds = history.rules(of: key, .min, .max).map { $0?.queue }
            guard let most = bounds.contains(where: { $0 == nil }) ? nil : bounds.compactMap({ $0 }).max()
            else { continue }
            let count = ask.lines.count { $0.status == "waiter" && $0.fields["join"] == nil }
            if count > most { accuse("queue", "`\(ask.line)` shows \(count) who wait, of \(most)") }
        }
    }
}

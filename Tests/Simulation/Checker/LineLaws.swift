// The order in which those who wait are served, and that each is answered in time.

/// A request that stood in line, as far as that is sure.
private struct Waiter {
    let ask: Ask
    let keys: Set<String>
    let isShared: Bool
    /// When it came, less what its priority counts.
    let orderLow: Int64
    let orderHigh: Int64
    /// It was in line by then.
    let inLineBy: Int64
    /// And stood there at least until then.
    let until: Int64
    /// Where it was granted.
    let token: UInt64?

    init?(_ ask: Ask) {
        guard ask.spoken.verb == "acquire" else { return nil }
        // A retry takes over a place that another request came to first.
        guard ask.mayWait, ask.spoken.options["request"] == nil else { return nil }
        self.ask = ask
        keys = Set(ask.spoken.keys)
        isShared = ask.spoken.has("shared")
        let earlier = (Int64(ask.spoken.options["priority"] ?? "0") ?? 0) * 10_000_000_000
        let waited = ask.answer?.span("waited") ?? 0
        // What came of one whose answer is lost, nobody knows.
        guard let answeredAt = ask.answeredAt, let answer = ask.answer, answer.status != "ERR" else {
            return nil
        }
        let came = min(ask.seenBy ?? .max, answeredAt - waited)
        inLineBy = came
        orderLow = ask.sentAt - earlier
        orderHigh = came - earlier
        until = ask.sentAt + waited
        token = answer.status == "OK" ? answer.token : nil
    }

    /// Whether it stood in line when that request was decided. At one instant anything can have been first.
    func isSurelyInLine(for other: Ask, at time: Int64) -> Bool {
        inLineBy < time || ask.connection == other.connection && ask.number < other.number
    }

    func isSurelyBefore(_ other: Ask, low: Int64, priority: Int64) -> Bool {
        if orderHigh < low { return true }
        // On one connection requests are looked at in the order in which they were sent.
        let mine = Int64(ask.spoken.options["priority"] ?? "0") ?? 0
        return ask.connection == other.connection && ask.number < other.number && mine >= priority
    }
}

extension Leases {
    /// Nobody is granted a key past those who stand before him in its line.
    mutating func judgeLine() {
        let waiters = history.asks.compactMap { Waiter($0) }
        for lease in inOrder {
            guard let grant = lease.grant else { continue }
            let ask = history.asks[grant]
            // The place of a retry is that of the request before it.
            guard ask.spoken.options["request"] == nil else { continue }
            let priority = Int64(ask.spoken.options["priority"] ?? "0") ?? 0
            let low = ask.sentAt - priority * 10_000_000_000
            for key in lease.keys {
                let before = waiters.filter { waiter in
                    waiter.keys.contains(key) && waiter.ask.number != grant
                        // Who joins lets others pass where a reload has made more slots.
                        && (history.book.isOne || !waiter.ask.spoken.has("join"))
                        && waiter.isSurelyInLine(for: ask, at: lease.grantedFrom)
                        && (waiter.token.map { $0 > lease.token } ?? (waiter.until > lease.grantedTo))
                        && waiter.isSurelyBefore(ask, low: low, priority: priority)
                }
                judge(lease, key, before)
            }
        }
    }

    private mutating func judge(_ lease: Lease, _ key: String, _ before: [Waiter]) {
        let exclusive = before.count { !$0.isShared }
        let isPassed: Bool
        if lease.isShared {
            isPassed = exclusive > 0
        } else {
            let holders = inOrder.count {
                $0.token < lease.token && $0.keys.contains(key) && !$0.isShared
                    && $0.mayEndFrom > lease.grantedTo
            }
            let limit = history.limit(of: key, lease.grantedFrom, lease.grantedTo)
            isPassed = exclusive < before.count || exclusive + holders >= limit
        }
        if isPassed {
            accuse(
                "order", "\(key): `\(history.asks[lease.grant!].line)` got token \(lease.token) by "
                    + "\(lease.grantedTo) before "
                    + before.map { "`\($0.ask.line)` (sent at \($0.ask.sentAt))" }.joined(separator: ", "))
        }
    }

    /// A wait lasts as long as was asked, and what is told of it is true.
    mutating func judgeWaits() {
        for ask in history.asks {
            guard ask.spoken.verb == "acquire", let told = ask.answer, let answeredAt = ask.answeredAt,
                let waited = told.span("waited"), ask.spoken.options["request"] == nil
            else { continue }
            let wait = ask.spoken.span("wait") ?? 0
            if waited > answeredAt - ask.sentAt {
                accuse("waits", "`\(ask.line)`, sent at \(ask.sentAt), waited \(waited) by \(answeredAt)")
            }
            // What fell due while nobody looked, or is worked off in slices, is dealt with in its order, but
            // later.
            let isPrompt = history.absences.isEmpty && !history.isSliced
            if told.status == "OK", waited > wait + history.latenessMax, isPrompt {
                accuse("waits", "`\(ask.line)` was granted after \(waited)")
            }
            if told.fields["why"] == "timeout", answeredAt < ask.sentAt + wait {
                accuse("waits", "`\(ask.line)` was told at \(answeredAt) that its wait is over")
            }
        }
    }

    /// Who goes without a grant when its wait is over was told of something in its way.
    mutating func judgeTimeouts() {
        guard !history.mayStarve else { return }
        for ask in history.asks where ask.answer?.fields["why"] == "timeout" && history.troubles.isEmpty {
            let told = ask.answer!
            let isFree =
                told.token == nil || ask.spoken.has("shared") && told.fields["shared"] != nil
            let mayRest = told.keys.contains { key in
                history.rules(of: key, .min, .max).contains { $0?.lockDelay != nil || $0?.rate != nil }
            }
            if isFree, !mayRest, told.number("waiting") == 0 {
                accuse("progress", "`\(ask.line)` waited for nothing: \(told.fields)")
            }
        }
    }

    /// What a release says of the time is true.
    mutating func judgeTimes() {
        for ask in history.asks where ask.spoken.verb == "release" || ask.spoken.verb == "evict" {
            guard let told = ask.answer, let held = told.span("held"), let answeredAt = ask.answeredAt,
                let token = told.token, let lease = all[token]
            else { continue }
            // Over a reboot lease time goes by the wall clock.
            if history.cuts.contains(where: { $0 >= lease.grantedFrom }) { continue }
            let isTooLong = held > answeredAt - lease.grantedFrom
            let isTooShort = lease.grant != nil && held + 1_000_000 < ask.sentAt - lease.grantedTo
            if isTooLong || isTooShort { accuse("times", "`\(ask.line)` was held \(held)") }
        }
    }
}

// Which replies a request may get at all.

extension History {
    /// What is wrong with a reply by itself, which came at that time; nil: it may come.
    func wrongShape(of told: Told, for ask: Ask, by time: Int64) -> String? {
        if told.status == "ERR" { return wrongError(told, ask, time) }
        let isAcquire = ask.spoken.verb == "acquire"
        switch told.status {
        case "BUSY":
            return isAcquire ? wrongBusy(told, ask) : "only acquire is busy"
        case "DONE":
            guard isAcquire, ask.spoken.has("join"), told.token != nil, told.fields["result"] != nil
            else { return "it did not join" }
            let isOne = (told.fields["age"] == nil) != (told.fields["waited"] == nil)
            return isOne && (told.fields["age"] != nil || ask.mayWait) ? nil : "it can't have waited"
        case "GONE":
            let names = ["renew", "release", "check", "evict"]
            if isAcquire {
                if ask.spoken.options["request"] == nil { return "only a retry is gone" }
            } else if !names.contains(ask.spoken.verb) || told.token != ask.spoken.token {
                return "that is not the lease"
            }
            return told.fields["why"] == nil ? "no reason" : nil
        case "OK":
            return wrongOK(told, ask, time)
        default:
            return "no status that there is"
        }
    }

    private func wrongOK(_ told: Told, _ ask: Ask, _ time: Int64) -> String? {
        switch ask.spoken.verb {
        case "acquire":
            return wrongGrant(told, ask, time)
        case "renew":
            if told.token != ask.spoken.token || told.span("ttl") == nil { return "another lease" }
            let asked = ask.spoken.span("ttl") ?? told.span("ttl")
            // The policy that bounds it was that of its grant.
            let isFinal = told.fields["final"] != nil
            return asked == told.span("ttl") || isFinal ? nil : "another ttl"
        case "release", "evict":
            if told.token != ask.spoken.token || told.span("held") == nil { return "another lease" }
            let isKept = told.fields["kept"] != nil && ask.spoken.options["result"] == nil
            return isKept ? "there is nothing to keep" : nil
        case "check":
            return told.token != ask.spoken.token || told.keys.isEmpty ? "another lease" : nil
        case "get", "list", "policy", "help", "history", "stats":
            return told.number("lines") == nil ? "no count of lines" : nil
        case "watch":
            return told.number("seq") == nil ? "no number" : nil
        case "forget":
            return told.token == nil || told.span("age") == nil ? "no result" : nil
        case "ping", "cancel", "quit", "compact", "whoami", "clock", "unwatch", "reload", "drain":
            return nil
        default:
            return "such a request can't be right"
        }
    }

    private func wrongGrant(_ told: Told, _ ask: Ask, _ time: Int64) -> String? {
        let (spoken, from) = (ask.spoken, ask.sentAt)
        guard told.token != nil, let ttl = told.span("ttl") else { return "a grant without token or ttl" }
        if told.fields["again"] != nil { return spoken.options["request"] == nil ? "no retry" : nil }
        if let most = surely(spoken.keys, from, from, { $0.maxWait }), spoken.span("wait") ?? 0 > most,
            book.isOne
        {
            return "it may not wait so long"
        }
        if let most = surely(spoken.keys, from, from, { $0.maxPriority }), book.isOne,
            Int64(spoken.options["priority"] ?? "0") ?? 0 > most
        {
            return "its priority is too high"
        }
        if spoken.has("join"), spoken.keys.count > 1 || spoken.has("shared") { return "it can't join" }
        return ttls(spoken, from, time).contains(ttl) ? nil : "another ttl"
    }

    /// What a grant's ttl may be.
    private func ttls(_ spoken: Spoken, _ from: Int64, _ to: Int64) -> [Int64] {
        book.between(from, to).compactMap { rules in
            let found = spoken.keys.map { rules[String($0.prefix { $0 != "/" })] ?? .plain }
            let usual = min(found.map(\.ttl).min()!, found.compactMap(\.maxTTL).min() ?? .max)
            return min(spoken.span("ttl") ?? usual, found.compactMap(\.maxHold).min() ?? .max)
        }
    }

    private func wrongBusy(_ told: Told, _ ask: Ask) -> String? {
        guard let key = told.keys.first, ask.spoken.keys.contains(key) else { return "another key" }
        let waits = ask.mayWait
        // Rests and grants that are counted may be of a policy of before.
        let rules = rules(of: key, .min, .max)
        switch told.fields["why"] {
        case "timeout":
            guard waits, let waited = told.span("waited") else { return "it did not wait" }
            // A retry that took over a place has that one's end.
            if ask.spoken.options["request"] != nil { return nil }
            return waited < ask.spoken.span("wait") ?? 0 ? "too early" : nil
        case "cancelled":
            return waits ? nil : "it did not wait"
        case "superseded":
            return waits && ask.spoken.options["request"] != nil ? nil : "there is no retry"
        case "dropped":
            // Not the first key that is in its way: the line of any of its keys.
            let mayBeDropped = ask.spoken.keys.contains { key in
                self.rules(of: key, .min, .max).contains { $0?.dropsOldest == true }
            }
            let isRight = waits && !ask.spoken.has("join") && mayBeDropped
            return isRight ? nil : "nobody is dropped there"
        case "draining":
            let isAsked = asks.contains { $0.spoken.verb == "drain" }
            return isAsked || !drains.isEmpty ? nil : "nobody wants that"
        case "queue-full":
            let isRight = waits && !ask.spoken.has("join") && rules.contains { $0?.queue != nil }
            return isRight ? nil : "there is no bound"
        case "resting":
            let mayRest = !waits && rules.contains { $0?.lockDelay != nil }
            return mayRest ? wrongRetry(told) : "nothing rests there"
        case "rate":
            return waits || !rules.contains { $0?.rate != nil } ? "there is no rate" : wrongRetry(told)
        case "held", "limit", "queued":
            return waits ? "it was to wait" : nil
        default:
            return "no reason that there is"
        }
    }

    private func wrongRetry(_ told: Told) -> String? {
        told.span("retry") ?? -1 >= (isSliced ? 0 : 1) ? nil : "it does not say when"
    }

    private static let verbs = [
        "acquire", "renew", "release", "check", "evict", "get", "list", "policy", "help", "ping", "cancel",
        "quit", "compact", "whoami", "clock", "watch", "unwatch", "history", "forget", "reload", "drain",
        "stats",
    ]

    private func wrongError(_ told: Told, _ ask: Ask, _ time: Int64) -> String? {
        let (spoken, from) = (ask.spoken, ask.sentAt)
        switch told.code {
        case "storage", "no-space":
            return troubles.isEmpty ? "there is nothing wrong with the disk" : nil
        case "no-process":
            guard let pid = ask.spoken.options["while"].flatMap({ Int32($0) }) else { return "it named none" }
            return endedProcesses[pid] == nil ? "the process is alive" : nil
        case "forbidden":
            return nil
        case "tag-in-use":
            return ask.spoken.tag.isEmpty ? "it has no tag" : nil
        case "no-such-tag":
            return ask.spoken.verb == "cancel" ? nil : "it withdraws nothing"
        case "request-differs":
            return ask.spoken.options["request"] == nil ? "it has no ID" : nil
        case "compaction-stopped":
            return spoken.verb == "compact" ? nil : "it compacts nothing"
        case "withdrawn", "stopping":
            return ["compact", "clock"].contains(spoken.verb) ? nil : "it can't be withdrawn"
        case "too-old", "not-yet":
            return spoken.options["since"] == nil ? "it asked for no more than there is" : nil
        case "nothing-kept":
            return spoken.verb == "forget" ? nil : "it drops nothing"
        case "unknown-kind":
            return mayBeUnknown(spoken.keys, from, time) ? nil : "the kinds are known"
        case "cannot-join":
            let isOfMany = rules(of: spoken.keys.first ?? "", from, time).contains { ($0?.limit ?? 1) > 1 }
            let isRight = spoken.keys.count > 1 || spoken.has("shared") || isOfMany
            return spoken.has("join") && isRight ? nil : "it can join"
        case "wait-too-long":
            let asked = spoken.span("wait") ?? 0
            let isLong = maybe(spoken.keys, from, time) { $0.maxWait }.contains { $0 < asked }
            return isLong ? nil : "it is short enough"
        case "priority-too-high":
            let asked = Int64(spoken.options["priority"] ?? "0") ?? 0
            let isHigh = maybe(spoken.keys, from, time) { $0.maxPriority }.contains { $0 < asked }
            return isHigh ? nil : "it is low enough"
        case "ttl-too-long":
            if spoken.verb == "renew" { return nil }
            let asked = spoken.span("ttl") ?? 0
            let isLong = maybe(spoken.keys, from, time) { $0.maxTTL }.contains { $0 < asked }
            return isLong ? nil : "it is short enough"
        case "too-many-leases", "too-many-waiters", "too-many-connections":
            return nil
        default:
            let isWellFormed = History.verbs.contains(ask.spoken.verb) && !ask.line.contains("bad")
            return isWellFormed ? "nothing is wrong with the request" : nil
        }
    }
}

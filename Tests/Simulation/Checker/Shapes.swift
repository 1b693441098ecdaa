// Which replies a request may get at all.

extension History {
    /// What is wrong with a reply by itself; nil: it may come.
    func wrongShape(of told: Told, for ask: Ask) -> String? {
        if told.status == "ERR" { return wrongError(told, ask) }
        let isAcquire = ask.spoken.verb == "acquire"
        switch told.status {
        case "BUSY":
            return isAcquire ? wrongBusy(told, ask) : "only acquire is busy"
        case "GONE":
            let names = ["renew", "release", "check", "evict"]
            if isAcquire {
                if ask.spoken.options["request"] == nil { return "only a retry is gone" }
            } else if !names.contains(ask.spoken.verb) || told.token != ask.spoken.token {
                return "that is not the lease"
            }
            return told.fields["why"] == nil ? "no reason" : nil
        case "OK":
            return wrongOK(told, ask)
        default:
            return "no status that there is"
        }
    }

    private func wrongOK(_ told: Told, _ ask: Ask) -> String? {
        switch ask.spoken.verb {
        case "acquire":
            if told.token == nil || told.span("ttl") == nil { return "a grant without token or ttl" }
            return wrongTTL(told, ask)
        case "renew":
            if told.token != ask.spoken.token || told.span("ttl") == nil { return "another lease" }
            let asked = ask.spoken.span("ttl")
            return asked == nil || asked == told.span("ttl") ? nil : "another ttl"
        case "release", "evict":
            return told.token != ask.spoken.token || told.span("held") == nil ? "another lease" : nil
        case "check":
            return told.token != ask.spoken.token || told.keys.isEmpty ? "another lease" : nil
        case "get", "list", "policy", "help":
            return told.number("lines") == nil ? "no count of lines" : nil
        case "ping", "cancel", "quit", "compact", "whoami", "clock":
            return nil
        default:
            return "such a request can't be right"
        }
    }

    private func wrongTTL(_ told: Told, _ ask: Ask) -> String? {
        guard told.fields["again"] == nil, let ttl = told.span("ttl") else { return nil }
        if let asked = ask.spoken.span("ttl") { return ttl == asked ? nil : "another ttl" }
        let usual = ask.spoken.keys.map { rules(of: $0).ttl }.min() ?? 0
        let most = ask.spoken.keys.compactMap { rules(of: $0).maxTTL }.min() ?? .max
        return ttl == min(usual, most) ? nil : "not the usual ttl"
    }

    private func wrongBusy(_ told: Told, _ ask: Ask) -> String? {
        guard let key = told.keys.first, ask.spoken.keys.contains(key) else { return "another key" }
        let waits = ask.mayWait
        switch told.fields["why"] {
        case "timeout":
            guard waits, let waited = told.span("waited") else { return "it did not wait" }
            // A retry that took over a place has that one's end.
            if ask.spoken.options["request"] != nil { return nil }
            return waited < ask.spoken.span("wait") ?? 0 ? "too early" : nil
        case "cancelled", "superseded":
            return waits ? nil : "it did not wait"
        case "draining":
            return nil
        case "queue-full":
            return !waits || rules(of: key).queue == nil ? "there is no bound" : nil
        case "held", "limit", "queued":
            return waits ? "it was to wait" : nil
        default:
            return "no reason that there is"
        }
    }

    private func wrongError(_ told: Told, _ ask: Ask) -> String? {
        let known = [
            "acquire", "renew", "release", "check", "evict", "get", "list", "policy", "help", "ping",
            "cancel", "quit", "compact", "whoami", "clock",
        ]
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
        case "compaction-stopped", "stopping":
            return ask.spoken.verb == "compact" ? nil : "it compacts nothing"
        case "withdrawn":
            return ask.spoken.verb == "compact" ? nil : "it can't be withdrawn"
        case "ttl-too-long":
            let most = ask.spoken.keys.compactMap { rules(of: $0).maxTTL }.min()
            if ask.spoken.verb == "renew" { return nil }
            guard let most, let asked = ask.spoken.span("ttl") else { return "there is no bound" }
            return asked > most ? nil : "it is short enough"
        case "too-many-leases", "too-many-waiters", "too-many-connections":
            return nil
        default:
            let isWellFormed = known.contains(ask.spoken.verb) && !ask.line.contains("bad")
            return isWellFormed ? "nothing is wrong with the request" : nil
        }
    }
}

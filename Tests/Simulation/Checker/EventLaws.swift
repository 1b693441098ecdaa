// Events are complete, in order, and tell of one life of each lease.

extension Changes {
    private var isWhole: Bool { history.isSyncedFirst || history.cuts.isEmpty }

    mutating func judge(_ leases: Leases) {
        judgeLives()
        for watch in history.watches where watch.isComplete { judgeCompleteness(watch) }
        judgeRefusals()
        for stretch in stretches {
            judgeLengths(stretch.from, stretch.to)
        }
        // What a power cut took away before it was on the disk, no event tells of.
        guard isWhole else { return }
        for stretch in stretches {
            judgeGrants(stretch.from, stretch.to, leases)
            var replay = Replay(self, stretch.from, stretch.to)
            replay.judge(leases)
            violations += replay.violations
        }
    }

    /// A lease is granted once, ends once, and is renewed in between.
    private mutating func judgeLives() {
        var granted: Set<UInt64> = []
        var ended: Set<UInt64> = []
        var newest: UInt64 = 0
        for change in all {
            let token = change.token
            if change.kind == "granted" {
                if token <= newest { accuse("token \(token) is granted after \(newest), by events") }
                newest = max(newest, token)
                granted.insert(token)
            } else if change.kind == "renewed" || change.isEnd {
                // An end that was not on the disk when the power went may have to come again.
                if ended.contains(token), isWhole {
                    accuse("token \(token) has ended, and is \(change.kind) then")
                }
                if change.isEnd { ended.insert(token) }
            }
        }
        for change in all where change.kind == "granted" && ended.contains(change.token) {
            let end = all.first { $0.isEnd && $0.token == change.token }!
            if end.sequence < change.sequence { accuse("token \(change.token) ends before it is granted") }
        }
    }

    /// Whoever watches is told everything between the first number and the last.
    private mutating func judgeCompleteness(_ watch: Watched) {
        let told = Set(watch.changes.map(\.sequence))
        let isOpen = isOpenWhenQuiet(watch)
        for change in all where change.sequence > watch.from && !told.contains(change.sequence) {
            let isDue = change.sequence <= watch.to || isOpen && change.by < history.quietAt
            // What was not on the disk when the power went is known to nobody who comes later.
            let isLost = !history.isSyncedFirst
                && history.cuts.contains { $0 >= change.by && $0 <= history.asks[watch.ask].sentAt }
            let isShown = history.shows(change.told.number("uid").map { UInt32($0) }, on: watch.connection)
            if isDue, !isLost, isShown, watch.concerns(change.told.keys) {
                accuse(
                    "change \(change.sequence), \(change.told), was not told to `\(line(watch))`, which was "
                        + "told of \(watch.from) to \(watch.to)")
            }
        }
        for (sequence, told, _) in watch.changes where !watch.concerns(told.keys) {
            accuse("`\(line(watch))` was told of \(sequence), \(told)")
        }
    }

    private func line(_ watch: Watched) -> String { history.asks[watch.ask].line }

    /// Where everything is remembered, nobody comes back too late.
    private mutating func judgeRefusals() {
        for ask in history.asks where ask.spoken.verb == "watch" {
            guard let told = ask.answer, let since = ask.spoken.options["since"].flatMap({ UInt64($0) })
            else { continue }
            let oldest = told.number("oldest") ?? 0
            if told.code == "too-old", since >= oldest || history.remembersAll {
                accuse("`\(ask.line)` is too old for \(oldest)")
            }
            if told.code == "not-yet", since <= told.number("newest") ?? 0 {
                accuse("`\(ask.line)` is refused by \(told)")
            }
        }
    }

    /// A lease that was never renewed ends by itself after the whole of its ttl, and soon after.
    private mutating func judgeLengths(_ from: UInt64, _ to: UInt64) {
        guard history.cuts.isEmpty else { return }
        var granted: [UInt64: Int64] = [:]
        for change in all where change.sequence > from && change.sequence <= to {
            switch change.kind {
            case "granted": granted[change.token] = change.told.span("ttl")
            case "renewed": granted[change.token] = nil
            case "expired":
                guard let ttl = granted[change.token], let held = change.told.span("held") else { continue }
                if held < ttl { accuse("length", "token \(change.token) expired after \(held) of \(ttl)") }
                let isLate = held > ttl + history.latenessMax + 1_000_000
                if isLate, history.absences.isEmpty, !history.isSliced, history.lives.count == 1 {
                    accuse("length", "token \(change.token) expired after \(held), and had \(ttl)")
                }
            default: break
            }
        }
    }

    /// No grant that somebody read of is missing where everything was told.
    private mutating func judgeGrants(_ from: UInt64, _ to: UInt64, _ leases: Leases) {
        let granted = all.filter { $0.kind == "granted" && $0.sequence > from && $0.sequence <= to }
        guard let first = granted.first?.token, let last = granted.last?.token else { return }
        let told = Set(granted.map(\.token))
        for lease in leases.inOrder where lease.token > first && lease.token < last {
            if lease.grant != nil, !told.contains(lease.token) {
                accuse("the grant of token \(lease.token) was not told")
            }
        }
    }
}

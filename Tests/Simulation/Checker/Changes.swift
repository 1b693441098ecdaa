// All changes that anybody was told of, by their numbers, and the stretches that somebody was told whole.

/// A change, as whoever heard of it was told.
struct Change {
    let sequence: UInt64
    let told: Told
    /// It had happened by then.
    var by: Int64

    var kind: String { told.status }
    var token: UInt64 { told.token ?? 0 }
    var isEnd: Bool { Change.ends.contains(kind) }

    static let ends = ["released", "expired", "evicted", "process-ended", "disconnected"]
}

struct Changes {
    let history: History
    /// By number.
    private(set) var all: [Change] = []
    /// From behind the one number to the other, without a gap, of all keys.
    private(set) var stretches: [(from: UInt64, to: UInt64)] = []
    var violations: [Violation] = []

    init(_ history: History) {
        self.history = history
        collect()
        findStretches()
    }

    private mutating func collect() {
        var known: [UInt64: Change] = [:]
        for watch in history.watches {
            for (sequence, told, at) in watch.changes {
                add(Change(sequence: sequence, told: told, by: at), to: &known)
            }
        }
        for ask in history.asks where ask.spoken.verb == "history" && ask.answeredAt != nil {
            judgeSpans(ask)
            var last: UInt64 = 0
            for line in ask.lines {
                guard let sequence = line.number("seq"), sequence > last else {
                    accuse("`\(ask.line)` got its lines out of order: \(line)")
                    continue
                }
                last = sequence
                add(Change(sequence: sequence, told: line.ofHistory, by: ask.answeredAt!), to: &known)
            }
        }
        all = known.values.sorted { $0.sequence < $1.sequence }
    }

    /// What one answer says of two changes tells how long it was between them: a result is kept for as long
    /// as was said, and not longer.
    private mutating func judgeSpans(_ ask: Ask) {
        guard history.cuts.isEmpty else { return }
        var kept: [UInt64: (ago: Int64, span: Int64)] = [:]
        for line in ask.lines {
            guard let token = line.token, let ago = line.span("ago") else { continue }
            if line.what == "kept", let span = line.span("for") { kept[token] = (ago, span) }
            guard line.what == "forgotten", line.fields["why"] == "expired", let before = kept[token]
            else { continue }
            let (was, said) = (before.ago - ago, before.span)
            let isPrompt = history.absences.isEmpty && !history.isSliced && history.lives.count == 1
            if was < said - 1_000_000 || isPrompt && was > said + history.latenessMax + 1_000_000 {
                accuse("sharing", "the result of \(token) was kept for \(was), and was to be for \(said)")
            }
        }
    }

    private mutating func add(_ change: Change, to known: inout [UInt64: Change]) {
        guard let before = known[change.sequence] else {
            known[change.sequence] = change
            return
        }
        if before.told.status != change.told.status || before.told.essence != change.told.essence {
            accuse("change \(change.sequence) is told as \(before.told) and as \(change.told)")
        }
        known[change.sequence]!.by = min(before.by, change.by)
    }

    private mutating func findStretches() {
        let whole = history.watches.filter { history.isOfAll($0) && $0.isComplete }
        for watch in whole.sorted(by: { $0.from < $1.from }) {
            let to = max(watch.to, reach(watch))
            if let last = stretches.last, watch.from <= last.to {
                stretches[stretches.count - 1].to = max(last.to, to)
            } else {
                stretches.append((watch.from, to))
            }
        }
    }

    /// Who still watches when all is quiet has been told everything that had been told to anybody.
    func reach(_ watch: Watched) -> UInt64 {
        guard isOpenWhenQuiet(watch) else { return watch.to }
        return max(watch.to, all.last { $0.by < history.quietAt }?.sequence ?? 0)
    }

    func isOpenWhenQuiet(_ watch: Watched) -> Bool {
        guard history.quietAt < .max, watch.endedAt ?? .max > history.quietAt else { return false }
        return history.talks[watch.connection]?.goneAt ?? .max > history.quietAt
    }

    mutating func accuse(_ what: String) { violations.append(Violation("events", what)) }
    mutating func accuse(_ law: String, _ what: String) { violations.append(Violation(law, what)) }
}

extension Told {
    /// What an event says of the change, whenever it is told.
    var essence: [String: String] {
        fields.filter { $0.key != "seq" && $0.key != "ago" }
    }

    /// A line of `history`, as the event of the same change would be told.
    var ofHistory: Told { Told(words: [what] + fields.map { "\($0.key)=\($0.value)" }) }
}

// What there was at each moment, by the events alone: from the picture of a watch on, change by change.

struct Replay {
    private struct Holding {
        let keys: [String]
        let isShared: Bool
    }

    let history: History
    private let changes: [Change]
    private let pictures: [Watched]
    private let to: UInt64
    private var holdings: [UInt64: Holding] = [:]
    /// Whose result is kept for each key, where that is known.
    private var kept: [String: UInt64] = [:]
    /// Of whom each kept result is, and the number of the change by which it came.
    private var keepers: [UInt64: (uid: UInt64?, since: UInt64)] = [:]
    var violations: [Violation] = []

    init(_ changes: Changes, _ from: UInt64, _ to: UInt64) {
        history = changes.history
        self.to = to
        pictures = changes.history.watches.filter {
            changes.history.isOfAll($0) && $0.isComplete && $0.leases != nil
                && $0.from >= from && $0.from <= to
        }.sorted { $0.from < $1.from }
        self.changes = changes.all.filter { $0.sequence > from && $0.sequence <= to }
    }

    mutating func judge(_ leases: Leases) {
        guard let first = pictures.first else { return }
        for (told, _) in first.held { begin(told) }
        var rest = pictures.dropFirst()
        for change in changes where change.sequence > first.from {
            while let picture = rest.first, picture.from < change.sequence {
                compare(picture)
                rest = rest.dropFirst()
            }
            apply(change)
        }
        rest.forEach { compare($0) }
        compareWithAnswers(leases)
    }

    private mutating func begin(_ told: Told) {
        guard let token = told.token else { return }
        holdings[token] = Holding(keys: told.keys, isShared: told.fields["shared"] != nil)
    }

    private mutating func apply(_ change: Change) {
        switch change.kind {
        case "granted":
            for key in change.told.keys { judgeRoom(key, change) }
            begin(change.told)
        case "kept":
            judgeBounds()
            for key in change.told.keys { kept[key] = change.token }
            keepers[change.token] = (change.told.number("uid"), change.sequence)
        case "forgotten":
            for key in change.told.keys {
                if let token = kept[key], token != change.token {
                    accuse("kept", "\(key) keeps the result of \(token), and \(change.told) tells otherwise")
                }
                kept[key] = nil
            }
            if change.told.fields["why"] == "dropped" { judgeDropped(change) }
            if !kept.values.contains(change.token) { keepers[change.token] = nil }
        default:
            if holdings[change.token] == nil {
                accuse("events", "token \(change.token) is not there, and is \(change.kind)")
            }
            if change.isEnd { holdings[change.token] = nil }
        }
    }

    /// Before the next one comes there are never more than there may be, of all and of one user.
    private mutating func judgeBounds() {
        keepers = keepers.filter { kept.values.contains($0.key) }
        let users = Set(keepers.values.map(\.uid))
        let ofUser = users.map { uid in keepers.values.count { $0.uid == uid } }.max() ?? 0
        if keepers.count > history.keptMax || ofUser > history.keptPerUserMax {
            accuse("kept", "\(keepers.count) results are kept, \(ofUser) of them of one user")
        }
    }

    /// Who makes room is the oldest, of all or of its user: so none of the same user is older.
    private mutating func judgeDropped(_ change: Change) {
        guard let dropped = keepers[change.token] else { return }
        // Those that came at one instant go by their tokens: of a greater one nobody can tell from outside.
        let older = keepers.filter {
            $0.value.uid == dropped.uid && $0.value.since < dropped.since && $0.key < change.token
        }
        if !older.isEmpty { accuse("kept", "\(change.told) was dropped before \(older.keys.sorted())") }
    }

    /// As it was granted: a slot for it, and nobody of the other kind.
    private mutating func judgeRoom(_ key: String, _ change: Change) {
        let beside = holdings.values.filter { $0.keys.contains(key) }
        let exclusive = beside.count { !$0.isShared }
        let limit = history.limit(of: key, .min, .max)
        let isShared = change.told.fields["shared"] != nil
        if isShared ? exclusive > 0 : exclusive >= limit || exclusive < beside.count {
            accuse("exclusion", "\(change.told) beside \(beside.count) others, with \(limit) slots")
        }
    }

    /// What another watch was shown of the same moment.
    private mutating func compare(_ picture: Watched) {
        let shown = Set(picture.held.compactMap(\.told.token))
        if shown != Set(holdings.keys) {
            accuse(
                "events", "at \(picture.from) there is \(holdings.keys.sorted()), and a watch is shown "
                    + "\(shown.sorted())")
        }
    }

    /// At last: what ended is told, and what is told is there.
    private mutating func compareWithAnswers(_ leases: Leases) {
        guard let last = changes.last?.by, history.quietAt < .max else { return }
        guard history.watches.contains(where: { isOpenWhenQuiet($0) }) else { return }
        for (token, _) in holdings.sorted(by: { $0.key < $1.key }) {
            let end = leases.all[token]?.ended.first { $0.to < min(last, history.quietAt) }
            if let end { accuse("events", "the end of token \(token) by \(end.to) was not told") }
        }
    }

    private func isOpenWhenQuiet(_ watch: Watched) -> Bool {
        history.isOfAll(watch) && watch.isComplete && watch.endedAt ?? .max > history.quietAt
            && history.talks[watch.connection]?.goneAt ?? .max > history.quietAt && watch.from <= to
    }

    private mutating func accuse(_ law: String, _ what: String) {
        violations.append(Violation(law, what))
    }
}

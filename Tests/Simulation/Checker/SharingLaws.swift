// Single flight: who joins gets the holder's result, and a result that is kept is kept as long as was said.

/// A release with a result.
struct Work {
    let ask: Int
    let token: UInt64
    let keys: [String]
    /// Of the lease; nil: nobody knows.
    let uid: UInt32?
    let result: String
    let from: Int64
    /// Nobody knows whether it was carried out at all: then it ends with the time.
    let by: Int64
    /// Where its answer was read and says so.
    let kept: Int64?
    /// How long it may be kept at most.
    let keptMax: Int64
    /// It said itself how long; else only those keys keep it of which the policy says so.
    let isSaid: Bool
}

struct Sharing {
    let history: History
    private var works: [String: [Work]] = [:]
    /// When somebody asked for a result to be dropped.
    private var forgets: [String: [Ask]] = [:]
    private var tokens: [String: [UInt64]] = [:]
    var violations: [Violation] = []

    init(_ leases: Leases) {
        history = leases.history
        for lease in leases.inOrder {
            for key in lease.keys { tokens[key, default: []].append(lease.token) }
        }
        for ask in history.asks {
            if ask.spoken.verb == "forget", let key = ask.spoken.keys.first {
                forgets[key, default: []].append(ask)
            }
            guard let work = Sharing.work(ask, leases) else { continue }
            for key in work.keys { works[key, default: []].append(work) }
        }
    }

    private static func work(_ ask: Ask, _ leases: Leases) -> Work? {
        guard ask.spoken.verb == "release", let result = ask.spoken.options["result"],
            let token = ask.spoken.token, let lease = leases.all[token],
            !ask.isHeard || ask.answer?.status == "OK"
        else { return nil }
        let by = ask.isHeard ? ask.answeredAt! : .max
        let usual = leases.history.maybe(lease.keys, ask.sentAt, by) { $0.keep }
        return Work(
            ask: ask.number, token: token, keys: lease.keys, uid: lease.uid,
            result: decoded(result[...]), from: ask.sentAt, by: by, kept: ask.answer?.span("kept"),
            keptMax: ask.answer?.span("kept") ?? ask.spoken.span("keep") ?? usual.max() ?? 0,
            isSaid: ask.spoken.options["keep"] != nil)
    }

    mutating func judge() {
        for ask in history.asks where ask.spoken.has("join") {
            guard let told = ask.answer, let answeredAt = ask.answeredAt, let key = ask.spoken.keys.first
            else { continue }
            if told.status == "DONE" {
                judgeDone(ask, told, key, answeredAt)
            } else {
                judgeMissed(ask, told, key, answeredAt)
            }
        }
        for ask in history.asks where ask.spoken.verb == "forget" { judgeForgotten(ask) }
    }

    private var slack: Int64 { Int64(history.cuts.count) * 3_000_000 + 1_000_000 }

    /// The answer is the result of that lease's work, and of a time at which it could be had.
    private mutating func judgeDone(_ ask: Ask, _ told: Told, _ key: String, _ answeredAt: Int64) {
        let result = told.text("result")
        let works = works[key, default: []].filter { $0.token == told.token && $0.from <= answeredAt }
        guard works.contains(where: { $0.result == result }) else {
            return accuse("`\(ask.line)` got the result of \(told), which nobody gave for \(key)")
        }
        if let uid = works[0].uid, !history.shows(uid, on: ask.connection) {
            accuse("`\(ask.line)` got the result of user \(uid): \(told)")
        }
        let by = works.map(\.by).max()!
        if told.fields["waited"] != nil {
            if by < ask.sentAt { accuse("`\(ask.line)` got \(told), which was there before it came") }
            return
        }
        guard let age = told.span("age"), history.cutsWithMovedClock.isEmpty else { return }
        let from = works.map(\.from).min()!
        if age > answeredAt - from + slack || by < .max && age + slack < ask.sentAt - by {
            accuse("`\(ask.line)` got a result of the age \(age), which was made in \(from)...\(by)")
        }
        if by < .max, ask.sentAt > by + works.map(\.keptMax).max()! + slack {
            accuse("`\(ask.line)`, sent at \(ask.sentAt), got a result that was no longer kept: \(told)")
        }
        // One that took its place before the request came; and one that was dropped by then.
        for other in self.works[key, default: []] where other.token != told.token && other.from > by {
            if other.by < ask.sentAt { accuse("`\(ask.line)` got \(told), and \(other.token) had another") }
        }
        for forget in forgets[key, default: []] where forget.answer?.token == told.token {
            if let at = forget.answeredAt, at < ask.sentAt {
                accuse("`\(ask.line)` got \(told), which had been forgotten")
            }
        }
    }

    /// Whoever joined gets the result that came while it stood there, and the one that is kept.
    private mutating func judgeMissed(_ ask: Ask, _ told: Told, _ key: String, _ answeredAt: Int64) {
        guard told.status != "ERR", told.status != "GONE", told.fields["again"] == nil else { return }
        // A retry may have waited before it came, and may have a lease that it had before.
        guard ask.spoken.options["request"] == nil else { return }
        let waited = told.span("waited") ?? 0
        let came = min(ask.seenBy ?? .max, answeredAt - waited)
        let shown = works[key, default: []].filter { history.shows($0.uid, on: ask.connection) }
        for work in shown where work.by < .max {
            if work.from > came, work.by < ask.sentAt + waited {
                accuse("`\(ask.line)` stood there when \(work.token) was done, and got \(told)")
            }
            if told.status == "OK", told.token ?? 0 > work.token, work.from > came,
                ask.sentAt + waited >= work.from, history.book.isOne, isLast(work, told.token ?? 0, key)
            {
                accuse("`\(ask.line)` stood there when \(work.token) was done, and got the key")
            }
            if isSurelyKept(work, key, ask.sentAt, answeredAt - waited) {
                accuse("`\(ask.line)` got \(told), though the result of \(work.token) was kept")
            }
        }
    }

    /// Whether nobody had the key between the two.
    private func isLast(_ work: Work, _ token: UInt64, _ key: String) -> Bool {
        !tokens[key, default: []].contains { $0 > work.token && $0 < token }
    }

    /// Whether it was there all that time, whatever else may have happened.
    private func isSurelyKept(_ work: Work, _ key: String, _ from: Int64, _ to: Int64) -> Bool {
        guard let kept = work.kept, work.by < from, to < work.from + kept - slack else { return false }
        guard work.isSaid || history.surely([key], work.from, work.by, { $0.keep }) != nil else {
            return false
        }
        if !history.cuts.isEmpty, !history.isSyncedFirst || !history.cutsWithMovedClock.isEmpty {
            return false
        }
        // The oldest goes where there is no room, and here nobody looks which that is.
        let before = works.values.joined().filter { $0.keptMax > 0 && $0.from <= to }
        let all = before.count
        let ofUser = before.count { $0.uid == nil || $0.uid == work.uid }
        if all > history.keptMax || ofUser > history.keptPerUserMax { return false }
        let others = works[key, default: []].contains {
            $0.ask != work.ask && $0.from <= to && $0.by >= work.from
        }
        return !others && !forgets[key, default: []].contains {
            $0.sentAt <= to && $0.decidedBy >= work.from && $0.answer?.status != "ERR"
        }
    }

    private mutating func judgeForgotten(_ ask: Ask) {
        guard let told = ask.answer, told.status == "OK", let key = ask.spoken.keys.first else { return }
        // Somebody may guess the token of a lease of which nobody was told, and give a result under it.
        guard tokens[key, default: []].contains(told.token ?? 0) else { return }
        if !works[key, default: []].contains(where: { $0.token == told.token && $0.keptMax > 0 }) {
            accuse("`\(ask.line)` dropped the result of \(told), which nobody gave")
        }
    }

    private mutating func accuse(_ what: String) { violations.append(Violation("sharing", what)) }
}

// Who asked to be told of its request and its lease is: of its way up the line, of the end that comes nearer,
// and of the end.

extension Leases {
    mutating func judgeNotices() {
        var byAsk: [String: [Notice]] = [:]
        for notice in history.notices {
            byAsk[name(notice.connection, notice.tag), default: []].append(notice)
        }
        var asked: [String: [Ask]] = [:]
        for ask in history.asks where ask.spoken.verb == "acquire" && ask.spoken.has("notify") {
            asked[name(ask.connection, ask.spoken.tag), default: []].append(ask)
        }
        for (name, asks) in asked.sorted(by: { $0.value[0].number < $1.value[0].number }) {
            // Of two with one tag nobody could say which is meant.
            guard asks.count == 1 else { continue }
            let notices = byAsk[name, default: []]
            judgePlaces(asks[0], notices)
            judgeLease(asks[0], notices)
        }
    }

    private func name(_ connection: Int, _ tag: String) -> String { "\(connection) \(tag)" }

    /// Its place when it comes, and then when it has come to be the first.
    private mutating func judgePlaces(_ ask: Ask, _ notices: [Notice]) {
        let places = notices.filter { $0.told.status == "queued" }
        if places.contains(where: { !$0.isBeforeAnswer }) {
            accuse("notices", "`\(ask.line)` is told of its place when it has left the line")
        }
        for place in places.dropFirst() where place.told.number("position") != 1 {
            accuse("notices", "`\(ask.line)` is told of \(place.told) on its way")
        }
        for place in places where Set(place.told.keys) != Set(ask.spoken.keys) {
            accuse("notices", "`\(ask.line)` is told of \(place.told)")
        }
        if let waited = ask.answer?.span("waited"), waited > 0, places.isEmpty {
            accuse("notices", "`\(ask.line)` waited \(waited), and was not told of its place")
        }
    }

    private mutating func judgeLease(_ ask: Ask, _ notices: [Notice]) {
        let later = notices.filter { $0.told.status != "queued" }
        guard let told = ask.answer, told.status == "OK", let token = told.token, let lease = all[token]
        else {
            if let first = later.first, ask.answer != nil {
                accuse("notices", "`\(ask.line)` has no lease, and is told of \(first.told)")
            }
            return
        }
        for notice in later where notice.told.token != token || notice.isBeforeAnswer {
            accuse("notices", "`\(ask.line)` has token \(token), and is told of \(notice.told)")
        }
        let ends = later.filter { $0.told.status == "lost" }
        if ends.count > 1 || ends.count == 1 && later.last?.told.status != "lost" {
            accuse("notices", "`\(ask.line)` is told of more behind the end of its lease")
        }
        judgeWarnings(ask, later.filter { $0.told.status == "expiring" }, ends.first, lease)
        judgeLost(ask, ends.first, lease)
    }

    /// A fifth of the ttl before the end, and never without it.
    private mutating func judgeWarnings(_ ask: Ask, _ warnings: [Notice], _ end: Notice?, _ lease: Lease) {
        let ttls = ttls(lease)
        for warning in warnings {
            guard let longest = ttls.max(), let left = warning.told.span("left") else { continue }
            if left > longest / 5 {
                accuse("notices", "token \(lease.token) is said to end in \(left), of \(longest)")
            }
        }
        guard let end, end.told.fields["why"] == "expired", warnings.isEmpty, let shortest = ttls.min()
        else { return }
        // A daemon that was not there, or is behind, has nothing to warn of any more.
        if history.absences.isEmpty, !history.isSliced, !lease.isEphemeral,
            shortest / 5 > 2 * history.latenessMax + 1_000_000
        {
            accuse("notices", "`\(ask.line)` lost its lease without a warning")
        }
    }

    /// What was said of how long it lasts.
    private func ttls(_ lease: Lease) -> [Int64] {
        var ttls: [Int64] = []
        for ask in history.asks {
            let isGrant = ask.spoken.verb == "acquire" && ask.spoken.options["request"] == lease.request
                && lease.request != nil
            guard ask.number == lease.grant || isGrant || ask.spoken.token == lease.token else { continue }
            // Of one that `max-hold` has cut short, the whole of it counts.
            if let ttl = ask.spoken.span("ttl") { ttls.append(ttl) }
            if let ttl = ask.answer?.span("ttl") { ttls.append(ttl) }
            if ask.spoken.verb == "acquire", ask.spoken.options["ttl"] == nil {
                ttls += history.maybe(lease.keys, ask.sentAt, ask.answeredAt ?? .max) { $0.ttl }
            }
        }
        return ttls
    }

    /// Who still listens when all is quiet has been told of every end but those that it asked for itself.
    private mutating func judgeLost(_ ask: Ask, _ end: Notice?, _ lease: Lease) {
        if let end {
            let why = end.told.fields["why"] ?? ""
            if !lease.mayHaveEnded(by: end.at, why: why) {
                accuse("notices", "token \(lease.token) is said to be \(why) at \(end.at)")
            }
            return
        }
        guard history.quietAt < .max, history.talks[ask.connection]!.goneAt ?? .max > history.quietAt,
            !history.talks[ask.connection]!.hasQuit, lease.ended.contains(where: { $0.to < history.quietAt })
        else { return }
        let isOwn = history.asks.contains { other in
            other.spoken.token == lease.token && ["release", "evict"].contains(other.spoken.verb)
                && other.connection == ask.connection
        }
        let isMoved = history.asks.contains { other in
            other.number != ask.number && lease.request != nil && other.spoken.has("notify")
                && other.spoken.options["request"] == lease.request
        }
        if !isOwn, !isMoved { accuse("notices", "`\(ask.line)` was not told of the end of its lease") }
    }
}

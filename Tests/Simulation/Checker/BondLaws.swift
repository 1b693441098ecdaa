// What a lease is bound to, and whose it is.

extension Leases {
    /// With its connection or its process a lease ends before the next request is read, and with the grace
    /// where the daemon has ended.
    mutating func judgeBonds(_ lease: Lease) {
        // What a request asked for that nobody answered, it may be bound to or not.
        guard let ask = lease.grant.map({ history.asks[$0] }), let talk = history.talks[ask.connection]
        else { return }
        if let pid = ask.spoken.options["while"].flatMap({ Int32($0) }), lease.processes == [pid] {
            demandEnd(lease, by: history.endedProcesses[pid] ?? .max, "its process")
        }
        guard ask.spoken.has("ephemeral"), lease.connections == [ask.connection] else { return }
        // Whether a daemon that has ended had seen that the connection was gone, nobody knows.
        let life = history.lives[talk.life - 1]
        demandEnd(lease, by: talk.goneBy ?? .max, before: life.endedAt ?? .max, "its connection")
        guard talk.life < history.lives.count, !history.isSliced else { return }
        let next = history.lives[talk.life]
        demandEnd(lease, by: next.startedBy + history.grace + history.latenessMax, "the grace")
    }

    private mutating func demandEnd(
        _ lease: Lease, by time: Int64, before last: Int64 = .max, _ bond: String
    ) {
        for alive in lease.alive
        where alive.from > time && alive.to < last && !(alive.isAside && history.isSliced) {
            accuse("bonds", "token \(lease.token) is alive at \(alive.from), and \(bond) ended by \(time)")
        }
    }

    /// Nobody but its own user and administrators moves a lease or ends it.
    mutating func judgeRights() {
        for ask in history.asks where ["renew", "release"].contains(ask.spoken.verb) {
            guard ask.answer?.status == "OK", let uid = ask.spoken.token.flatMap({ all[$0]?.uid }) else {
                continue
            }
            let peer = history.talks[ask.connection]!.uid
            if peer != 0, peer != uid { accuse("rights", "user \(peer) may `\(ask.line)`, of user \(uid)") }
        }
    }

    /// From when on a lease may have ended by itself, where restarts have given it a grace: each that found
    /// it alive.
    func graced(_ lease: Lease) -> Int64 {
        // What is seen of a deadline has the grace in it.
        var asSet = lease
        asSet.deadlines.removeAll { $0.isSeen }
        let own = asSet.expiresFrom
        var first = lease.expiresFrom
        // What `max-hold` has cut short is told with the grace that goes beyond it.
        let isBounded = !history.maybe(lease.keys, .min, .max) { $0.maxHold }.isEmpty
        guard history.cuts.isEmpty, lease.grant != nil, !isBounded else { return first }
        for (before, next) in zip(history.lives, history.lives.dropFirst()) {
            guard let ended = before.endedAt, ended > lease.grantedTo, before.endedBy < own,
                lease.deadlines.allSatisfy({ $0.isSeen || $0.to < ended })
            else { continue }
            first = max(first, min(next.startedAt, own) + history.grace)
        }
        return first
    }
}

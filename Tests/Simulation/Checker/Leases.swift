// The leases that clients know of, put together from what they were told.

/// That a lease was alive, or had ended, at some moment between two instants.
struct Sight {
    let from: Int64
    let to: Int64
    /// nil: an event told of it.
    let ask: Int?
    /// Of an end: the word; empty where none was said.
    var why = ""
    /// Seen from aside, in another's answer. Where very much is due, that may lag behind.
    var isAside = false
}

/// A deadline that was set, or seen: the lease ends by itself no earlier than `low` and no later than `high`.
struct Deadline {
    /// When it was set, or seen.
    let from: Int64
    let to: Int64
    let low: Int64
    let high: Int64
    /// Nobody heard whether it was set at all.
    var isUncertain = false
    /// It was only seen.
    var isSeen = false
}

/// Something that may have ended a lease, from that instant on.
struct Cause {
    let from: Int64
    let why: String
    /// The grant was taken back, and leaves no trace.
    var isTakenBack = false
}

struct Lease {
    let token: UInt64
    var keys: [String]
    var isShared: Bool
    var uid: UInt32?
    var owner: String?
    var request: String?
    var isEphemeral = false
    /// The request that it was granted to, where its answer was read.
    var grant: Int?
    /// It was granted between these.
    var grantedFrom: Int64
    var grantedTo: Int64
    var deadlines: [Deadline] = []
    var causes: [Cause] = []
    var alive: [Sight] = []
    var ended: [Sight] = []
    /// Its processes, and the connections that it may be bound to.
    var processes: Set<Int32> = []
    var connections: Set<Int> = []
    /// When a retry was told that it has it.
    var toldAgain: Int64?
}

/// All leases, as far as they are known.
struct Leases {
    let history: History
    private(set) var all: [UInt64: Lease] = [:]
    var violations: [Violation] = []

    init(_ history: History, _ changes: Changes) {
        self.history = history
        for ask in history.asks where ask.answeredAt != nil { collectGrant(ask) }
        for ask in history.asks { collectViews(ask) }
        collectEvents(changes)
        for ask in history.asks { collectChanges(ask) }
        for token in all.keys.sorted() { collectCauses(token) }
    }

    var inOrder: [Lease] { all.keys.sorted().map { all[$0]! } }

    private func talk(_ ask: Ask) -> Talk { history.talks[ask.connection]! }

    private mutating func collectGrant(_ ask: Ask) {
        guard ask.spoken.verb == "acquire", let told = ask.answer, told.status == "OK",
            let token = told.token, let ttl = told.span("ttl"), let answeredAt = ask.answeredAt
        else { return }
        let isAgain = told.fields["again"] != nil
        let from = ask.sentAt + ask.surelyWaited
        if let known = all[token] {
            if !isAgain { accuse("tokens", "token \(token) was given twice") }
            if known.request != ask.spoken.options["request"] || Set(known.keys) != Set(ask.spoken.keys) {
                accuse("retries", "`\(ask.line)` got token \(token), which is another request's")
            }
        } else {
            all[token] = Lease(
                token: token, keys: ask.spoken.keys, isShared: ask.spoken.has("shared"), uid: talk(ask).uid,
                owner: isAgain ? nil : ask.spoken.options["owner"], request: ask.spoken.options["request"],
                grant: isAgain ? nil : ask.number, grantedFrom: isAgain ? 0 : from, grantedTo: answeredAt)
        }
        var lease = all[token]!
        if isAgain {
            lease.alive.append(Sight(from: ask.sentAt, to: answeredAt, ask: ask.number))
            lease.toldAgain = min(answeredAt, lease.toldAgain ?? .max)
        }
        // Of a retry's own options none counts, but those of the first request, which are unknown here.
        if ask.spoken.has("ephemeral") {
            lease.isEphemeral = true
            lease.connections.insert(ask.connection)
        }
        if isAgain { lease.connections.insert(ask.connection) }
        if let pid = ask.spoken.options["while"].flatMap({ Int32($0) }) { lease.processes.insert(pid) }
        lease.deadlines.append(
            Deadline(
                from: from, to: answeredAt, low: from + ttl,
                high: answeredAt + ttl + (isAgain ? 1_000_000 : 0), isSeen: isAgain))
        all[token] = lease
    }

    /// Everything in a reply that speaks of a lease.
    private mutating func collectViews(_ ask: Ask) {
        guard let told = ask.answer, let answeredAt = ask.answeredAt else { return }
        let sight = Sight(from: ask.sentAt, to: answeredAt, ask: ask.number)
        switch (ask.spoken.verb, told.status) {
        case ("get", "OK"):
            for line in told.status == "OK" ? ask.lines : [] where line.status == "holder" {
                see(line, sight, keys: line.keys.isEmpty ? ask.spoken.keys : line.keys)
            }
        case ("list", "OK"):
            if !ask.spoken.has("waiting") { ask.lines.forEach { see($0, sight, keys: $0.keys) } }
        case ("check", "OK"):
            see(told, sight, keys: told.keys, leftIn: "ttl")
        case ("acquire", "BUSY"):
            // What a wait that ends is told of belongs to the instant at which it ended, or was to end.
            let waited = min(ask.surelyWaited, ask.spoken.span("wait") ?? 0)
            let later = Sight(from: sight.from + waited, to: sight.to, ask: ask.number)
            if told.token != nil { see(told, later, keys: told.keys, isPartial: true) }
        case ("release", "OK"), ("evict", "OK"):
            guard let token = told.token, all[token] != nil else { return }
            all[token]!.alive.append(sight)
            all[token]!.ended.append(
                Sight(
                    from: ask.sentAt, to: answeredAt, ask: ask.number,
                    why: ask.spoken.verb == "release" ? "released" : "evicted"))
        case (_, "GONE"):
            guard let token = told.token, all[token] != nil else { return }
            // One that was not granted yet is unknown, too.
            if told.fields["why"] == "unknown", all[token]!.grantedTo >= ask.sentAt { return }
            // Where the wall clock was moved over a reboot, nothing is known of when.
            let isMoved = history.cutsWithMovedClock.contains { $0 <= answeredAt }
            let ago = isMoved ? 0 : told.span("ago") ?? 0
            all[token]!.ended.append(
                Sight(
                    from: ask.sentAt - ago - 1_000_000, to: answeredAt - ago, ask: ask.number,
                    why: told.fields["why"] ?? ""))
        default:
            if told.code == "forbidden", let token = told.token { all[token]?.alive.append(sight) }
        }
    }

    /// What events told.
    private mutating func collectEvents(_ changes: Changes) {
        for watch in history.watches {
            for (told, at) in watch.held {
                let from = history.asks[watch.ask].sentAt
                see(told, Sight(from: from, to: at, ask: watch.ask), keys: told.keys)
            }
        }
        for change in changes.all {
            if change.kind == "granted" {
                see(change.told, Sight(from: 0, to: change.by, ask: nil), keys: change.told.keys)
            } else if change.isEnd {
                all[change.token]?.ended.append(Sight(from: 0, to: change.by, ask: nil, why: change.kind))
            }
        }
    }

    private mutating func see(
        _ line: Told, _ sight: Sight, keys: [String], leftIn field: String = "left", isPartial: Bool = false
    ) {
        guard let token = line.token else { return }
        let uid = line.number("uid").map { UInt32($0) }
        if all[token] == nil {
            // Its grant's answer was read by nobody.
            all[token] = Lease(
                token: token, keys: keys, isShared: line.fields["shared"] != nil, uid: uid,
                owner: line.text("owner"), grantedFrom: 0, grantedTo: sight.to)
        }
        var lease = all[token]!
        if lease.uid == nil { lease.uid = uid }
        if lease.owner == nil { lease.owner = line.text("owner") }
        let areRight = isPartial ? Set(keys).isSubset(of: lease.keys) : Set(keys) == Set(lease.keys)
        if lease.grant != nil, !areRight {
            accuse("identity", "token \(token) has \(keys), and was granted \(lease.keys)")
        }
        if !isPartial || lease.grant == nil { lease.keys = Array(Set(lease.keys).union(keys)).sorted() }
        // To others it is shown without its owner.
        let isHidden = history.isPrivate && line.fields["owner"] == nil
        if lease.isShared != (line.fields["shared"] != nil) || lease.uid != uid
            || lease.owner != line.text("owner") && !isHidden
        {
            accuse("identity", "token \(token) is shown as \(line.fields)")
        }
        lease.grantedTo = min(lease.grantedTo, sight.to)
        var aside = sight
        aside.isAside = field == "left"
        lease.alive.append(aside)
        // One that is shown with no time left may be past its deadline, and have its turn yet to come.
        if let left = line.span(field), left > 0 {
            lease.deadlines.append(
                Deadline(
                    from: sight.from, to: sight.to, low: sight.from + left, high: sight.to + left + 1_000_000,
                    isSeen: true))
        }
        if line.fields["ephemeral"] != nil { lease.isEphemeral = true }
        if let pid = line.fields["while"].flatMap({ Int32($0) }) { lease.processes.insert(pid) }
        all[token] = lease
    }

    mutating func accuse(_ law: String, _ what: String) { violations.append(Violation(law, what)) }
}

// What may have moved deadlines, and what may have ended leases.
extension Leases {
    private mutating func collectChanges(_ ask: Ask) {
        guard let token = ask.spoken.token, let lease = all[token] else { return }
        let isAllowed = talk(ask).uid == 0 || lease.uid == nil || talk(ask).uid == lease.uid
        switch ask.spoken.verb {
        case "renew" where isAllowed: renewal(ask, token)
        case "release" where isAllowed:
            all[token]!.causes.append(Cause(from: ask.sentAt, why: "released"))
        case "evict" where talk(ask).uid == 0:
            all[token]!.causes.append(Cause(from: ask.sentAt, why: "evicted"))
        default: break
        }
    }

    private mutating func renewal(_ ask: Ask, _ token: UInt64) {
        let isHeard = ask.isHeard
        if isHeard, ask.answer?.status != "OK" { return }
        var lease = all[token]!
        // One that nobody heard of: with the ttl that it asked for, or with whichever the lease may have, and
        // with none where its whole life has a bound.
        let isBounded = !history.maybe(lease.keys, .min, .max) { $0.maxHold }.isEmpty
        let ttl = ask.answer?.span("ttl") ?? (isBounded ? nil : ask.spoken.span("ttl")) ?? 0
        lease.deadlines.append(
            Deadline(
                from: ask.sentAt, to: isHeard ? ask.answeredAt! : .max, low: ask.sentAt + ttl,
                high: isHeard ? ask.answeredAt! + ttl : .max, isUncertain: !isHeard))
        if isHeard {
            lease.alive.append(Sight(from: ask.sentAt, to: ask.answeredAt!, ask: ask.number))
        }
        if ask.spoken.has("ephemeral") {
            lease.isEphemeral = true
            lease.connections.insert(ask.connection)
        }
        if let pid = ask.spoken.options["while"].flatMap({ Int32($0) }) { lease.processes.insert(pid) }
        all[token] = lease
    }

    private mutating func collectCauses(_ token: UInt64) {
        var lease = all[token]!
        lease.causes.append(Cause(from: graced(lease), why: "expired"))
        // A retry whose answer was lost may have moved it, and nobody knows what else it is bound to.
        for ask in history.asks
        where lease.request != nil && ask.spoken.options["request"] == lease.request
            && talk(ask).uid == lease.uid
        {
            lease.connections.insert(ask.connection)
            if ask.spoken.has("ephemeral") { lease.isEphemeral = true }
            if let pid = ask.spoken.options["while"].flatMap({ Int32($0) }) { lease.processes.insert(pid) }
        }
        if lease.grant == nil { collectTakenBack(&lease) }
        for pid in lease.processes {
            if let ended = history.endedProcesses[pid] {
                lease.causes.append(Cause(from: ended, why: "process-ended"))
            }
        }
        if lease.isEphemeral {
            for connection in lease.connections {
                if let gone = history.talks[connection]?.goneAt {
                    lease.causes.append(Cause(from: gone, why: "disconnected"))
                }
                for ask in history.asks where ask.connection == connection && ask.spoken.verb == "quit" {
                    lease.causes.append(Cause(from: ask.sentAt, why: "disconnected"))
                }
            }
            for life in history.lives where life.startedAt >= lease.grantedFrom {
                lease.causes.append(Cause(from: life.startedAt + history.grace, why: "disconnected"))
            }
        }
        collectCuts(&lease)
        let slack = slack(lease)
        if slack > 0 {
            lease.causes = lease.causes.map { cause in
                Cause(from: cause.from - slack, why: cause.why, isTakenBack: cause.isTakenBack)
            }
        }
        all[token] = lease
    }

    /// A grant that its connection did not live to be told of is taken back, unless a retry was; and what a
    /// lease is bound to that nobody was told of, one of the requests that were not answered says.
    private func collectTakenBack(_ lease: inout Lease) {
        for ask in history.asks
        where !ask.isHeard && ask.spoken.verb == "acquire" && talk(ask).uid == lease.uid
            && Set(lease.keys).isSubset(of: ask.spoken.keys)
        {
            if let lostAt = ask.lostAt, lease.toldAgain ?? .max > lostAt {
                lease.causes.append(Cause(from: lostAt, why: "disconnected", isTakenBack: true))
            }
            if ask.spoken.has("ephemeral") { lease.isEphemeral = true }
            if let pid = ask.spoken.options["while"].flatMap({ Int32($0) }) { lease.processes.insert(pid) }
        }
    }

    /// A reboot ends what was bound to the boot before; and where answers go out before the disk has what
    /// they speak of, a power cut may take anything away.
    private func collectCuts(_ lease: inout Lease) {
        for cut in history.cuts where cut >= lease.grantedFrom {
            if lease.isEphemeral { lease.causes.append(Cause(from: cut, why: "disconnected")) }
            if !lease.processes.isEmpty { lease.causes.append(Cause(from: cut, why: "process-ended")) }
            guard !history.isSyncedFirst else { continue }
            lease.causes.append(Cause(from: cut, why: "lost"))
            // Its end may have been taken away, and what was set or seen since says nothing of before.
            var before = lease
            before.deadlines.removeAll { $0.from >= cut }
            if !before.deadlines.isEmpty {
                lease.causes.append(Cause(from: before.expiresFrom, why: "expired"))
            }
        }
        for cut in history.cutsWithMovedClock where cut >= lease.grantedFrom {
            lease.causes.append(Cause(from: cut, why: "expired"))
        }
    }

    /// Over a reboot the wall clock counts, in whole milliseconds.
    func slack(_ lease: Lease) -> Int64 {
        Int64(history.cuts.count { $0 >= lease.grantedFrom }) * 3_000_000
    }
}

extension Lease {
    /// It may have ended by itself from here on: the least of the deadlines of which none is known to have
    /// been replaced by a later one.
    var expiresFrom: Int64 {
        // Of one whose grant nobody was answered, a renewal that nobody was answered says nothing.
        let isUnknown = grant == nil && deadlines.allSatisfy { $0.isUncertain }
        var first: Int64 = deadlines.isEmpty || isUnknown ? 0 : .max
        for deadline in deadlines where !isReplaced(deadline) { first = min(first, deadline.low) }
        return first
    }

    private func isReplaced(_ deadline: Deadline) -> Bool {
        guard deadline.to != .max else { return false }
        return deadlines.contains { !$0.isUncertain && $0.from > deadline.to }
    }

    /// The latest instant at which it can have ended by itself, without any grace.
    var expiresBy: Int64 { deadlines.map(\.high).max() ?? .max }

    /// From here on something may have ended it.
    var mayEndFrom: Int64 { causes.map(\.from).min() ?? .max }

    func mayHaveEnded(by time: Int64, why: String) -> Bool {
        causes.contains { $0.from <= time && (why.isEmpty || $0.why == why) }
    }
}

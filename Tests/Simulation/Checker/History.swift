// What went over the wire and when, and what everybody could see of the world meanwhile.

/// A promise that was not kept.
package struct Violation: CustomStringConvertible {
    package let law: String
    package let what: String

    package init(_ law: String, _ what: String) {
        self.law = law
        self.what = what
    }

    package var description: String { "\(law): \(what)" }
}

/// A request and what came of it. Times are nanoseconds of a clock that never stands still.
struct Ask {
    let number: Int
    let connection: Int
    let spoken: Spoken
    let line: String
    let sentAt: Int64
    var answer: Told?
    var lines: [Told] = []
    var answeredAt: Int64?
    /// Nobody answers it any more: its connection or the daemon has gone.
    var lostAt: Int64?
    /// When it had been looked at at the latest: a request behind it on its connection was answered then.
    var seenBy: Int64?

    /// Whether requests behind it may be answered first, if it has a tag.
    var mayWait: Bool {
        spoken.verb == "compact" || spoken.options["advance"] != nil
            || spoken.verb == "acquire" && spoken.options["wait"] ?? "0s" != "0s"
    }
    /// How long it stood in line at least. (A retry is told how long the place that it took over was taken.)
    var surelyWaited: Int64 { spoken.options["request"] == nil ? answer?.span("waited") ?? 0 : 0 }
    /// Whether its answer says what came of it.
    var isHeard: Bool { answeredAt != nil && answer?.code != "storage" }
    var decidedBy: Int64 { answeredAt ?? .max }
}

/// A client's end of a connection.
struct Talk {
    let uid: UInt32
    let pid: Int32
    let life: Int
    let openedAt: Int64
    var sent: [UInt8] = []
    var received: [UInt8] = []
    /// Numbers of the requests that are not answered, in their order.
    var open: [Int] = []
    /// The reply whose lines are coming, and how many are missing.
    var filling: (ask: Int, missing: Int)?
    /// The client has closed it, or has seen that the daemon has.
    var goneAt: Int64?
    /// The same, where the clock may have been further: on the manual clock nobody knows it exactly.
    var goneBy: Int64?
    /// The client sends no more.
    var inputEndedAt: Int64?
    var hasQuit = false
    /// Its place among the watches, while it watches.
    var watch: Int?
}

/// One life of the daemon.
struct Life {
    let startedAt: Int64
    /// On a manual clock that nobody knows exactly: at the latest then.
    let startedBy: Int64
    var endedAt: Int64?
    var endedBy: Int64 = .max
}

/// Everything that the laws are held against.
package struct History {
    var book: RuleBook
    let grace: Int64
    /// Whether an answer means that what it speaks of is on the disk.
    let isSyncedFirst: Bool
    /// By how much the daemon may be late because it was not scheduled.
    let latenessMax: Int64
    /// What is due is dealt with in small slices, and requests are answered in between.
    let isSliced: Bool
    /// So are those who may be granted together: one may still stand in line where its turn has come.
    let letsInSlowly: Bool
    /// Every change is remembered for ever: the log is never compacted, and the memory of events is large.
    let remembersAll: Bool
    /// So few numbers, or so little space, are set aside at a time that a grant may have to wait for more of
    /// it: meanwhile a wait may end, though the key is free.
    let mayStarve: Bool
    /// Users see nothing of what others say of themselves.
    let isPrivate: Bool
    /// How many results are kept at most, of all and of one user.
    let keptMax: Int
    let keptPerUserMax: Int

    var asks: [Ask] = []
    var talks: [Int: Talk] = [:]
    var lives: [Life] = []
    /// Process IDs and when they ended.
    var endedProcesses: [Int32: Int64] = [:]
    /// The machine lost its power.
    var cuts: [Int64] = []
    /// Cuts over which the wall clock was moved: what lease time went by is unknown.
    var cutsWithMovedClock: [Int64] = []
    /// The daemon or the machine stood still: holders may have got a grace from here on.
    var absences: [Int64] = []
    /// Since when the disk was full or failing at times.
    var troubles: [Int64] = []
    /// From here on nobody disturbs: what is free must be had.
    var auditFrom: Int64 = .max
    /// By then everybody had read everything.
    var quietAt: Int64 = .max
    /// When it was asked that nothing be granted any more, and the stops of the daemon in order.
    var drains: [Int64] = []
    var watches: [Watched] = []
    var notices: [Notice] = []
    package var violations: [Violation] = []

    package init(
        rules: KindTable, grace: Int64, isSyncedFirst: Bool, latenessMax: Int64, isSliced: Bool,
        letsInSlowly: Bool, remembersAll: Bool, mayStarve: Bool, isPrivate: Bool, keptMax: Int,
        keptPerUserMax: Int
    ) {
        self.letsInSlowly = letsInSlowly
        self.isPrivate = isPrivate
        self.keptMax = keptMax
        self.keptPerUserMax = keptPerUserMax
        self.mayStarve = mayStarve
        self.isSliced = isSliced
        self.remembersAll = remembersAll
        self.latenessMax = latenessMax
        book = RuleBook(rules)
        self.grace = grace
        self.isSyncedFirst = isSyncedFirst
    }

    /// Whether somebody waits for an answer on a connection.
    package func isOwed(_ connection: Int) -> Bool { talks[connection]?.open.isEmpty == false }

    package var answeredCount: Int { asks.count { $0.answer != nil } }
    package var grantCount: Int { asks.count { $0.answer?.status == "OK" && $0.spoken.verb == "acquire" } }
    package var askCount: Int { asks.count }
}

// What everybody could see.
extension History {
    package mutating func daemonStarted(at time: Int64, by last: Int64) {
        lives.append(Life(startedAt: time, startedBy: last))
        book.adopt(book.newest, by: time)
    }
    package mutating func daemonEnded(at time: Int64, by last: Int64) {
        guard !lives.isEmpty, lives[lives.count - 1].endedAt == nil else { return }
        lives[lives.count - 1].endedAt = time
        lives[lives.count - 1].endedBy = last
    }
    package mutating func powerFailed(at time: Int64, clockMoved: Bool) {
        cuts.append(time)
        if clockMoved { cutsWithMovedClock.append(time) }
    }
    /// The wall clock was moved while the daemon was down.
    package mutating func wallMoved() { if let last = cuts.last { cutsWithMovedClock.append(last) } }
    package mutating func processEnded(_ pid: Int32, at time: Int64) {
        endedProcesses[pid] = min(time, endedProcesses[pid] ?? .max)
    }
    package mutating func stoodStill(at time: Int64) { absences.append(time) }
    package mutating func diskTroubled(at time: Int64) { troubles.append(time) }
    package var hasDiskTrouble: Bool { !troubles.isEmpty }
    package mutating func stops(at time: Int64) { drains.append(time) }
    package mutating func isQuiet(at time: Int64) { quietAt = time }
    package mutating func auditBegins(at time: Int64) { auditFrom = time }

    package mutating func opened(_ connection: Int, uid: UInt32, pid: Int32, at time: Int64) {
        talks[connection] = Talk(uid: uid, pid: pid, life: lives.count, openedAt: time)
    }

    /// The client has closed its end.
    package mutating func closed(_ connection: Int, at time: Int64, by last: Int64) {
        lose(connection, at: time, by: last)
    }

    package mutating func endedInput(_ connection: Int, at time: Int64) {
        talks[connection]?.inputEndedAt = time
        talks[connection]?.sent = []
    }

    /// The client has read that the daemon has closed its end. In order that is only once all is answered, or
    /// when the daemon itself has ended.
    package mutating func sawEnd(
        _ connection: Int, at time: Int64, by last: Int64, daemonIsGone: Bool
    ) {
        guard let talk = talks[connection], talk.goneAt == nil else { return }
        if !daemonIsGone {
            if !talk.received.isEmpty || talk.filling != nil { accuse("lines", "a line without its end") }
            if let first = talk.open.first, !talk.hasQuit {
                accuse("answers", "connection \(connection) was closed on `\(asks[first].line)`")
            }
        }
        lose(connection, at: time, by: last)
    }

    private mutating func lose(_ connection: Int, at time: Int64, by last: Int64) {
        guard let talk = talks[connection], talk.goneAt == nil else { return }
        for number in talk.open { asks[number].lostAt = time }
        talks[connection]?.goneAt = time
        talks[connection]?.goneBy = last
        talks[connection]?.open = []
    }

    mutating func accuse(_ law: String, _ what: String) { violations.append(Violation(law, what)) }
}

// What a command line asks for, as values.

import LeaseModel

struct Invocation: Equatable, Sendable {
    enum OnLost: String, CaseIterable, Sendable {
        case term
        case ignore
    }

    var verb = VerbName.help
    /// Behind the verb, up to `--`.
    var words: [String] = []
    /// Behind `--`; nil: there is none.
    var command: [String]?

    var socket: String?
    var isJSON = false
    var wantsHelp = false
    var wantsVersion = false

    var isWithoutWait = false
    /// nil: not said. `.forever` without end.
    var wait: Duration?
    var ttl: Duration?
    var max: Duration?
    var isShared = false
    var priority = 0
    var note: String?
    var owner: String?
    var whilePID: Int32?
    /// Instead of 75.
    var conflictCode: Int32?
    var killAfter = Duration.seconds(5)
    var onLost = OnLost.term
    /// How long a result answers later ones; nil: as long as the policy says.
    var keep: Duration?

    var isWaiting = false
    var limit: Int?
    var since: Sequence64?
    var last: Int?
    var logPath: String?
    var isPrometheus = false
    var hasManualClock = false
    var policyPath: String?
    var bench = BenchPlan()

    /// How long to stand in line. Where nobody says: for ever, but for somebody else's work a minute.
    var timeInLine: Duration { isWithoutWait ? .zero : wait ?? (verb == .once ? .seconds(60) : .forever) }
}

enum VerbName: String, CaseIterable, Sendable {
    case run, once, acquire, renew, release
    case get, why, list, watch, history, stats, policy, status, ping
    case evict, sandbox, bench, log
    case help
}

// The one table of the options: reading, `--help` and "did you mean" all come from it.

import LeaseModel

/// An option as it is written, explained and set.
struct OptionEntry: Sendable {
    /// Gets "" where the option takes no value.
    typealias Setter = @Sendable (inout Invocation, String) throws(WrongValue) -> Void

    /// Without its dash; nil: there is only the long form.
    let letter: Character?
    /// Without its dashes.
    let name: String
    /// How the value is shown, as in `PATH`; nil: it takes none.
    let form: String?
    /// One line, without a full stop.
    let help: String
    private let setter: Setter

    init(
        _ letter: Character?, _ name: String, _ form: String?, _ help: String, set setter: @escaping Setter
    ) {
        self.letter = letter
        self.name = name
        self.form = form
        self.help = help
        self.setter = setter
    }

    var flag: String { "--\(name)" }

    /// As `--help` shows it.
    var usage: String {
        (letter.map { "-\($0), " } ?? "    ") + flag + (form.map { "=\($0)" } ?? "")
    }

    /// `written` is the option as it stands in the command line.
    func set(_ invocation: inout Invocation, to value: String, written: String) throws(Complaint) {
        do throws(WrongValue) {
            try setter(&invocation, value)
        } catch {
            let meant = error.meant.map { "; did you mean \($0)?" } ?? ""
            throw Complaint(.usage, "\(written) wants \(error.wanted), not \(quoted(value))\(meant)")
        }
    }
}

enum OptionTable {
    static let socket = OptionEntry("S", "socket", "PATH", "the daemon's socket") {
        call, value throws(WrongValue) in
        call.socket = value
    }

    /// Stand before the verb or behind it.
    static let general: [OptionEntry] = [
        socket,
        OptionEntry(nil, "json", nil, "answer with JSON, for programs") { call, _ throws(WrongValue) in
            call.isJSON = true
        },
        OptionEntry("h", "help", nil, "explain it, and end") { call, _ throws(WrongValue) in
            call.wantsHelp = true
        },
        OptionEntry(nil, "version", nil, "print the version, and end") { call, _ throws(WrongValue) in
            call.wantsVersion = true
        },
    ]

    static let nonblock = OptionEntry("n", "nonblock", nil, "do not wait in line") {
        call, _ throws(WrongValue) in
        call.isWithoutWait = true
    }
    static let wait = OptionEntry(
        "w", "wait", "DURATION", "wait in line so long, or forever (default: as long as the policy lets)"
    ) { call, value throws(WrongValue) in
        call.wait = try OptionValue.durationOrForever(value)
    }
    static let waitForWork = OptionEntry(
        "w", "wait", "DURATION", "wait so long for who does it, or forever (default 1m)"
    ) { call, value throws(WrongValue) in
        call.wait = try OptionValue.durationOrForever(value)
    }
    static let keep = OptionEntry(
        nil, "keep", "DURATION", "the output answers later ones so long (default: the policy's)"
    ) { call, value throws(WrongValue) in
        call.keep = try OptionValue.duration(value)
    }
    static let ttl = OptionEntry("t", "ttl", "DURATION", "the lease's time to live (default: the policy's)") {
        call, value throws(WrongValue) in
        call.ttl = try OptionValue.duration(value)
    }
    static let newTTL = OptionEntry("t", "ttl", "DURATION", "the lease's time to live (default: as before)") {
        call, value throws(WrongValue) in
        call.ttl = try OptionValue.duration(value)
    }
    static let shared = OptionEntry(nil, "shared", nil, "stand beside other shared leases, not beside others")
    {
        call, _ throws(WrongValue) in
        call.isShared = true
    }
    static let priority = OptionEntry(nil, "priority", "N", "0 to 9: each counts as 10 s earlier in line") {
        call, value throws(WrongValue) in
        call.priority = Int(try OptionValue.number(value, 0...Int64(Limits.priorityMax), "a whole number"))
    }
    static let note = OptionEntry(nil, "note", "TEXT", "a note for others to read") {
        call, value throws(WrongValue) in
        call.note = value
    }
    static let owner = OptionEntry(nil, "owner", "TEXT", "who holds it, for others to read") {
        call, value throws(WrongValue) in
        call.owner = value
    }
    static let conflictCode = OptionEntry(
        "E", "conflict-exit-code", "CODE", "exit with it where the key is not granted (default 75)"
    ) { call, value throws(WrongValue) in
        call.conflictCode = Int32(try OptionValue.number(value, 0...255, "an exit code"))
    }
    static let max = OptionEntry(nil, "max", "DURATION", "end the command when it has run so long") {
        call, value throws(WrongValue) in
        call.max = try OptionValue.duration(value)
    }
    static let killAfter = OptionEntry(
        "k", "kill-after", "DURATION", "where SIGTERM does not end it, SIGKILL so much later (default 5s)"
    ) { call, value throws(WrongValue) in
        call.killAfter = try OptionValue.durationOrZero(value)
    }
    static let onLost = OptionEntry(
        nil, "on-lost", "term|ignore", "what to do when the lease is lost (default term)"
    ) { call, value throws(WrongValue) in
        let words = Invocation.OnLost.allCases.map(\.rawValue)
        call.onLost = .init(rawValue: try OptionValue.choice(value, of: words)) ?? .term
    }
    static let whilePID = OptionEntry(nil, "while", "PID", "the lease ends with this process, too") {
        call, value throws(WrongValue) in
        call.whilePID = Int32(try OptionValue.number(value, 1...Int64(Int32.max), "the pid of a process"))
    }
    static let waiting = OptionEntry(nil, "waiting", nil, "those who wait in line instead") {
        call, _ throws(WrongValue) in
        call.isWaiting = true
    }
    static let limit = OptionEntry("l", "limit", "N", "at most so many lines") {
        call, value throws(WrongValue) in
        call.limit = Int(try OptionValue.number(value, 1...Int64(Limits.listLimitMax), "a whole number"))
    }
    static let since = OptionEntry(nil, "since", "SEQ", "begin with what came after this number") {
        call, value throws(WrongValue) in
        call.since = Sequence64(try OptionValue.number(value, 0...Int64.max, "the number of a change"))
    }
    static let last = OptionEntry(nil, "last", "N", "at most so many (default 20)") {
        call, value throws(WrongValue) in
        call.last = Int(try OptionValue.number(value, 1...Int64(Limits.listLimitMax), "a whole number"))
    }
    static let log = OptionEntry(nil, "log", "FILE", "read it from a log, without a daemon") {
        call, value throws(WrongValue) in
        call.logPath = value
    }
    static let prometheus = OptionEntry(nil, "prometheus", nil, "in the text format of Prometheus") {
        call, _ throws(WrongValue) in
        call.isPrometheus = true
    }
    static let clock = OptionEntry(nil, "clock", "system|manual", "a manual clock moves only when told to") {
        call, value throws(WrongValue) in
        call.hasManualClock = try OptionValue.choice(value, of: ["system", "manual"]) == "manual"
    }
    static let policy = OptionEntry(nil, "policy", "FILE", "the kinds of keys and their rules") {
        call, value throws(WrongValue) in
        call.policyPath = value
    }

    /// What asks for a lease.
    static let asking = [nonblock, wait, ttl, shared, priority, note, owner, conflictCode]
    /// What asks for a lease, or for what came of somebody else's.
    static let joining = [nonblock, waitForWork, keep, ttl, priority, note, owner, conflictCode]
    /// How a command is ended.
    static let ending = [max, killAfter, onLost]
}

/// A word for a message, its end left out where it is long.
func quoted(_ word: String) -> String {
    let shownMax = 80
    let shown = Printed.shown(Text(word).bytes)
    return shown.count > shownMax ? "\"\(shown.prefix(shownMax))...\"" : "\"\(shown)\""
}

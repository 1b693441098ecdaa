// The verbs of the command line with their words, options and examples.

/// A verb as it is explained and read.
struct VerbEntry: Sendable {
    let verb: VerbName
    /// What stands behind it, as in `KEY...`.
    let form: String
    /// How many words that may be.
    let words: ClosedRange<Int>
    let hasCommand: Bool
    /// One line, without a full stop.
    let summary: String
    let options: [OptionEntry]
    let example: String
    /// More that is to be known, each a line.
    let more: [String]

    init(
        _ verb: VerbName, _ form: String, words: ClosedRange<Int> = 0...0, hasCommand: Bool = false,
        _ summary: String, _ options: [OptionEntry] = [], example: String, more: [String] = []
    ) {
        self.verb = verb
        self.form = form
        self.words = words
        self.hasCommand = hasCommand
        self.summary = summary
        self.options = options
        self.example = example
        self.more = more
    }

    /// Whether it talks to a daemon that is there before.
    private var hasSocket: Bool { verb != .sandbox && verb != .log }

    /// What `--help` shows of it.
    var shownOptions: [OptionEntry] {
        options + OptionTable.general.filter { hasSocket || $0.name != OptionTable.socket.name }
    }

    /// As in `lease get KEY [OPTION]...`.
    var usage: String {
        let name = verb == .log ? "log verify" : verb.rawValue
        let option = options.isEmpty ? nil : "[OPTION]..."
        let command = hasCommand ? "-- COMMAND..." : nil
        let parts = ["lease", name, form.isEmpty ? nil : form, option, command]
        return parts.compactMap { $0 }.joined(separator: " ")
    }
}

enum VerbTable {
    private static let keysMax = 1...16

    static let all: [VerbEntry] = [
        VerbEntry(
            .run, "KEY...", words: keysMax, hasCommand: true, "hold keys while a command runs",
            OptionTable.asking + OptionTable.ending,
            example: "lease run species/31/video -w 30s -- ./render 31",
            more: [
                "The command's input, output and exit code are its own. It finds LEASE_TOKEN, LEASE_KEYS,",
                "LEASE_HELD and LEASED_SOCKET in its environment. Killed by a signal it gives 128 + that.",
            ]),
        VerbEntry(
            .once, "KEY", words: 1...1, hasCommand: true, "run a command once for all who want its output",
            OptionTable.joining + OptionTable.ending,
            example: "lease once report/2024 --keep=5m -- ./report 2024",
            more: [
                "One runs the command, as lease run does, and all others wait and print what it printed.",
                "Where it fails, or prints more than can be shared (4,096 bytes, of which all but printable",
                "ASCII counts 3), the next in line runs it. --json says on stderr whose output it is.",
            ]),
        VerbEntry(
            .acquire, "KEY...", words: keysMax, "take a lease, and print its token",
            OptionTable.asking + [OptionTable.whilePID],
            example: "token=$(lease acquire user/42 --ttl=10m -n)",
            more: ["The lease stays until it is released, or its time is over: renew it meanwhile."]),
        VerbEntry(
            .renew, "TOKEN", words: 1...1, "begin a lease's time to live anew", [OptionTable.newTTL],
            example: "lease renew 17"),
        VerbEntry(.release, "TOKEN", words: 1...1, "end a lease", example: "lease release 17"),
        VerbEntry(
            .get, "KEY", words: 1...1, "who holds a key, who waits for it, and its rules",
            [OptionTable.limit], example: "lease get user/42"),
        VerbEntry(
            .why, "KEY", words: 1...1, "say in a sentence why a key can't be had now",
            example: "lease why user/42"),
        VerbEntry(
            .list, "[PREFIX]", words: 0...1, "the leases, or those who wait",
            [OptionTable.waiting, OptionTable.limit], example: "lease list species/"),
        VerbEntry(
            .watch, "[PREFIX...]", words: 0...16, "what there is, then what happens, until it is ended",
            [OptionTable.since], example: "lease watch user/ species/",
            more: ["It goes on when the daemon was restarted, and ends when nobody reads its output."]),
        VerbEntry(
            .history, "[PREFIX]", words: 0...1, "what happened lately", [OptionTable.last, OptionTable.log],
            example: "lease history user/42 --last=5"),
        VerbEntry(
            .stats, "", "what was counted since the daemon began, by kind", [OptionTable.prometheus],
            example: "lease stats --prometheus >leased.prom"),
        VerbEntry(
            .policy, "[KEY]", words: 0...1, "the policy, or the rules of one key",
            example: "lease policy species/31/video"),
        VerbEntry(.status, "", "the daemon: where it is, and how it does", example: "lease status"),
        VerbEntry(.ping, "", "whether the daemon answers", example: "lease ping && echo up"),
        VerbEntry(
            .evict, "TOKEN", words: 1...1, "end anybody's lease (for administrators)", [OptionTable.note],
            example: "lease evict 17 --note='stuck since noon'"),
        VerbEntry(
            .sandbox, "", hasCommand: true, "run a command with a daemon of its own, gone afterwards",
            [OptionTable.clock, OptionTable.policy, OptionTable.killAfter, OptionTable.max],
            example: "lease sandbox --clock=manual -- ./test.sh",
            more: [
                "The command finds the daemon by LEASED_SOCKET in its environment. Where the daemon does not",
                "start, the exit code is the daemon's.",
            ]),
        VerbEntry(
            .bench, "", "drive the daemon, and show how fast it is", OptionTable.bench,
            example: "lease bench -c 64 -i 16 --kind=user",
            more: [
                "Each of the requests in flight takes a key that nobody else wants, renews the lease as",
                "often as it is to, gives it back, and takes the next. The keys are KIND/bench.PID.N. Of",
                "contended ones there is one for every eight requests in flight, and a refusal counts as an",
                "answer. Those in line get the lease in turn, give it back, and stand in line again: how",
                "long they stood there is counted apart. A signal ends it early; what is held is given back.",
            ]),
        VerbEntry(
            .log, "FILE", words: 1...1, "read a log without a daemon, and say whether it is whole",
            example: "lease log verify /var/lib/leased/log"),
    ]

    static func entry(_ verb: VerbName) -> VerbEntry? { all.first { $0.verb == verb } }
}

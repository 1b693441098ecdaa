// The one table of the options: their reading and `--help` both come from it.

import LeaseModel

/// An option as it is written, explained and set.
struct OptionEntry: Sendable {
    /// Sets what the option stands for; gets "" where it takes no value.
    typealias Setter = @Sendable (inout Options, String) throws(WrongValue) -> Void

    /// Without its dashes.
    let name: String
    /// How the value is shown, as in `PATH`; nil: it takes none.
    let form: String?
    /// One line, without a full stop.
    let help: String
    private let setter: Setter

    init(_ name: String, _ form: String? = nil, _ help: String, set setter: @escaping Setter) {
        self.name = name
        self.form = form
        self.help = help
        self.setter = setter
    }

    /// The option as it is written.
    var flag: String { "--\(name)" }

    /// The option and its value as `--help` shows them.
    var usage: String { form.map { "\(flag)=\($0)" } ?? flag }

    func set(_ options: inout Options, to value: String) throws(Complaint) {
        do {
            try setter(&options, value)
        } catch {
            let meant = error.meant.map { "; did you mean \($0)?" } ?? ""
            throw Complaint(.usage, "\(flag) wants \(error.wanted), not \(quoted(value))\(meant)")
        }
    }
}

/// All options.
enum OptionTable {
    static let general: [OptionEntry] = [
        OptionEntry("socket", "PATH", "where to listen; the default is shown below") {
            options, value throws(WrongValue) in
            options.socketPath = value
        },
        OptionEntry("data", "DIRECTORY", "where to keep the log; the default is shown below") {
            options, value throws(WrongValue) in
            options.dataPath = value
        },
        OptionEntry("memory", nil, "keep no log: what was granted is forgotten at the end") {
            options, _ throws(WrongValue) in
            options.isMemory = true
        },
        OptionEntry("policy", "FILE", "the kinds of keys and their rules; without it, a built-in one") {
            options, value throws(WrongValue) in
            options.policyPath = value
        },
        OptionEntry("check", nil, "read the policy, say whether it is good, and end") {
            options, _ throws(WrongValue) in
            options.action = .check
        },
        OptionEntry("sync", "always|never|DURATION", "when the log goes to the disk (default always)") {
            options, value throws(WrongValue) in
            options.sync = try OptionValue.sync(value)
        },
        OptionEntry("grace", "DURATION", "what holders get to renew in after a restart (default 5s)") {
            options, value throws(WrongValue) in
            options.grace = try OptionValue.durationOrZero(value)
        },
        OptionEntry("mode", "OCTAL", "permissions of the socket (default 0600: its owner alone)") {
            options, value throws(WrongValue) in
            options.mode = try OptionValue.mode(value)
        },
        OptionEntry("private", nil, "hide users' owners, notes and results from each other") {
            options, _ throws(WrongValue) in
            options.isPrivate = true
        },
        OptionEntry("clock", "system|manual", "a manual clock moves only when a client says so") {
            options, value throws(WrongValue) in
            options.hasManualClock = try OptionValue.choice(value, of: ["system", "manual"]) == "manual"
        },
    ]

    static let supervision: [OptionEntry] = [
        OptionEntry("ready-fd", "N", "write a line to this descriptor once the service is up") {
            options, value throws(WrongValue) in
            options.readyFD = try OptionValue.descriptor(value)
        },
        OptionEntry("exit-with-parent", nil, "end when the process that started this one ends") {
            options, _ throws(WrongValue) in
            options.exitsWithParent = true
        },
        OptionEntry("log-level", "error|info|debug", "how much to say on stderr (default info)") {
            options, value throws(WrongValue) in
            options.logLevel = try OptionValue.logLevel(value)
        },
        OptionEntry("version", nil, "print the version and end") { options, _ throws(WrongValue) in
            options.action = .version
        },
        OptionEntry("help", nil, "print this and end") { options, _ throws(WrongValue) in
            options.action = .help
        },
    ]

    static let bounds: [OptionEntry] = [
        bound("connections-max", \.connectionsMax, "connections"),
        bound("connections-per-user-max", \.connectionsPerUserMax, "connections of one user"),
        bound("leases-max", \.leasesMax, "leases"),
        bound("leases-per-user-max", \.leasesPerUserMax, "leases of one user"),
        bound("counted-grants-max", \.countedGrantsMax, "grants that a rate counts"),
        bound("counted-grants-per-user-max", \.countedGrantsPerUserMax, "those of one user"),
        bound("waiters-max", \.waitersMax, "requests that wait"),
        bound("waiters-per-user-max", \.waitersPerUserMax, "waiting requests of one user"),
        bound("waiters-per-connection-max", \.waitersPerConnectionMax, "waiting requests of one connection"),
        bound("joiners-max", \.joinersMax, "requests that wait for another's work"),
        bound("joiners-per-user-max", \.joinersPerUserMax, "of those, requests of one user"),
        bound("kept-max", \.keptMax, "kept results"),
        bound("kept-per-user-max", \.keptPerUserMax, "kept results of one user"),
        bytes("kept-bytes-max", \.keptBytesMax, "bytes of kept results"),
        bytes("kept-bytes-per-user-max", \.keptBytesPerUserMax, "bytes of kept results of one user"),
        bound("events-max", \.eventsMax, "events that are remembered"),
        bytes("output-bytes-max", \.outputBytesMax, "bytes that a client has yet to read"),
        bytes("output-bytes-per-user-max", \.outputBytesPerUserMax, "those of one user's clients together"),
        bytes("output-bytes-in-all-max", \.outputBytesInAllMax, "those of all clients together"),
        bytes("held-input-bytes-max", \.heldInputBytesMax, "bytes held behind a request of a connection"),
    ]

    static let all = general + supervision + bounds

    private static func bound(
        _ name: String, _ bound: any WritableKeyPath<Limits, Int> & Sendable, _ help: String,
        upTo most: Int64 = OptionValue.countMax
    ) -> OptionEntry {
        let usual = Limits()[keyPath: bound]
        return OptionEntry(name, "N", "\(help) (default \(usual))") { options, value throws(WrongValue) in
            options.limits[keyPath: bound] = try OptionValue.bound(value, upTo: most)
        }
    }

    private static func bytes(
        _ name: String, _ bound: any WritableKeyPath<Limits, Int> & Sendable, _ help: String
    ) -> OptionEntry {
        self.bound(name, bound, help, upTo: OptionValue.bytesMax)
    }
}

extension OptionTable {
    /// The option that a word is, its value left aside.
    static func entry(for word: String) throws(Complaint) -> OptionEntry {
        let written = String(word.unicodeScalars.prefix { $0 != "=" })
        if let entry = all.first(where: { $0.flag == written }) { return entry }
        if written.utf8.starts(with: "-".utf8) {
            throw Complaint(.usage, "there is no option \(quoted(written))\(question(written))")
        }
        let isFlag = all.contains { $0.name == written }
        throw Complaint(
            .usage,
            "\(quoted(word)) is not an option, and leased takes nothing else"
                + (isFlag ? "; did you mean --\(written)?" : "; leased --help shows all options"))
    }

    /// The value of an option that was found in a word: behind its `=`, or the next word, which is taken.
    static func value(
        of entry: OptionEntry, in word: String, _ rest: inout ArraySlice<String>
    ) throws(Complaint) -> String {
        let attached = word.unicodeScalars.firstIndex(of: "=").map { equals in
            String(word.unicodeScalars[equals...].dropFirst())
        }
        guard let form = entry.form else {
            guard attached == nil else {
                throw Complaint(.usage, "\(entry.flag) takes no value; write it without one")
            }
            return ""
        }
        if let value = attached {
            if value.isEmpty { throw missing(form, of: entry) }
            return value
        }
        // An option that follows is an option, not a value that somebody left out.
        guard let next = rest.first, !next.isEmpty, !next.utf8.starts(with: "--".utf8) else {
            throw missing(form, of: entry)
        }
        rest.removeFirst()
        return next
    }

    private static func missing(_ form: String, of entry: OptionEntry) -> Complaint {
        Complaint(.usage, "\(entry.flag) needs a value: \(entry.flag)=\(form)")
    }

    private static func question(_ written: String) -> String {
        let flags = all.map { Array($0.flag.utf8) }
        guard let meant = Suggestion.nearest(to: Array(written.utf8), among: flags) else {
            return "; leased --help shows them all"
        }
        return "; did you mean \(String(decoding: meant, as: UTF8.self))?"
    }
}

extension OptionTable {
    /// What `--help` prints, its last line's end included.
    static var help: String {
        """
        Usage: leased [OPTION]...
        Grants leases on keys to the clients of a socket. Runs in the foreground and logs to stderr.

        \(section(general))

        \(section(supervision))

        Bounds, so that no client can hurt the others: at most N
        \(section(bounds))

        A DURATION is a whole number and its unit, as in 500ms, 30s, 10m, 2h or 1d.
        The socket is --socket, else $LEASED_SOCKET, else /run/leased/leased.sock for root, else
        $XDG_RUNTIME_DIR/leased/leased.sock, else leased-UID/leased.sock in $TMPDIR or /tmp.
        The log is in --data, else $STATE_DIRECTORY, else /var/lib/leased for root, else
        $XDG_STATE_HOME/leased or ~/.local/state/leased.

        """
    }

    private static func section(_ entries: [OptionEntry]) -> String {
        let width = entries.map(\.usage.utf8.count).max() ?? 0
        let lines = entries.map { entry in
            let gap = String(repeating: " ", count: width + 2 - entry.usage.utf8.count)
            return "  \(entry.usage)\(gap)\(entry.help)"
        }
        return lines.joined(separator: "\n")
    }
}

/// A word for a message, its end left out where it is long.
private func quoted(_ word: String) -> String {
    let shownMax = 80
    return word.count > shownMax ? "\"\(word.prefix(shownMax))...\"" : "\"\(word)\""
}

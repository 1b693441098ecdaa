// What `--help` prints, from the tables.

enum Help {
    static let version = "lease 0.1.0"

    /// Of the whole program, or of one verb; with the end of the last line.
    static func text(_ verb: VerbName) -> String {
        VerbTable.entry(verb).map(text) ?? whole
    }

    private static var whole: String {
        """
        Usage: lease VERB [WORD]... [OPTION]...
        Holds names while commands run, and shows who holds what. It talks to leased, the daemon.

        \(table(VerbTable.all.map { (short($0), $0.summary) }))

        \(section(OptionTable.general))

        lease VERB --help explains a verb. A DURATION is a whole number and its unit: 500ms, 30s, 10m, 2h, 1d.
        The socket is --socket, else $LEASED_SOCKET, else the first that exists of
        $XDG_RUNTIME_DIR/leased/leased.sock, /run/leased/leased.sock, and leased-UID/leased.sock in $TMPDIR
        or /tmp.

        Exit codes
        \(table(codes(ExitCode.allCases)))

        """
    }

    private static func text(_ entry: VerbEntry) -> String {
        let more = entry.more.isEmpty ? "" : entry.more.joined(separator: "\n") + "\n\n"
        let summary = entry.summary.prefix(1).uppercased() + entry.summary.dropFirst()
        return """
            Usage: \(entry.usage)
            \(summary).

            \(section(entry.shownOptions))

            \(more)Example: \(entry.example)

            """
    }

    private static func short(_ entry: VerbEntry) -> String {
        let name = entry.verb == .log ? "log verify" : entry.verb.rawValue
        let command = entry.hasCommand ? "-- COMMAND..." : ""
        return [name, entry.form, command].filter { !$0.isEmpty }.joined(separator: " ")
    }

    private static func codes(_ codes: [ExitCode]) -> [(String, String)] {
        codes.compactMap { code in code.meaning.map { ("\(code.rawValue)", $0) } }
    }

    private static func section(_ options: [OptionEntry]) -> String {
        table(options.map { ($0.usage, $0.help) })
    }

    private static func table(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        let lines = rows.map { row in
            "  " + row.0 + String(repeating: " ", count: width + 2 - row.0.count) + row.1
        }
        return lines.joined(separator: "\n")
    }
}

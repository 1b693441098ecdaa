// With `--private`, what a user says of itself is for its own eyes and those of administrators.

extension History {
    /// Whether what is of that user may be shown on a connection.
    func shows(_ uid: UInt32?, on connection: Int) -> Bool {
        let peer = talks[connection]!.uid
        return !isPrivate || peer == 0 || peer == uid
    }
}

extension Leases {
    mutating func judgePrivacy() {
        guard history.isPrivate else { return }
        let users = Dictionary(
            history.asks.compactMap { ask in
                ask.spoken.options["owner"].map { ($0, history.talks[ask.connection]!.uid) }
            }, uniquingKeysWith: { first, _ in first })
        for ask in history.asks {
            guard let told = ask.answer else { continue }
            for line in [told] + ask.lines { judge(line, ask, users) }
        }
        for watch in history.watches {
            let told = watch.held.map(\.told) + watch.changes.map(\.told)
            for event in told {
                let uid = event.number("uid").map { UInt32($0) }
                if history.shows(uid, on: watch.connection) { continue }
                accuse("privacy", "`\(history.asks[watch.ask].line)` was told of \(event)")
            }
        }
    }

    private mutating func judge(_ line: Told, _ ask: Ask, _ users: [String: UInt32]) {
        if let first = line.text("ahead"), !history.shows(users[first], on: ask.connection) {
            accuse("privacy", "`\(ask.line)` was told who is before it: \(line.fields)")
        }
        guard let uid = line.number("uid"), !history.shows(UInt32(uid), on: ask.connection) else { return }
        let isLeftOut = ["list", "history"].contains(ask.spoken.verb)
        if isLeftOut || ["owner", "note", "result"].contains(where: { line.fields[$0] != nil }) {
            accuse("privacy", "`\(ask.line)` was shown \(line)")
        }
    }
}

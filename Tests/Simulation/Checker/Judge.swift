// The verdict on a whole history: every law in turn.

extension History {
    /// What was promised and not kept, the first first. Everything that was sent must be answered by now, but
    /// for what went to connections or daemons that are gone.
    package func judge() -> [Violation] {
        var leases = Leases(self)
        leases.judge()
        leases.judgeLine()
        leases.judgeWaits()
        leases.judgeTimes()
        return violations + leases.violations + unanswered() + refusedInAudit()
    }

    private func unanswered() -> [Violation] {
        talks.keys.sorted().flatMap { connection -> [Violation] in
            let talk = talks[connection]!
            guard talk.goneAt == nil, !talk.hasQuit else { return [] }
            return talk.open.map { Violation("progress", "`\(asks[$0].line)` is not answered") }
        }
    }

    /// When nobody else is there any more, every key is free, and every wish is granted.
    private func refusedInAudit() -> [Violation] {
        asks.filter { $0.sentAt >= auditFrom && $0.answer != nil }.compactMap { ask in
            let answer = ask.answer!
            switch ask.spoken.verb {
            case "list":
                if ask.lines.isEmpty { return nil }
                return Violation("progress", "`\(ask.line)` still shows \(ask.lines.count) lines")
            case "acquire":
                if answer.status == "OK" { return nil }
                return Violation("progress", "`\(ask.line)` got \(answer.status) \(answer.fields)")
            default: return nil
            }
        }
    }
}

// The verdict on a whole history: every law in turn.

extension History {
    /// What was promised and not kept, the first first.
    package func judge() -> [Violation] {
        var changes = Changes(self)
        var leases = Leases(self, changes)
        leases.judge()
        leases.judgeLine()
        leases.judgeWaits()
        leases.judgeTimes()
        leases.judgeTimeouts()
        leases.judgePolicy()
        leases.judgeNotices()
        leases.judgePrivacy()
        changes.judge(leases)
        var sharing = Sharing(leases)
        sharing.judge()
        return violations + leases.violations + changes.violations + sharing.violations + refusedInAudit()
    }

    /// By now everybody must have been answered.
    package mutating func demandAnswers() {
        for connection in talks.keys.sorted() where talks[connection]!.goneAt == nil {
            for number in talks[connection]!.open {
                accuse("progress", "`\(asks[number].line)` is not answered")
            }
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

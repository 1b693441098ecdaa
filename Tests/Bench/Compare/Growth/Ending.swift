// Leases that all end within seconds of each other: how late each is, and what everybody else feels of it.

import TestSupport

enum Ending {
    private static let count = 300_000
    private static let ttl: Int64 = 6_000_000_000

    private struct Found {
        /// From the first end to the last.
        let span: Int64
        let longestAnswer: Int64
        let latest: Int64
    }

    static func findings() throws(Failure) -> [Finding] {
        let spread = try ends(takenOver: 2_000_000_000)
        let together = try ends(takenOver: 0)
        return [
            .note("300,000 leases, taken within 2 s, end within", milliseconds(spread.span), "ms"),
            .most(
                "meanwhile, the longest answer to anybody", milliseconds(spread.longestAnswer), "ms",
                target: 20),
            .most(
                "the latest of these ends, as a watch is told", milliseconds(spread.latest), "ms",
                target: 50),
            .note("as many, taken as fast as it goes, end within", milliseconds(together.span), "ms"),
            .note("the longest answer then", milliseconds(together.longestAnswer), "ms"),
            .note("the latest end then", milliseconds(together.latest), "ms"),
        ]
    }

    /// They end as they were taken: all have the same ttl.
    private static func ends(takenOver span: Int64) throws(Failure) -> Found {
        let daemon = try GrowthDaemon()
        let probe = try Probe(daemon.socket)
        // By its token, the earliest that a lease may end.
        var due: [UInt64: Int64] = [:]
        due.reserveCapacity(count)
        let sender = try Sender(daemon.socket, count: count, window: 64, over: span) { number, line in
            line.append(contentsOf: "acquire user/e\(number) ttl=6s\n".utf8)
        }
        sender.onAnswer = { _, line, sentAt in due[line.number(at: 9)] = sentAt + ttl }
        let start = nanoseconds()
        try drive([sender, probe]) { sender.isDone }
        let took = nanoseconds() - start
        guard took < ttl else { throw Failure("taking them took \(took / 1_000_000) ms: some have ended") }
        var sequence: UInt64?
        let asker = try Listener(daemon.socket, "watch user/none") { line, _ in
            sequence = line.field("seq=")
        }
        try drive([asker, probe]) { sequence != nil }
        var (ended, early, latest, expiredFirst) = (0, 0, 0 as Int64, Int64.max)
        var last: Int64 = 0
        let watcher = try Listener(daemon.socket, "watch user/ since=\(sequence ?? 0)") { line, now in
            guard line.field(" expired key") != nil, let token = line.field("token="),
                let instant = due[token]
            else { return }
            ended += 1
            if now < instant { early += 1 }
            latest = max(latest, now - instant)
            expiredFirst = min(expiredFirst, now)
            last = max(last, now)
        }
        do throws(Failure) {
            try drive([watcher, probe]) { ended >= count && probe.isFree }
        } catch {
            throw Failure("\(error): \(ended) of \(count) ends were told")
        }
        // Before its folder goes.
        daemon.crash()
        guard early == 0 else { throw Failure("\(early) leases ended early") }
        return Found(span: last - expiredFirst, longestAnswer: probe.longest, latest: latest)
    }
}

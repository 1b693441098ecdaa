// Leases that all end within a second or so: how late each is, and what everybody else feels of it.

import TestSupport

enum Ending {
    private static let count = 300_000
    private static let ttl: Int64 = 6_000_000_000

    static func findings() throws(Failure) -> [Finding] {
        let daemon = try GrowthDaemon()
        let probe = try Probe(daemon.socket)
        // By its token, the earliest that a lease may end.
        var due: [UInt64: Int64] = [:]
        due.reserveCapacity(count)
        let sender = try Sender(daemon.socket, count: count, window: 64) { number, line in
            line.append(contentsOf: "acquire user/e\(number) ttl=6s\n".utf8)
        }
        sender.onAnswer = { _, line, sentAt in due[line.number(at: 9)] = sentAt + ttl }
        try drive([sender, probe]) { sender.isDone }
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
        try drive([watcher, probe]) { ended >= count && probe.isFree }
        guard early == 0 else { throw Failure("\(early) leases ended early") }
        return [
            .note("300,000 leases end within", milliseconds(last - expiredFirst), "ms"),
            .most("meanwhile, the longest answer to anybody", milliseconds(probe.longest), "ms", target: 20),
            .most("the latest of these ends, as a watch is told", milliseconds(latest), "ms", target: 50),
        ]
    }
}

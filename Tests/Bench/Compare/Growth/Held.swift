// A million leases: their memory, the speed beside them, their recovery, their compaction, and no stall.

import TestSupport

enum Held {
    private static let count = 1_000_000

    static func findings() throws(Failure) -> [Finding] {
        let (daemon, other) = (try GrowthDaemon(), try GrowthDaemon())
        var findings = try filled(daemon)
        findings.append(try recovered(daemon, "its log of \(Report.whole(Double(count))) grants"))
        let found = try speeds([other, daemon], Shape(connections: 64, inFlight: 16))
        findings.append(
            .least("their speed beside none: 64 x 16, as a share", found[1] / found[0], "", target: 0.85))
        findings.append(contentsOf: try compacted(daemon))
        findings.append(try recovered(daemon, "a compacted log"))
        return findings
    }

    private static func filled(_ daemon: GrowthDaemon) throws(Failure) -> [Finding] {
        let before = daemon.residentBytes
        let probe = try Probe(daemon.socket)
        let sender = try Sender(daemon.socket, count: count, window: 64) { number, line in
            line.append(contentsOf: "acquire user/f\(number) ttl=12h\n".utf8)
        }
        let start = nanoseconds()
        try drive([sender, probe]) { sender.isDone && probe.isFree }
        let rate = Double(count) / (Double(nanoseconds() - start) / 1e9)
        return [
            .note("leases taken a second while they go from 0 to 1,000,000", rate, ""),
            .most(
                "meanwhile, the longest answer", milliseconds(max(sender.longest, probe.longest)), "ms",
                target: 20),
            .most(
                "memory of a lease, of 1,000,000",
                Double(daemon.residentBytes - before) / Double(count), "bytes", target: 300),
        ]
    }

    private static func recovered(_ daemon: GrowthDaemon, _ log: String) throws(Failure) -> Finding {
        daemon.crash()
        let (answer, took) = try daemon.start()
        guard answer.contains(" leases=\(count) ") else {
            throw Failure("it answered before all leases were there: \(answer)")
        }
        return .most(
            "recovery of them from \(log), to the first answer", milliseconds(took), "ms", target: 1_500)
    }

    /// With and without others at work.
    private static func compacted(_ daemon: GrowthDaemon) throws(Failure) -> [Finding] {
        let probe = try Probe(daemon.socket)
        let calm = nanoseconds() + 1_000_000_000
        try drive([probe]) { nanoseconds() > calm && probe.isFree }
        let before = probe.longest
        let watched = try Probe(daemon.socket, key: "conversation/compaction")
        var isCompacted = false
        let start = nanoseconds()
        let compactor = try Listener(daemon.socket, "compact") { _, _ in isCompacted = true }
        try drive([watched, compactor]) { isCompacted && watched.isFree }
        return [
            .note("compaction of them", milliseconds(nanoseconds() - start), "ms"),
            .note("the longest answer in a second before", milliseconds(before), "ms"),
            .most("the longest answer meanwhile", milliseconds(watched.longest), "ms", target: 20),
        ]
    }
}

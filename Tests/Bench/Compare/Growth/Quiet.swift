// What it costs to keep leases alive, to start, and to do nothing.

import Glibc
import TestSupport

enum Quiet {
    static func findings() throws(Failure) -> [Finding] {
        try renewals() + start() + idle()
    }

    /// Renewed at a third of their ttl: 10,000 a second, some every so often, beside a server that answers as
    /// many lines and does nothing else.
    private static func renewals() throws(Failure) -> [Finding] {
        let count = 100_000
        let daemon = try GrowthDaemon()
        var tokens: [UInt64] = []
        let sender = try Sender(daemon.socket, count: count, window: 64) { number, line in
            line.append(contentsOf: "acquire user/r\(number) ttl=30s\n".utf8)
        }
        sender.onAnswer = { _, line, _ in tokens.append(line.number(at: 9)) }
        try drive([sender]) { sender.isDone }
        let folder = try TemporaryFolder()
        let floor = try startedFloor(in: folder)
        var findings: [Finding] = []
        for (together, name) in [(100, "a hundred"), (10, "ten"), (1, "one")] {
            let said = "100,000 leases renewed at a third of 30 s, \(name) at a time: of a core"
            let used = try share(tokens, together, at: daemon.socket) { daemon.processorNanoseconds }
            let least = try share(tokens, together, at: folder("s")) { accountedNanoseconds(of: floor.pid) }
            findings.append(together == 10 ? .most(said, used, "%", target: 5) : .note(said, used, "%"))
            findings.append(.note("and the floor, for as many lines", least, "%"))
        }
        return findings
    }

    /// - Returns: how much of a core the server uses.
    private static func share(
        _ tokens: [UInt64], _ together: Int, at path: String, _ processor: () -> Int64
    ) throws(Failure) -> Double {
        let renewer = try Renewer(path, tokens, together: together)
        let (before, start) = (processor(), nanoseconds())
        let seconds: Int64 = 5
        try drive([renewer], pauseMicroseconds: together == 1 ? 50 : 1_000) {
            nanoseconds() - start > seconds * 1_000_000_000
        }
        guard renewer.asked > Int(seconds) * 9_000 else { throw Failure("too few renewals") }
        return Double(processor() - before) / Double(nanoseconds() - start) * 100
    }

    /// In memory, where a sync costs nothing.
    private static func start() throws(Failure) -> [Finding] {
        var spans: [Int64] = []
        for number in 0..<21 {
            let data = "/dev/shm/leased-bench-\(getpid())-\(number)"
            defer { _ = try? Program(["/bin/rm", "-rf", data]).exitCode() }
            let daemon = try GrowthDaemon(data: data)
            try daemon.stop()
            _ = try? Program(["/bin/rm", "-rf", data]).exitCode()
            spans.append(try daemon.start().nanoseconds)
        }
        return [
            .most(
                "from start to answering, empty, beyond its syncs", milliseconds(spans.sorted()[10]), "ms",
                target: 10)
        ]
    }

    private static func idle() throws(Failure) -> [Finding] {
        let daemon = try GrowthDaemon()
        let client = try Client(daemon.socket)
        guard client.ask("acquire user/1 ttl=1h") != nil else { throw Failure("no answer") }
        usleep(1_500_000)
        let (sleeps, used) = (daemon.sleeps, daemon.processorNanoseconds)
        usleep(5_000_000)
        return [
            .most("idle, with a lease held: wake-ups in 5 s", Double(daemon.sleeps - sleeps), "", target: 0),
            .note("and processor time", milliseconds(daemon.processorNanoseconds - used), "ms"),
        ]
    }
}

/// Renews them in turn, 10,000 a second.
private final class Renewer: Part {
    private let tokens: [UInt64]
    private let together: Int
    private let begin = nanoseconds()
    private(set) var asked = 0

    init(_ path: String, _ tokens: [UInt64], together: Int) throws(Failure) {
        (self.tokens, self.together) = (tokens, together)
        try super.init(path)
    }

    override func turn(_ now: Int64) {
        while asked + together <= Int((now - begin) / 100_000) {
            for _ in 0..<together {
                wire.output.append(contentsOf: "renew \(tokens[asked % tokens.count])\n".utf8)
                asked += 1
            }
        }
    }

    override func take(_ line: UnsafeRawBufferPointer, at now: Int64) {
        if !line.begins("OK token=") { refuse(line) }
    }
}

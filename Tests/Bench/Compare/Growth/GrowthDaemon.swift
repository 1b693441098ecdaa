// The release build of the daemon, on a core of its own, and what the kernel accounts to it.

import Glibc
import TestSupport

final class GrowthDaemon {
    private let folder: TemporaryFolder
    private let flags: [String]
    private var program: Program?
    var socket: String { folder("s") }
    var pid: pid_t { program?.pid ?? 0 }

    /// - Parameter data: where its log is; nil: in a folder of its own, on the disk of /tmp.
    init(_ flags: [String] = [], data: String? = nil) throws(Failure) {
        folder = try TemporaryFolder()
        self.flags = flags + ["--data=\(data ?? folder("d"))"]
        try start()
    }

    /// Starts it, and waits for its first answer.
    /// - Returns: that answer, to `stats`, and how long it took.
    @discardableResult
    func start() throws(Failure) -> (answer: String, nanoseconds: Int64) {
        let begin = nanoseconds()
        let words = [builtProgram("leased"), "--socket=\(socket)", "--sync=never", "--log-level=error"]
        let started = try Program(words + flags + ["--exit-with-parent"], descriptors: [2: 2])
        program = started
        pin(started.pid, toCore: 0)
        var client: Client?
        while client == nil {
            client = try? Client(socket)
            if client == nil { usleep(20) }
            guard nanoseconds() - begin < 60_000_000_000 else { throw Failure("the daemon did not start") }
        }
        guard let answer = client?.ask("stats", within: 60_000) else { throw Failure("no answer") }
        let took = nanoseconds() - begin
        pin(started.pid, toCore: 0)
        return (answer, took)
    }

    func crash() {
        program?.signal(SIGKILL)
        _ = program?.exitCode()
        program = nil
    }

    func stop() throws(Failure) {
        program?.signal(SIGTERM)
        guard program?.exitCode(within: 60) == 0 else { throw Failure("the daemon did not stop") }
        program = nil
    }

    var residentBytes: Int64 {
        (field("VmRSS:", of: "/proc/\(pid)/status").flatMap { Int64($0) } ?? 0) << 10
    }

    var processorNanoseconds: Int64 { accountedNanoseconds(of: pid) }

    /// How often its threads slept and were woken.
    var sleeps: Int64 {
        threads(of: pid).reduce(0) { sum, thread in
            let path = "/proc/\(pid)/task/\(thread)/status"
            return sum + (field("voluntary_ctxt_switches:", of: path).flatMap { Int64($0) } ?? 0)
        }
    }

    /// Requests a second of the load generator.
    func speed(_ shape: Shape, seconds: Double) throws(Failure) -> Double {
        let said = try output(
            of: [
                builtProgram("bench-load"), "leased", socket, "\(shape.connections)", "\(shape.inFlight)",
                "\(seconds)",
            ], core: 1, within: Int(seconds) + 30)
        guard let requests = number("requests", in: said), let measured = number("seconds", in: said) else {
            throw Failure("no result: \(said)")
        }
        return requests / measured
    }
}

/// The medians of runs that were taken in turn.
func speeds(
    _ daemons: [GrowthDaemon], _ shape: Shape, runs: Int = 5, seconds: Double = 1
) throws(Failure) -> [Double] {
    var found = Array(repeating: [Double](), count: daemons.count)
    for _ in 0..<runs {
        for (index, daemon) in daemons.enumerated() {
            found[index].append(try daemon.speed(shape, seconds: seconds))
        }
    }
    return found.map { $0.sorted()[runs / 2] }
}

/// A server that promises nothing, at `s` in a folder, on the daemon's core.
func startedFloor(in folder: TemporaryFolder) throws(Failure) -> Program {
    let floor = try Program(
        [builtProgram("bench-floor"), folder("s"), folder("log"), "never"], descriptors: [2: 2])
    try waitUntilItListens(at: folder("s"), floor)
    pin(floor.pid, toCore: 0)
    return floor
}

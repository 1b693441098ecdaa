// Ten thousand connections of which few are busy, and a thousand that watch.

import CTestSupport
import Glibc
import TestSupport

enum Crowd {
    private static let bounds = ["--connections-max=12000", "--connections-per-user-max=12000"]

    static func findings() throws(Failure) -> [Finding] { try idle() + watchers() }

    private static func idle() throws(Failure) -> [Finding] {
        let (daemon, other) = (try GrowthDaemon(bounds), try GrowthDaemon(bounds))
        let count = 9_900
        // What 100 busy ones leave behind is not to be counted.
        _ = try daemon.speed(Shape(connections: 100, inFlight: 1), seconds: 0.2)
        let before = daemon.residentBytes
        var idle: [Client] = []
        for _ in 0..<count {
            let client = try Client(daemon.socket)
            guard client.ask("ping") == "OK" else { throw Failure("an idle connection was refused") }
            idle.append(client)
        }
        let bytes = Double(daemon.residentBytes - before) / Double(count)
        let found = try speeds([other, daemon], Shape(connections: 100, inFlight: 1))
        idle.forEach { $0.hangUp() }
        return [
            .least(
                "10,000 connections, 100 of them busy: speed beside only those 100", found[1] / found[0], "",
                target: 0.85),
            .most("memory of an idle connection", bytes / 1_024, "KiB", target: 4),
        ]
    }

    /// Events to a thousand watchers, beside plain lines to as many sockets.
    private static func watchers() throws(Failure) -> [Finding] {
        let daemon = try GrowthDaemon(bounds)
        let events = try fanOut(daemon.socket, "watch user/") { daemon.processorNanoseconds }
        let folder = try TemporaryFolder()
        let floor = try startedFloor(in: folder)
        let lines = try fanOut(folder("s"), "watch") { accountedNanoseconds(of: floor.pid) }
        return [
            .note("plain lines to 1,000 sockets, a second", lines.rate, ""),
            .note("their writer's processor time for a line", lines.nanoseconds, "ns"),
            .note("events to 1,000 watchers, a second", events.rate, ""),
            .note("the daemon's processor time for an event", events.nanoseconds, "ns"),
            .least("events beside plain lines", events.rate / lines.rate, "", target: 0.5),
        ]
    }

    /// Something happens as fast as one of those who watch, this process, hears of it.
    private static func fanOut(
        _ path: String, _ question: String, _ processor: () -> Int64
    ) throws(Failure) -> (rate: Double, nanoseconds: Double) {
        let (outlet, inlet) = try makePipe()
        let watchers = try Program(
            [builtProgram("bench-load"), "watchers", path, "1000", question, "3"],
            descriptors: [1: inlet, 2: 2])
        closeForAll(inlet)
        pin(watchers.pid, toCore: 1)
        var ready = pollfd(fd: outlet, events: Int16(POLLIN), revents: 0)
        var said = [UInt8](repeating: 0, count: 4_096)
        guard poll(&ready, 1, 30_000) == 1, read(outlet, &said, said.count) > 0 else {
            throw Failure("the watchers do not begin")
        }
        var (heard, asked) = (0, 0)
        let ear = try Listener(path, question) { line, _ in if line.begins("* ") { heard += 1 } }
        let mouth = try Publisher(path)
        let before = processor()
        ready.revents = 0
        try drive([ear, mouth]) {
            mouth.mayAsk = 64 + heard / mouth.eventsPerRequest - mouth.asked
            asked = mouth.asked
            var look = ready
            return poll(&look, 1, 0) == 1
        }
        let used = processor() - before
        let count = read(outlet, &said, said.count)
        closeForAll(outlet)
        let text = String(decoding: said.prefix(max(0, count)), as: UTF8.self)
        guard let rate = number("rate", in: text), let all = number("all", in: text), asked > 0 else {
            throw Failure("the watchers say nothing: \(text)")
        }
        return (rate, Double(used) / all)
    }
}

/// Takes and gives back one key after the other, as often as it may.
final class Publisher: Part {
    var mayAsk = 0
    private(set) var asked = 0
    private var tokens: [UInt64] = []
    private var answered = 0
    let eventsPerRequest = 1

    override func turn(_ now: Int64) {
        while mayAsk > 0, asked - answered < 64 {
            let line = tokens.popLast().map { "release \($0)\n" } ?? "acquire user/p\(asked % 1_000) ttl=1h\n"
            wire.output.append(contentsOf: line.utf8)
            asked += 1
            mayAsk -= 1
        }
    }

    override func take(_ line: UnsafeRawBufferPointer, at now: Int64) {
        answered += 1
        guard line.begins("OK token=") else { return refuse(line) }
        if line.field(" ttl=") != nil { tokens.append(line.number(at: 9)) }
    }
}

// What the scenarios share: a daemon with a policy, and processes that generate under its leases.

import Glibc
import TestSupport
import Testing

/// A machine on which services run. It belongs to the thread that made it.
final class Site {
    let daemon: Daemon
    /// For questions, and for what an administrator does.
    let administrator: Client

    init(_ policy: String, flags: [String] = [], isForEverybody: Bool = false) throws {
        daemon = try Daemon(isForEverybody: isForEverybody)
        try daemon.folder.write("policy", Array(policy.utf8))
        try daemon.start(["--policy=\(daemon.folder("policy"))", "--sync=never"] + flags)
        administrator = try daemon.connect()
    }

    /// A process that asks, as `Tests/Generator` says.
    func service(_ name: String, _ words: String...) throws -> Service { try service(name, words) }

    func service(_ name: String, _ words: [String]) throws -> Service {
        let program = [Daemon.builtProgram("generator"), daemon.folder.path, name]
        return try Service(program + words, name: name, of: self)
    }

    /// The command line.
    func lease(_ name: String, _ words: String...) throws -> Service {
        try Service([Daemon.builtProgram("lease")] + words, name: name, of: self)
    }

    /// Ends the work of a service, or that of all.
    func finish(_ name: String) throws {
        try daemon.folder.write("end-\(name)", [])
    }

    /// What the services did: `begin KEYS NAME` and `end KEYS NAME`, in this order.
    var record: [[String]] {
        lines(of: daemon.folder("record")).map { $0.split(separator: " ").map(String.init) }
    }

    /// How often generating began for a key.
    func generations(_ key: String) -> Int {
        record.count { $0[0] == "begin" && $0[1].split(separator: ",").contains(key[...]) }
    }

    /// How many worked at the same time, at most, under keys that begin so.
    func mostAtOnce(_ prefix: String) -> Int {
        var (now, most) = (0, 0)
        for line in record where line[1].split(separator: ",").contains(where: { $0.hasPrefix(prefix) }) {
            now += line[0] == "begin" ? 1 : -1
            most = max(most, now)
        }
        return most
    }

    /// The first line that the daemon answers.
    func ask(_ line: String) throws -> String {
        try #require(administrator.ask(line), "no answer to \(line)")
    }

    /// All lines that it answers, in one text.
    func askAll(_ line: String) throws -> String {
        let first = try ask(line)
        let count = first.split(separator: " ").first { $0.hasPrefix("lines=") }.flatMap {
            Int($0.dropFirst(6))
        }
        let more = try (0..<(count ?? 0)).map { _ in try #require(administrator.line()) }
        return ([first] + more).joined(separator: "\n")
    }

    /// Waits until a key has so many holders and waiters.
    func settles(_ key: String, holders: Int, waiting: Int) -> Bool {
        holds {
            (try? askAll("get \(key)"))?.contains(" holders=\(holders) waiting=\(waiting) ") == true
        }
    }

    /// Nothing is held, and nobody waits.
    func isQuiet() throws -> Bool {
        try ask("list") == "OK lines=0" && ask("list waiting") == "OK lines=0"
    }
}

/// A process that runs, and what it says.
final class Service {
    let name: String
    let program: Program
    private let path: String

    init(_ words: [String], name: String, of site: Site) throws {
        self.name = name
        path = site.daemon.folder("\(name).out")
        let output = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { closeForAll(output) }
        let environment = Program.usualEnvironment + ["LEASED_SOCKET=\(site.daemon.socketPath)"]
        program = try Program(words, environment: environment, descriptors: [1: output, 2: output])
    }

    var said: [String] { lines(of: path) }

    /// Waits until one of its lines begins so.
    func says(_ beginning: String) -> Bool {
        holds { said.contains { $0.hasPrefix(beginning) } }
    }

    var works: Bool { says("working ") }

    /// Waits for its end.
    /// - Returns: its last line.
    func end() throws -> String {
        try #require(program.exitCode() != nil, "\(name) does not end: \(said)")
        return try #require(said.last, "\(name) said nothing")
    }
}

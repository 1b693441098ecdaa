// What the tests of the command line share: a daemon, and `lease` run against it.

import Foundation
import Glibc
import TestSupport
import Testing

let lease = Daemon.builtProgram("lease")

/// A program that has ended.
struct Ended {
    let code: Int32?
    let output: String
    let errors: String

    /// The value on stdout; nil where it is no JSON.
    var json: Any? {
        try? JSONSerialization.jsonObject(with: Data(output.utf8), options: [.fragmentsAllowed])
    }

    var fields: [String: Any] { json as? [String: Any] ?? [:] }
}

/// A program that runs, with files for what it says.
final class Running {
    let program: Program
    private let paths: (output: String, errors: String)

    init(_ words: [String], environment: [String], in folder: TemporaryFolder, name: String) throws {
        paths = (folder("\(name).out"), folder("\(name).err"))
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC
        let ends = [open(paths.output, flags, 0o600), open(paths.errors, flags, 0o600)]
        defer { ends.forEach(closeForAll) }
        program = try Program(words, environment: environment, descriptors: [1: ends[0], 2: ends[1]])
    }

    var output: String { contents(paths.output) }
    var errors: String { contents(paths.errors) }

    func end(within seconds: Int = patience) -> Ended {
        let code = program.exitCode(within: seconds)
        return Ended(code: code, output: output, errors: errors)
    }

    /// Waits until it has said so.
    func says(_ text: String) -> Bool { holds { output.contains(text) } }
}

func contents(_ path: String) -> String {
    (try? String(decoding: Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)) ?? ""
}

/// Whether a process is there, and has not ended.
func isAlive(_ pid: pid_t) -> Bool {
    let stat = contents("/proc/\(pid)/stat")
    guard let end = stat.lastIndex(of: ")") else { return false }
    return !["Z", "X"].contains(stat[end...].dropFirst(2).first)
}

/// A daemon, and who talks to it by `lease`. A rig belongs to the thread that made it.
final class Rig {
    let daemon: Daemon
    var environment: [String]
    private var count = 0

    init(_ flags: [String] = [], policy: String? = nil) throws {
        daemon = try Daemon()
        if let policy { try daemon.folder.write("policy", Array(policy.utf8)) }
        try daemon.start(flags + (policy == nil ? [] : ["--policy=\(daemon.folder("policy"))"]))
        environment = ["PATH=/usr/bin:/bin", "LEASED_SOCKET=\(daemon.socketPath)"]
        // What the sanitizer of these tests is told holds for what they run as well.
        if let options = getenv("ASAN_OPTIONS") {
            environment.append("ASAN_OPTIONS=\(String(cString: options))")
        }
    }

    func start(_ words: [String], program: String = lease) throws -> Running {
        count += 1
        return try Running(
            [program] + words, environment: environment, in: daemon.folder, name: "run\(count)")
    }

    func start(_ words: String...) throws -> Running { try start(words) }

    func run(_ words: String...) throws -> Ended { try start(words).end() }

    /// By the shell, which finds `lease` as $L.
    func shell(_ script: String) throws -> Ended { try startShell(script).end() }

    func startShell(_ script: String) throws -> Running {
        environment.append("L=\(lease)")
        return try start(["-c", script], program: "/bin/sh")
    }

    func terminal(_ words: String...) throws -> Terminal {
        try Terminal(words, environment: environment + ["L=\(lease)", "TERM=xterm", "PS1=> "])
    }

    /// A line straight to the daemon, and its answer.
    func ask(_ line: String) throws -> String { try daemon.connect().ask(line) ?? "" }

    func isFree(_ key: String) throws -> Bool { try ask("get \(key)").contains(" holders=0 ") }

    func isHeld(_ key: String) throws -> Bool { try !isFree(key) }

    /// Which process asked for a lease: `lease` itself.
    func holder(of token: Int) throws -> pid_t {
        let reply = try ask("check \(token)")
        let word = reply.split(separator: " ").first { $0.hasPrefix("pid=") }
        return try #require(word.flatMap { pid_t($0.dropFirst(4)) })
    }

    func waitsInLine(_ key: String) throws -> Bool { try !ask("get \(key)").contains(" waiting=0 ") }
}

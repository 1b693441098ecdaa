// The built daemon on real sockets, with real processes and real signals.

import Glibc
import TestSupport

final class RealWorld: World {
    let uid = geteuid()
    private let daemon: Daemon
    private var clients: [String: Client] = [:]
    private var processes: [String: Program] = [:]
    /// The runner's own connection: what it asks is answered when all before it is done.
    private var probe: Client?
    private let command: String

    init() throws(Failure) {
        daemon = try Daemon(isForEverybody: geteuid() == 0)
        let name = Array(wholeFile("/proc/self/comm").utf8.dropLast())
        command = name.map { byte in
            byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "%")
                ? String(UnicodeScalar(byte)) : "%" + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    private func system<Result>(_ body: () throws(Failure) -> Result) throws(Stuck) -> Result {
        do throws(Failure) {
            return try body()
        } catch {
            throw Stuck(error.description)
        }
    }

    func start(flags: [String], policy: [UInt8]?) throws(Stuck) {
        var flags = flags
        if !flags.contains(where: { $0.hasPrefix("--clock=") }) { flags.append("--clock=manual") }
        try system { () throws(Failure) in
            if let policy {
                try daemon.folder.write("policy", policy)
                flags.append("--policy=\(daemon.folder("policy"))")
            }
            try daemon.start(flags)
            probe = try daemon.connect()
        }
        try settle()
    }

    func stop() throws(Stuck) {
        try system { () throws(Failure) in try daemon.stop() }
        probe = nil
    }

    func write(policy: [UInt8]) throws(Stuck) {
        try system { () throws(Failure) in try daemon.folder.write("policy", policy) }
    }

    func hangUpSignal() throws(Stuck) {
        daemon.program?.signal(SIGHUP)
        try settle()
    }

    func kill() throws(Stuck) {
        daemon.kill()
        probe = nil
        clients = [:]
    }

    func pause() throws(Stuck) { daemon.program?.pause() }
    func resume() throws(Stuck) { daemon.program?.signal(SIGCONT) }

    func connect(_ name: String, uid: UInt32?) throws(Stuck) -> (pid: Int32, command: String) {
        clients[name] = try system { () throws(Failure) in try daemon.connect(uid: uid) }
        return (getpid(), command)
    }

    private func client(_ name: String) throws(Stuck) -> Client {
        guard let client = clients[name] else { throw Stuck("\(name) is not connected") }
        return client
    }

    func send(_ name: String, _ bytes: [UInt8]) throws(Stuck) { try client(name).send(bytes) }
    func endInput(_ name: String) throws(Stuck) { try client(name).endInput() }

    func hangUp(_ name: String) throws(Stuck) {
        try client(name).hangUp()
        clients[name] = nil
    }

    func next(_ name: String) throws(Stuck) -> Arrival {
        switch try client(name).next() {
        case .line(let line): .line(line)
        case .closed: .closed
        case .timeout: .nothing
        }
    }

    /// Twice: a connection that is taken is first read in the pass after.
    func settle() throws(Stuck) {
        for _ in 0..<2 {
            guard let probe else { return }
            guard probe.ask("ping") == "OK" else {
                throw Stuck("the daemon does not answer any more: \(daemon.messages(ofLast: 400))")
            }
        }
    }

    func unread(_ name: String) throws(Stuck) -> [UInt8] { try client(name).waiting() }

    func isClosed(_ name: String) throws(Stuck) -> Bool { try client(name).isClosedByPeer }

    func startProcess(_ name: String, uid: UInt32?) throws(Stuck) -> Int32 {
        let program = try system { () throws(Failure) in try Program(["/bin/sleep", "300"], uid: uid) }
        processes[name] = program
        return program.pid
    }

    func endProcess(_ name: String) throws(Stuck) {
        guard let program = processes[name] else { throw Stuck("there is no process \(name)") }
        program.killUnreaped()
    }
}

// `lease sandbox`: a command with a daemon of its own, in a folder of its own, both gone afterwards.

import CLaunch
import Glibc
import LeaseClient
import LeaseModel

enum Sandbox {
    /// - Returns: the exit code.
    static func run(_ call: Invocation) throws(Complaint) -> Int32 {
        let binary = try DaemonBinary.path()
        let program = try Program(lastWords: call.command?.count ?? 0)
        let signals = try Signals(keepsStops: Terminal.isThere)
        let command = try Command(
            program, signals: signals, hasOwnGroup: !Terminal.isThere, removed: Held.variables)
        do throws(Complaint) {
            return try run(call, command, binary, signals)
        } catch {
            command.dismiss()
            throw error
        }
    }

    private static func run(
        _ call: Invocation, _ command: Command, _ binary: String, _ signals: borrowing Signals
    ) throws(Complaint) -> Int32 {
        let folder = try makeFolder()
        defer { claunch_remove_tree(folder) }
        // The daemon ends with us by itself, and may write until it has.
        let guardian = try Guard(of: command.hasOwnGroup ? command.pid : nil) {
            for _ in 0..<500 where claunch_remove_tree(folder) != 0 { usleep(20_000) }
        }
        let daemon = try PrivateDaemon(binary, in: folder, call)
        defer { daemon.stop() }
        if let signal = try daemon.waitUntilReady(signals) {
            command.dismiss()
            return Run.interrupted(signal)
        }
        try command.begin([("LEASED_SOCKET", daemon.socketPath)])
        var supervision = try Supervision(command, call, nil, subject: "")
        let end = supervision.run(signals)
        _ = supervision.release()
        daemon.stop()
        _ = consume guardian
        if let failure = command.failure { throw failure }
        if let signal = end.terminalSignal {
            claunch_remove_tree(folder)
            claunch_die_by(signal)
        }
        return end.outcome.exitCode
    }

    /// With a short path, since that of a socket has at most 107 bytes.
    private static func makeFolder() throws(Complaint) -> String {
        let wanted = Held.absolute(Environment["TMPDIR"] ?? "/tmp")
        let parent = wanted.utf8.count <= 80 ? wanted : "/tmp"
        var template = Array("\(parent)/lease-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .system("a folder in \(parent) can't be made") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Where the daemon's program is.
private enum DaemonBinary {
    /// Beside our own, else where the shell would find it.
    static func path() throws(Complaint) -> String {
        var own = [CChar](repeating: 0, count: 4_096)
        let count = max(0, readlink("/proc/self/exe", &own, own.count - 1))
        let bytes = own.prefix(count).map { UInt8(bitPattern: $0) }
        let end = bytes.lastIndex(of: UInt8(ascii: "/")) ?? 0
        let beside = String(decoding: bytes[..<end], as: UTF8.self) + "/leased"
        if access(beside, X_OK) == 0 { return beside }
        let folders = (Environment["PATH"] ?? "").split(separator: ":")
        for folder in folders where access("\(folder)/leased", X_OK) == 0 { return "\(folder)/leased" }
        throw Complaint(.noDaemon, "there is no leased: neither at \(beside) nor on $PATH")
    }
}

/// A daemon that ends with us.
private final class PrivateDaemon {
    let socketPath: String
    private let pid: pid_t
    private let ready: Int32
    private var isStopped = false

    init(_ binary: String, in folder: String, _ call: Invocation) throws(Complaint) {
        socketPath = folder + "/s"
        var words = [
            binary, "--socket=\(socketPath)", "--data=\(folder)/data", "--sync=never", "--ready-fd=3",
            "--exit-with-parent", "--log-level=error",
            "--clock=\(call.hasManualClock ? "manual" : "system")",
        ]
        if let policy = call.policyPath { words.append("--policy=\(policy)") }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .system("a pipe can't be had") }
        ends.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
        ready = ends[0]
        pid = try PrivateDaemon.spawn(words, ready: ends[1])
        close(ends[1])
    }

    /// In a process group of its own: what the terminal says to the command is not for the daemon.
    private static func spawn(_ words: [String], ready: Int32) throws(Complaint) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        // A high one, since 3 itself would stay close-on-exec.
        let high = fcntl(ready, F_DUPFD_CLOEXEC, 10)
        defer { close(high) }
        posix_spawn_file_actions_adddup2(&actions, high, 3)
        for standard: Int32 in 0...1 {
            posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0)
        }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETPGROUP))
        let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var started: pid_t = 0
        let code = posix_spawn(&started, words[0], &actions, &attributes, arguments, environ)
        guard code == 0 else {
            throw Complaint(.fault, "\(words[0]) can't be executed: \(systemText(code))")
        }
        return started
    }

    /// - Returns: the signal that ended the wait.
    func waitUntilReady(_ signals: borrowing Signals) throws(Complaint) -> Signals.Signal? {
        let deadline = BootClock.now() + .seconds(30)
        while BootClock.now() < deadline {
            while let signal = signals.next() {
                if !Signals.isHarmless(signal.number) { return signal }
            }
            var looks = [ready, signals.descriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            poll(&looks, 2, 1_000)
            guard looks[0].revents != 0 else { continue }
            var byte: UInt8 = 0
            if read(ready, &byte, 1) == 1 { return nil }
            // It has said why.
            throw Complaint(code: exitCode(), "the daemon did not start")
        }
        throw Complaint(.fault, "the daemon did not start in time")
    }

    private func exitCode() -> Int32 {
        let outcome = end(within: .seconds(5))
        return outcome == nil || outcome == .exited(0) ? ExitCode.fault.rawValue : outcome?.exitCode ?? 0
    }

    /// Ends it, in order if it can.
    func stop() {
        guard !isStopped else { return }
        kill(pid, SIGTERM)
        _ = end(within: .seconds(5))
    }

    /// Waits for its end, and makes it then.
    private func end(within patience: Duration) -> Outcome? {
        isStopped = true
        let deadline = BootClock.now() + patience
        var state = Command.state(of: pid)
        while state == .runs || state == .isStopped, BootClock.now() < deadline {
            usleep(2_000)
            state = Command.state(of: pid)
        }
        kill(pid, SIGKILL)
        claunch_reap(pid)
        guard case .ended(let outcome) = state else { return nil }
        return outcome
    }
}

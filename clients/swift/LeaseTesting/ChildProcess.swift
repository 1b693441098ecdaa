// Another process: started, signalled, waited for.

internal import LeaseClient

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// Killed and waited for when nobody holds it any more.
final class ChildProcess: Sendable {
    private let pid: pid_t
    private let hasEnded = Guarded(false)

    /// Starts a program with its output thrown away, in a process group of its own: what a terminal sends to
    /// the test's group does not reach it. `descriptors` are ours that it gets, under its numbers.
    init(
        _ words: [String], descriptors: [(ours: Int32, theirs: Int32)]
    ) throws(LeaseRigError) {
        #if canImport(Glibc)
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #else
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for standard: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0)
        }
        // High ones first, so that none of theirs is in the way of one of ours.
        let copies = descriptors.map { (ours: fcntl($0.ours, F_DUPFD_CLOEXEC, 64), theirs: $0.theirs) }
        defer { copies.forEach { _ = close($0.ours) } }
        for copy in copies {
            posix_spawn_file_actions_adddup2(&actions, copy.ours, copy.theirs)
        }
        // The thread that starts it takes no signals; the new process is to.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        #if canImport(Glibc)
            let environment = environ
        #else
            let environment = _NSGetEnviron().pointee
        #endif
        let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var started: pid_t = 0
        let code = posix_spawn(&started, words[0], &actions, &attributes, arguments, environment)
        guard code == 0 else {
            throw LeaseRigError("\(words[0]) can't be started: \(String(cString: strerror(code)))")
        }
        pid = started
    }

    deinit { kill() }

    func signal(_ signal: Int32) {
        hasEnded.withLock { if !$0 { Self.send(signal, to: pid) } }
    }

    /// Ends it at once.
    func kill() {
        signal(SIGKILL)
        wait()
    }

    func wait() {
        hasEnded.withLock { hasEnded in
            while !hasEnded {
                var status: Int32 = 0
                hasEnded = waitpid(pid, &status, 0) == pid || errno != EINTR
            }
        }
    }

    private static func send(_ signal: Int32, to pid: pid_t) {
        #if canImport(Glibc)
            _ = Glibc.kill(pid, signal)
        #else
            _ = Darwin.kill(pid, signal)
        #endif
    }
}

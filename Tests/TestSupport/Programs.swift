// Other processes: started, signalled, waited for.

internal import CTestSupport
package import Glibc
private import Synchronization

/// After so many seconds a test takes for hung what it waits for. This says nothing of how long that may
/// take: a machine with much to do, and a sanitizer, make all of it slow.
package let patience = 120

/// Something of the system did not work: the test can't go on.
package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    static func last(_ what: String) -> Failure {
        Failure("\(what): \(String(cString: strerror(errno)))")
    }
}

/// A descriptor is open twice while a program is being started: in this process, and in the new one until it
/// runs. A connection that is closed meanwhile would not be closed for its peer, so no closing happens beside
/// a start.
private let startsAndClosings = Mutex(())

/// Closes a descriptor, for everybody.
package func closeForAll(_ descriptor: Int32) {
    startsAndClosings.withLock { _ in _ = close(descriptor) }
}

/// A pipe that programs don't get unless they are given it: the end to read from, the end to write to.
package func makePipe() throws(Failure) -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    let code = startsAndClosings.withLock { _ in
        let code = pipe(&ends)
        ends.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
        return code
    }
    guard code == 0 else { throw .last("a pipe") }
    return (ends[0], ends[1])
}

/// Does something on this thread as another user. Only for root.
package func asUser<Result>(_ uid: UInt32?, _ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    guard let uid, uid != geteuid() else { return try body() }
    guard ctest_set_thread_users(uid, uid, 0) == 0 else { throw .last("becoming uid \(uid)") }
    defer { precondition(ctest_set_thread_users(0, 0, 0) == 0, "root can't be had back") }
    return try body()
}

/// A child process, killed and waited for when nobody uses it any more.
package final class Program {
    package let pid: pid_t
    private var status: Int32?

    /// Nothing of ours but what sanitizers are told.
    package static let usualEnvironment: [String] = {
        let kept = ["ASAN_OPTIONS", "TSAN_OPTIONS"].compactMap { (name: String) -> String? in
            getenv(name).map { name + "=" + String(cString: $0) }
        }
        return ["PATH=/usr/bin:/bin"] + kept
    }()

    /// Starts a program by its path. What the new one is to have open stands in `descriptors`, ours by
    /// theirs; of our own input and output it gets nothing.
    package init(
        _ words: [String], environment: [String] = Program.usualEnvironment,
        descriptors: [Int32: Int32] = [:], uid: UInt32? = nil
    ) throws(Failure) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for standard: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0)
        }
        // Threads of the tests block signals, and whoever they start would go on blocking them.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // What nohup(1) or a script's & made us ignore, a shell that we start could not even trap.
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        // High ones of ours, so that none of theirs is in the way.
        let copies = descriptors.mapValues { fcntl($0, F_DUPFD_CLOEXEC, 64) }
        defer { copies.values.forEach(closeForAll) }
        for (theirs, ours) in copies {
            posix_spawn_file_actions_adddup2(&actions, ours, theirs)
        }
        let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        let variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var started: pid_t = 0
        let code = try asUser(uid) { () throws(Failure) in
            startsAndClosings.withLock { _ in
                posix_spawn(&started, words[0], &actions, &attributes, arguments, variables)
            }
        }
        guard code == 0 else { throw Failure("starting \(words[0]): \(String(cString: strerror(code)))") }
        pid = started
    }

    /// Starts a program on a terminal of its own, whose other side is given.
    package init(
        onTerminal words: [String], environment: [String], side: inout Int32
    ) throws(Failure) {
        let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        let variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        let started = startsAndClosings.withLock { _ in
            ctest_start_on_terminal(words[0], arguments, variables, &side)
        }
        guard started > 0 else { throw .last("starting \(words[0]) on a terminal") }
        pid = started
    }

    deinit {
        guard status == nil else { return }
        _ = Glibc.kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    package func signal(_ signal: Int32) {
        if status == nil { _ = Glibc.kill(pid, signal) }
    }

    /// Ends it at once and leaves it as a zombie, so that its pid is nobody else's.
    package func killUnreaped() {
        signal(SIGKILL)
        var about = siginfo_t()
        while waitid(P_PID, id_t(pid), &about, WEXITED | WNOWAIT) == -1, errno == EINTR {}
    }

    /// Stops it (SIGSTOP) and waits until it has.
    package func pause() {
        signal(SIGSTOP)
        var about = siginfo_t()
        while waitid(P_PID, id_t(pid), &about, WSTOPPED | WEXITED | WNOWAIT) == -1, errno == EINTR {}
    }

    /// Waits for its end.
    /// - Returns: the exit code, 128 + the signal that killed it, or nil where it goes on longer.
    package func exitCode(within seconds: Int = patience) -> Int32? {
        let deadline = milliseconds() + Int64(seconds) * 1_000
        while status == nil {
            var found: Int32 = 0
            if waitpid(pid, &found, WNOHANG) == pid {
                status = found
            } else if milliseconds() > deadline {
                return nil
            } else {
                usleep(500)
            }
        }
        let status = status ?? 0
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }
}

/// Runs a program, and throws where it fails.
package func run(_ words: String...) throws(Failure) {
    guard try Program(words).exitCode() == 0 else { throw Failure("\(words) failed") }
}

/// The word behind a name in a file of /proc.
package func field(_ name: String, of path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
        let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let words = String(decoding: bytes, as: UTF8.self).split { " \t\n".contains($0) }
        if words.count > 1, words[0] == name[...] { return String(words[1]) }
    }
    return nil
}

/// Of a clock that nobody sets.
package func milliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
}

/// Whether a condition comes to hold within a while.
package func holds(within seconds: Int = patience, _ condition: () -> Bool) -> Bool {
    let deadline = milliseconds() + Int64(seconds) * 1_000
    while !condition() {
        guard milliseconds() < deadline else { return false }
        usleep(5_000)
    }
    return true
}

/// A private folder with a short path (a socket's must be short), gone when nobody uses it any more.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// With `isOpen`, other users may pass through it.
    package init(isOpen: Bool = false, under place: String = "/tmp") throws(Failure) {
        var template = Array("\(place)/lt-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .last("making a folder under \(place)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if isOpen { chmod(path, 0o711) }
    }

    deinit {
        if let removal = try? Program(["/bin/rm", "-rf", path]) { _ = removal.exitCode() }
    }

    package func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    package func write(_ name: String, _ bytes: [UInt8]) throws(Failure) {
        guard let file = fopen(self(name), "w") else { throw .last("writing \(name)") }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw .last("writing \(name)") }
    }
}

// The daemon of a rig, in a private folder that is gone with the test however that ends.

internal import LeaseClient

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// Its methods block, and are called on the rig's keeper.
final class RigDaemon: Sendable {
    private struct Processes: ~Copyable {
        var daemon: ChildProcess?
        var sweeper: ChildProcess?
        /// The end of a pipe that the sweeper reads: it acts when it is closed.
        var sweeperInput: Int32 = -1
        var isPaused = false
    }

    let folder: String
    var socket: String { "\(folder)/s" }
    private let binary: String
    private let flags: [String]
    private let processes = Guarded(Processes())

    init(flags: [String], policy: String?) throws(LeaseRigError) {
        binary = try LeasedBinary.find()
        // A socket's path must be short.
        var template = Array("/tmp/leases-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LeaseRigError("no folder can be made in /tmp") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.flags = flags + (policy == nil ? [] : ["--policy=\(folder)/policy"])
        try processes.withLock { processes throws(LeaseRigError) in
            try RigDaemon.startSweeper(folder, &processes)
        }
        if let policy { try write(policy) }
    }

    /// Starts it, and waits until it serves.
    func start() throws(LeaseRigError) {
        var ready: [Int32] = [-1, -1]
        guard pipe(&ready) == 0 else { throw LeaseRigError("there is no descriptor to spare") }
        ready.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
        defer { close(ready[0]) }
        let messages = open("\(folder)/messages", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        let data = flags.contains("--memory") ? [] : ["--data=\(folder)/data"]
        let words =
            [binary, "--socket=\(socket)", "--sync=never", "--exit-with-parent", "--ready-fd=3"] + data
            + flags
        let daemon: ChildProcess
        do throws(LeaseRigError) {
            defer {
                close(ready[1])
                close(messages)
            }
            daemon = try ChildProcess(words, descriptors: [(messages, 2), (ready[1], 3)])
        } catch {
            throw error
        }
        var look = pollfd(fd: ready[0], events: Int16(POLLIN), revents: 0)
        var byte: UInt8 = 0
        guard poll(&look, 1, 30_000) == 1, read(ready[0], &byte, 1) == 1 else {
            daemon.kill()
            throw LeaseRigError("the daemon did not start: \(self.messages)")
        }
        processes.withLock { $0.daemon = daemon }
    }

    func signal(_ signal: Int32) {
        processes.withLock { $0.daemon?.signal(signal) }
    }

    /// SIGKILL.
    func crash() {
        processes.withLock {
            $0.daemon?.kill()
            $0.daemon = nil
        }
    }

    /// SIGTERM, and what it still has to do is done.
    func stop() {
        processes.withLock {
            $0.daemon?.signal(SIGTERM)
            $0.daemon?.signal(SIGCONT)
            $0.daemon?.wait()
            $0.daemon = nil
        }
    }

    /// Ends it and removes the folder.
    func remove() {
        crash()
        processes.withLock {
            if $0.sweeperInput >= 0 {
                var line = UInt8(ascii: "\n")
                _ = writeByte($0.sweeperInput, &line)
                close($0.sweeperInput)
            }
            $0.sweeperInput = -1
            $0.sweeper?.wait()
            $0.sweeper = nil
        }
    }

    /// The last that it said on stderr.
    var messages: String {
        guard let file = fopen("\(folder)/messages", "r") else { return "" }
        defer { fclose(file) }
        fseek(file, -1_000, SEEK_END)
        var bytes = [UInt8](repeating: 0, count: 1_000)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// A shell that removes the folder when this process says so, or has ended without a word: then the
    /// daemon ends as well, and may have something to write until it has.
    private static func startSweeper(
        _ folder: String, _ processes: inout Processes
    ) throws(LeaseRigError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw LeaseRigError("there is no descriptor to spare") }
        ends.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let script = """
            trap '' HUP INT TERM
            if ! read -r word; then rm -rf "$0"; sleep 1; fi
            rm -rf "$0"
            """
        processes.sweeper = try ChildProcess(["/bin/sh", "-c", script, folder], descriptors: [(ends[0], 0)])
        processes.sweeperInput = ends[1]
    }

    private func write(_ policy: String) throws(LeaseRigError) {
        let file = open("\(folder)/policy", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let bytes = Array(policy.utf8)
        defer { close(file) }
        guard writeBytes(file, bytes) == bytes.count else {
            throw LeaseRigError("the policy can't be written into \(folder)")
        }
    }
}

private func writeByte(_ descriptor: Int32, _ byte: inout UInt8) -> Int {
    write(descriptor, &byte, 1)
}

private func writeBytes(_ descriptor: Int32, _ bytes: [UInt8]) -> Int {
    write(descriptor, bytes, bytes.count)
}

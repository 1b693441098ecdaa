// The built daemon in a private folder: started, stopped, killed, and started again.

package import Glibc

/// One data directory with, most of the time, a daemon on it.
///
/// A daemon ends with the thread that started it: use it on one thread, or keep that thread.
package final class Daemon {
    /// The daemon, built beside the tests.
    package static let binary = builtProgram("leased")

    /// A program of this package.
    package static func builtProgram(_ name: String) -> String {
        var path = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let bytes = path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        let folder = bytes.prefix { _ in true }.split(separator: UInt8(ascii: "/")).dropLast()
        return folder.reduce("") { $0 + "/" + String(decoding: $1, as: UTF8.self) } + "/" + name
    }

    package let folder: TemporaryFolder
    package var socketPath: String { folder("s") }
    package private(set) var program: Program?
    private let isForEverybody: Bool

    /// With `isForEverybody`, users other than this one may connect.
    /// - Parameter dataPath: where it keeps its log; nil: in a private folder.
    package init(isForEverybody: Bool = false, dataPath: String? = nil) throws(Failure) {
        folder = try TemporaryFolder(isOpen: isForEverybody)
        self.isForEverybody = isForEverybody
        self.dataPath = dataPath ?? folder("d")
    }

    package var pid: pid_t? { program?.pid }
    package let dataPath: String
    /// What all of them have said.
    package var messagesPath: String { folder("stderr") }

    /// Starts it and waits until it serves. `wrapper` is a program, with its words, that becomes the daemon.
    package func start(_ flags: [String] = [], wrapper: [String] = []) throws(Failure) {
        guard try serves(flags, wrapper: wrapper) else {
            throw Failure("the daemon did not start: \(messages(ofLast: 400))")
        }
    }

    /// Starts it and waits until it serves, or ends.
    package func serves(_ flags: [String] = [], wrapper: [String] = []) throws(Failure) -> Bool {
        let (notice, noticeOfDaemon) = try makePipe()
        defer { closeForAll(notice) }
        let stderr = open(messagesPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        var words = wrapper + [Daemon.binary, "--socket=\(socketPath)", "--ready-fd=3", "--exit-with-parent"]
        if !flags.contains("--memory") { words.append("--data=\(dataPath)") }
        if isForEverybody { words.append("--mode=0666") }
        do throws(Failure) {
            defer {
                closeForAll(noticeOfDaemon)
                closeForAll(stderr)
            }
            program = try Program(words + flags, descriptors: [2: stderr, 3: noticeOfDaemon])
        } catch {
            throw error
        }
        var ready = pollfd(fd: notice, events: Int16(POLLIN), revents: 0)
        var byte: UInt8 = 0
        return poll(&ready, 1, Int32(patience) * 1_000) == 1 && read(notice, &byte, 1) == 1
    }

    /// SIGTERM, and it must end well. Where it was paused, it goes on with that.
    package func stop() throws(Failure) {
        program?.signal(SIGTERM)
        program?.signal(SIGCONT)
        let code = program?.exitCode()
        guard code == 0 else {
            throw Failure("stopped with code \(code.map { "\($0)" } ?? "none"): \(messages(ofLast: 400))")
        }
        program = nil
    }

    /// SIGKILL.
    package func kill() {
        program?.signal(SIGKILL)
        _ = program?.exitCode()
        program = nil
    }

    /// Waits until it ends by itself.
    package func exitCode(within seconds: Int = patience) -> Int32? {
        defer { program = nil }
        return program?.exitCode(within: seconds)
    }

    package func connect(uid: UInt32? = nil) throws(Failure) -> Client {
        try Client(socketPath, uid: uid)
    }

    package func messages(ofLast count: Int) -> String {
        guard let file = fopen(messagesPath, "r") else { return "" }
        defer { fclose(file) }
        fseek(file, -count, SEEK_END)
        var bytes = [UInt8](repeating: 0, count: count)
        let got = fread(&bytes, 1, count, file)
        return String(decoding: bytes.prefix(got), as: UTF8.self)
    }
}

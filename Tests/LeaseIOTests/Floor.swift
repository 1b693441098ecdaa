// What the tests of the floor share: private folders, other processes, and one test at a time.

import Glibc
import LeaseIO
import Testing

/// All suites are in this one, so that none runs beside another: some change what the whole process shares,
/// such as the umask or the limit on the size of files.
@Suite(.serialized) struct Floor {}

/// The value itself: `#expect` takes calls apart, which it can't do on what can't be copied.
func value<Value>(_ value: Value) -> Value { value }

/// A private folder with a short path (a socket's must be short), gone at the end of the test.
final class Folder {
    let path: String

    init() {
        var template = Array("/tmp/lio-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no folder under /tmp")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { _ = runProgram(["rm", "-rf", path]) }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// A plain file of the test's, with everyday means.
    func put(_ name: String, _ bytes: [UInt8]) {
        let raw = open(self(name), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        precondition(write(raw, bytes, bytes.count) == bytes.count, "can't prepare a file")
        close(raw)
    }

    func size(_ name: String) -> Int? { look(name).map { Int($0.st_size) } }
    func mode(_ name: String) -> UInt32? { look(name).map { $0.st_mode & 0o7777 } }

    private func look(_ name: String) -> stat? {
        var found = stat()
        return lstat(self(name), &found) == 0 ? found : nil
    }
}

/// Starts a program of the system and returns its pid; the caller waits for it.
func startProgram(_ words: [String]) -> pid_t {
    var pid: pid_t = 0
    let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    precondition(posix_spawnp(&pid, words[0], nil, nil, arguments, environ) == 0, "no \(words[0]) here")
    return pid
}

/// Runs a program of the system; returns whether it ended well.
func runProgram(_ words: [String]) -> Bool {
    var status: Int32 = 0
    let pid = startProgram(words)
    while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
    return status == 0
}

/// Whether a descriptor becomes readable within a second.
func becomesReadable(_ raw: Int32, withinMilliseconds limit: Int32 = 1_000) -> Bool {
    var look = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
    return poll(&look, 1, limit) == 1
}

/// A connected pair of non-blocking sockets.
final class SocketPair {
    let near: Descriptor
    private var otherEnd: Descriptor?

    init() {
        var pair: [Int32] = [0, 0]
        precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        for raw in pair { _ = fcntl(raw, F_SETFL, O_NONBLOCK) }
        near = Descriptor(owning: pair[0])
        otherEnd = Descriptor(owning: pair[1])
    }

    var far: Int32 { otherEnd?.raw ?? -1 }

    func hangUp() { otherEnd = nil }
}

/// A blocking connection to a path, -1 where there is none.
func connectTo(_ path: String) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let raw = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let answer = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(raw, $0, size) }
    }
    if answer == 0 { return raw }
    close(raw)
    return -1
}

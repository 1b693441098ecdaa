// A connection that sends and takes lines, and waits only so long.

import Glibc

package final class Client {
    package enum Arrival: Equatable {
        case line([UInt8])
        /// The other side has closed it.
        case closed
        case timeout
    }

    /// -1 once it is closed.
    package private(set) var descriptor: Int32
    /// What has come, of which the beginning was taken.
    private var unread: [UInt8] = []
    private var taken = 0
    /// As far as reading has shown.
    package private(set) var isClosedByPeer = false

    /// Connects; the daemon sees the user that is named.
    package init(_ path: String, uid: UInt32? = nil) throws(Failure) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .last("a socket") }
        guard try connect(path, uid) == 0 else {
            let failure = Failure.last("connecting to \(path)")
            hangUp()
            throw failure
        }
    }

    /// Doesn't wait for room in the queue of who listens.
    /// - Returns: nil where there is none.
    package init?(connectingAtOnceTo path: String) throws(Failure) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .last("a socket") }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        guard try connect(path, nil) == 0 else {
            let failure = Failure.last("connecting to \(path)")
            let isFull = errno == EAGAIN
            hangUp()
            if isFull { return nil }
            throw failure
        }
        _ = fcntl(descriptor, F_SETFL, 0)
    }

    private func connect(_ path: String, _ uid: UInt32?) throws(Failure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        precondition(bytes.count < 108, "the path of a socket is short")
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let raw = descriptor
        return try asUser(uid) { () throws(Failure) in
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
    }

    deinit { hangUp() }

    package func hangUp() {
        if descriptor >= 0 { closeForAll(descriptor) }
        descriptor = -1
    }

    /// Sends nothing more, and goes on reading.
    package func endInput() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// What the other side no longer takes is dropped: that it is gone is seen when reading.
    package func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno != EINTR { return }
            sent += max(0, count)
        }
    }

    package func send(_ line: String) {
        send(Array((line + "\n").utf8))
    }

    /// The next line, without its end.
    package func next(within milliseconds: Int32 = Int32(patience) * 1_000) -> Arrival {
        let deadline = TestSupport.milliseconds() + Int64(milliseconds)
        while true {
            if let end = unread[taken...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(unread[taken..<end])
                taken = end + 1
                return .line(line)
            }
            // Only when more is to come, so that no byte is moved often.
            unread.removeFirst(taken)
            taken = 0
            if isClosedByPeer { return .closed }
            let left = deadline - TestSupport.milliseconds()
            guard receive(within: Int32(max(0, left))) || left > 0 else { return .timeout }
        }
    }

    /// The next line; nil where none comes.
    package func line(within milliseconds: Int32 = Int32(patience) * 1_000) -> String? {
        guard case .line(let bytes) = next(within: milliseconds) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Sends a line, and takes the next that comes.
    package func ask(_ line: String, within milliseconds: Int32 = Int32(patience) * 1_000) -> String? {
        send(line)
        return self.line(within: milliseconds)
    }

    /// What is there already, and not taken.
    package func waiting() -> [UInt8] {
        while receive(within: 0) {}
        return Array(unread[taken...])
    }

    /// - Returns: whether something came.
    private func receive(within milliseconds: Int32) -> Bool {
        var look = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard !isClosedByPeer, poll(&look, 1, milliseconds) == 1 else { return false }
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count < 0, errno == EINTR { return true }
        guard count > 0 else {
            isClosedByPeer = true
            return false
        }
        unread += chunk[..<count]
        return true
    }
}

/// The token that a reply gives; it may begin with its tag.
package func tokenGranted(_ reply: String?) -> UInt64? {
    var words = reply?.split(separator: " ") ?? []
    if words.first?.first == "#" { words.removeFirst() }
    guard words.first == "OK" else { return nil }
    return words.first { $0.hasPrefix("token=") }.flatMap { UInt64($0.dropFirst(6)) }
}

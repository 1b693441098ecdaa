// Messages to stderr that never make the daemon wait: what doesn't fit is dropped, and counted.

import CLinux
import Glibc

/// A stream for messages, usually stderr: a terminal, a pipe, a file or journald's socket.
///
/// Setting O_NONBLOCK on it would set it for everybody who shares it, the shell too. So a pipe or a terminal
/// is opened once more for ourselves, a socket is asked per message; where that can't be had, the stream
/// is asked for room before each message.
package struct LogStream: ~Copyable {
    private enum Way { case socket, direct, askFirst }

    private let raw: Int32
    private let way: Way
    /// Ours, where the stream was opened once more.
    private let own: Descriptor?
    private var isMidLine = false
    /// How many messages were dropped, wholly or in part, since the start.
    package private(set) var dropped: UInt64 = 0

    /// A stream over a descriptor that the caller keeps.
    package init(_ fd: Int32 = 2) {
        var about = stat()
        let kind = fstat(fd, &about) == 0 ? about.st_mode & S_IFMT : 0
        let again = kind == S_IFIFO || kind == S_IFCHR ? LogStream.openAgain(fd) : nil
        raw = again ?? fd
        // A file doesn't make a writer wait, beyond the disk itself.
        let isDirect = again != nil || kind == S_IFREG
        way = isDirect ? .direct : kind == S_IFSOCK ? .socket : .askFirst
        own = again.map { Descriptor(owning: $0) }
    }

    /// Writes one message, its newline included, or drops it. Never waits.
    package mutating func write(_ message: [UInt8]) {
        let bytes = isMidLine ? [UInt8(ascii: "\n")] + message : message
        let taken = attempt(bytes)
        if taken > 0 { isMidLine = taken < bytes.count }
        if taken < bytes.count { dropped += 1 }
    }

    private func attempt(_ bytes: [UInt8]) -> Int {
        let answer = try? check {
            switch way {
            case .socket: clinux_socket_send(raw, bytes, bytes.count)
            case .direct: Glibc.write(raw, bytes, bytes.count)
            // A pipe that has room takes PIPE_BUF (4,096) bytes at once; more might wait for its reader.
            case .askFirst: hasRoom ? Glibc.write(raw, bytes, min(bytes.count, 4_096)) : 0
            }
        }
        return answer ?? 0
    }

    private var hasRoom: Bool {
        var look = pollfd(fd: raw, events: Int16(POLLOUT), revents: 0)
        return poll(&look, 1, 0) == 1 && look.revents & Int16(POLLOUT) != 0
    }

    /// The same pipe or terminal with flags of our own; nil where the system doesn't let us.
    private static func openAgain(_ fd: Int32) -> Int32? {
        let flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        return try? check { open("/proc/self/fd/\(fd)", flags) }
    }
}

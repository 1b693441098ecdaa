// Why a socket can't be listened on: the facts, and the sentence.

/// Why a listener couldn't be made.
package enum ListenerError: Error, Equatable, Sendable {
    /// The system has room for `bytesMax` bytes of a socket's path.
    case pathTooLong(path: String, bytes: Int, bytesMax: Int)
    /// An empty path, one that ends in a slash, or one with a NUL in it.
    case pathUnusable(path: String)
    /// Something else stands there. It is never removed.
    case notSocket(path: String)
    /// Somebody answers there; nil where the system doesn't say who.
    case live(path: String, pid: Int32?)
    /// Another process has been starting at this path for seconds.
    case startInProgress(path: String)
    /// `doing` is a verb with its object, as in "bind the socket".
    case system(path: String, doing: String, Errno)
}

extension ListenerError: CustomStringConvertible {
    /// One clear sentence, without its full stop.
    package var description: String {
        switch self {
        case .pathTooLong(let path, let bytes, let bytesMax):
            "the socket's path \(path) is \(bytes) bytes long, and the system takes \(bytesMax)"
        case .pathUnusable(let path):
            "\"\(path)\" can't be the path of a socket"
        case .notSocket(let path):
            "\(path) exists and is not a socket; move it away or choose another path"
        case .live(let path, let pid):
            "\(path) is served by " + (pid.map { "process \($0)" } ?? "another process") + " already"
        case .startInProgress(let path):
            "another process is starting at \(path) and doesn't get done"
        case .system(let path, let doing, let error):
            "can't \(doing) at \(path): \(error)"
        }
    }
}

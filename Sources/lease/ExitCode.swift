// What the program's exit code says, where it is not the command's own.

enum ExitCode: Int32, CaseIterable, Sendable {
    case done = 0
    /// The command line is wrong.
    case usage = 64
    /// A log is damaged, or no log.
    case damaged = 65
    case noFile = 66
    case noDaemon = 69
    /// Our own fault, or the system's.
    case fault = 70
    /// Not granted: somebody has the key, or the wait is over.
    case busy = 75
    case forbidden = 77
    /// The lease has ended.
    case lost = 79
    /// The command was found, and could not be executed.
    case notExecutable = 126
    case notFound = 127

    /// What `--help` says of it; nil: nothing.
    var meaning: String? {
        switch self {
        case .done: "done"
        case .usage: "the command line is wrong"
        case .damaged: "the log is damaged"
        case .noFile: "there is no such file"
        case .noDaemon: "no daemon"
        case .fault: "a fault of lease, of the daemon or of the system"
        case .busy: "not granted: somebody has the key, or the wait is over"
        case .forbidden: "not allowed"
        case .lost: "the lease is lost: it has ended"
        case .notExecutable: "the command can't be executed"
        case .notFound: "there is no such command"
        }
    }
}

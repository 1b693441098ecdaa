// What stops the daemon's start: an exit code and a sentence.

import Glibc
import LeaseIO

/// Why the daemon does not start, for whoever started it.
struct Complaint: Error, Equatable {
    /// The codes of sysexits(3) that the daemon uses.
    enum Code: Int32 {
        /// EX_USAGE: the command line is wrong.
        case usage = 64
        /// EX_DATAERR: the log is damaged.
        case damagedData = 65
        /// EX_NOINPUT: the policy file can't be read.
        case unreadablePolicy = 66
        /// EX_UNAVAILABLE: another process has the socket or the data directory.
        case inUse = 69
        /// EX_SOFTWARE: our own mistake.
        case internalFault = 70
        /// EX_CANTCREAT: a file, directory or socket can't be made.
        case cannotCreate = 73
        /// EX_IOERR: the disk fails.
        case io = 74
        /// EX_NOPERM: the system, or our own caution, forbids it.
        case forbidden = 77
        /// EX_CONFIG: the policy or the environment is wrong.
        case config = 78
    }

    let code: Code
    /// One clear sentence, without its full stop and without the program's name.
    let sentence: String

    init(_ code: Code, _ sentence: String) {
        self.code = code
        self.sentence = sentence
    }

    var exitCode: Int32 { code.rawValue }
}

extension Complaint {
    /// About a directory, with what to do about it where there is something.
    init(_ error: DirectoryError, advice: String? = nil) {
        let code: Code =
            switch error {
            case .notDirectory, .symlink: .cannotCreate
            case .foreignOwner, .writableByOthers: .forbidden
            case .locked: .inUse
            case .system(_, let errno): Complaint.code(of: errno, otherwise: .cannotCreate)
            }
        self.init(code, error.description + (advice.map { "; \($0)" } ?? ""))
    }

    /// About the socket.
    init(_ error: ListenerError) {
        let code: Code =
            switch error {
            case .pathTooLong, .pathUnusable, .notSocket: .cannotCreate
            case .live, .startInProgress: .inUse
            case .system(_, _, let errno): Complaint.code(of: errno, otherwise: .cannotCreate)
            }
        self.init(code, error.description)
    }

    /// The code for a failed system call: missing rights and broken disks are told apart from all the rest.
    static func code(of errno: Errno, otherwise: Code) -> Code {
        switch errno.code {
        case EACCES, EPERM: .forbidden
        case EIO: .io
        default: otherwise
        }
    }
}

// What a system call says when it fails, and the one funnel through which every failure passes.

import CLinux
import Glibc

/// A failed system call's error number.
package struct Errno: Error, Equatable, Hashable, Sendable {
    /// The number as the system defines it; -1 for `notRegularFile`, which is our own.
    package let code: Int32

    package init(code: Int32) { self.code = code }

    /// What stands at a name isn't a regular file. The system has no number for it: a FIFO or a device
    /// opens without complaint.
    package static let notRegularFile = Errno(code: -1)

    /// The name of the number, as in `ENOSPC`.
    package var name: String {
        self == .notRegularFile ? "not-regular" : String(cString: clinux_errno_name(code))
    }

    /// Whether there is no room: disk, quota, or the limit on a file's size.
    package var isNoSpace: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }

    /// Whether what stands at a name is a link, a directory, a FIFO or a device where a file belongs.
    package var isAboutWhatIsNoFile: Bool {
        self == .notRegularFile || code == ELOOP || code == EISDIR || code == ENXIO
    }

    /// Whether there is no process of a number: it is nobody's, or by now that of a thread (EINVAL, or ENOENT
    /// of later kernels).
    package var isNoProcess: Bool { code == ESRCH || code == EINVAL || code == ENOENT }

    static let interrupted = Errno(code: EINTR)

    /// The error of the call that failed last on this thread.
    static var last: Errno { Errno(code: errno) }
}

extension Errno: CustomStringConvertible {
    /// The system's sentence, as in `No space left on device`.
    package var description: String {
        self == .notRegularFile ? "Not a regular file" : String(cString: clinux_errno_text(code))
    }
}

/// Makes a system call that answers -1 on failure, again as long as a signal cuts it short.
///
/// Not for close(2), which has closed even when it was cut short.
@discardableResult
func check<Answer: FixedWidthInteger & SignedInteger>(_ call: () -> Answer) throws(Errno) -> Answer {
    while true {
        let answer = call()
        if answer != -1 { return answer }
        let failure = Errno.last
        if failure.code != EINTR { throw failure }
    }
}

/// The same, where one error is an answer as well: nil for it.
func check<Answer: FixedWidthInteger & SignedInteger>(
    nilFor code: Int32, _ call: () -> Answer
) throws(Errno) -> Answer? {
    do {
        return try check(call)
    } catch {
        if error.code == code { return nil }
        throw error
    }
}

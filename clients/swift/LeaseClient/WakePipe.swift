// How one thread wakes another that sleeps in poll(2).

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// A pipe that is readable once somebody woke its reader. Both ends stay open as long as anybody holds it: to
/// write where nobody can read raises a signal that ends the program.
final class WakePipe: Sendable {
    struct Failure: Error {
        let code: Int32
    }

    /// The end to look at.
    let readable: Int32
    private let writable: Int32

    init() throws(Failure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure(code: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        readable = ends[0]
        writable = ends[1]
    }

    deinit {
        close(writable)
        close(readable)
    }

    func wake() {
        var byte: UInt8 = 0
        write(writable, &byte, 1)
    }

    /// Takes what woke the reader, so that the next look sleeps again.
    func drain() {
        var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        while read(readable, &bytes, 32) == 32 {}
    }
}

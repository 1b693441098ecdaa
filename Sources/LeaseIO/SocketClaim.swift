// The right to look at a socket's place and to take it, for one process at a time.

import CLinux
import Glibc

// The right is a lock on a file `.NAME.claim` beside the socket, held from the look at what stands there
// until somebody listens. Without it, of ten that start at once over a stale socket, one could remove what
// another has just bound. The file goes with the claim; one that a crash left is taken over.
//
// (The directory itself can't be locked for this: it may be a data directory, whose lock a daemon holds for
// its whole life, perhaps the very same daemon.)
extension SocketPlace {
    /// How long to wait for another's claim: it needs a few system calls.
    private static var attemptsMax: Int { 2_500 }
    private static var pauseMicroseconds: UInt32 { 2_000 }

    /// Does something while this place is claimed; waits for the claim a few seconds at the most.
    func whileClaimed<Answer: ~Copyable>(
        _ body: (borrowing SocketPlace) throws(ListenerError) -> Answer
    ) throws(ListenerError) -> Answer {
        let claim = try waitForClaim()
        defer {
            // The file goes before the lock does: who waits for the lock finds out that it is worth nothing.
            _ = unlinkat(directory.raw, claimName, 0)
            closeDescriptor(claim)
        }
        return try body(self)
    }

    private var claimName: String { ".\(name).claim" }

    private func waitForClaim() throws(ListenerError) -> Int32 {
        for _ in 0..<SocketPlace.attemptsMax {
            let claim = try attempt("claim the socket's place") { () throws(Errno) in try tryToClaim() }
            if let claim { return claim }
            usleep(SocketPlace.pauseMicroseconds)
        }
        throw .startInProgress(path: path)
    }

    /// The claim's descriptor, nil where another has it.
    private func tryToClaim() throws(Errno) -> Int32? {
        // O_NONBLOCK and O_NOFOLLOW: in a directory of many, a FIFO or a link may stand there.
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = Descriptor(owning: try check { openat(directory.raw, claimName, flags, 0o600) })
        guard try check(nilFor: EWOULDBLOCK, { clinux_lock_exclusively(file.raw) }) != nil else { return nil }
        // The one before us may have removed the file that we opened: another can hold its successor.
        let named = try FileFacts.at(claimName, under: directory.raw)
        guard try FileFacts(of: file.raw).identity == named?.identity else { return nil }
        return file.release()
    }
}

// What a command writes to its standard output: passed on to ours as it comes, and kept to be shared.

import Glibc
import LeaseModel

final class CommandOutput {
    /// Of a pipe that has room: so much it takes without making its writer wait.
    private static let pieceBytesMax = 4_096

    /// For the command; -1 once it is closed.
    private(set) var end: Int32
    /// -1 once nothing more comes, or is wanted.
    private var input: Int32
    /// No more than what shows that it is too long.
    private var kept: [UInt8] = []
    /// Read, and not written yet.
    private var rest: ArraySlice<UInt8> = []
    /// Why nothing can be written any more: an error number.
    private var failure: Int32?

    init() throws(Complaint) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .system("a pipe can't be had") }
        ends.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        input = ends[0]
        end = ends[1]
    }

    /// To be called when the command has its own.
    func closeEnd() {
        if end >= 0 { close(end) }
        end = -1
    }

    /// What was written, as it is shared; nil: it is too long for that.
    var result: Text? {
        let text = Text(encoding: kept)
        return text.bytes.count <= Limits.resultBytesMax ? text : nil
    }

    /// Why not all of it could be printed.
    var complaint: Complaint? {
        failure.map { Complaint(.fault, "the output can't be printed: \(systemText($0))") }
    }

    /// What `pass` waits for: what is read must be written first, so that a slow reader slows the command
    /// down, and never us.
    var look: pollfd? {
        if !rest.isEmpty { return pollfd(fd: 1, events: Int16(POLLOUT), revents: 0) }
        return input < 0 ? nil : pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    }

    /// Passes on what can be. Never waits.
    func pass() {
        writeOn()
        if rest.isEmpty { readOn() }
        writeOn()
    }

    /// Of a command that has ended: takes what it left in the pipe. What its children may still write is
    /// nobody's.
    func takeRest() {
        while readOn() {}
        if input >= 0 { close(input) }
        input = -1
    }

    /// Writes somebody else's output.
    func write(_ bytes: [UInt8], _ signals: borrowing Signals) -> Signals.Signal? {
        rest += bytes
        return finish(signals)
    }

    /// Writes the rest, and waits for its reader.
    /// - Returns: the signal that ended that.
    func finish(_ signals: borrowing Signals) -> Signals.Signal? {
        while true {
            writeOn()
            guard !rest.isEmpty else { return nil }
            while let signal = signals.next() {
                if !Signals.isHarmless(signal.number) { return signal }
            }
            var looks = [1, signals.descriptor].map { pollfd(fd: $0, events: Int16(POLLOUT), revents: 0) }
            looks[1].events = Int16(POLLIN)
            poll(&looks, 2, 1_000)
        }
    }

    /// - Returns: whether there was something.
    @discardableResult
    private func readOn() -> Bool {
        guard input >= 0 else { return false }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = read(input, &bytes, bytes.count)
        if count > 0 {
            let piece = bytes[..<count]
            kept += piece.prefix(Limits.resultBytesMax + 1 - kept.count)
            if failure == nil { rest += piece }
        }
        // Where nobody reads and nobody shares it, the command is to see that as without us.
        let isInVain = failure != nil && kept.count > Limits.resultBytesMax
        if count == 0 || isInVain {
            close(input)
            input = -1
        }
        return count > 0
    }

    private func writeOn() {
        while !rest.isEmpty {
            var look = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
            guard poll(&look, 1, 0) == 1 else { return }
            let piece = rest.prefix(CommandOutput.pieceBytesMax)
            let count = piece.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            if count < 0, errno == EAGAIN { return }
            if count < 0, errno != EINTR {
                failure = errno
                rest = []
                return
            }
            rest = rest.dropFirst(max(0, count))
        }
    }
}

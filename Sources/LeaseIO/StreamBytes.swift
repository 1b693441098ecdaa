// Bytes from and to a connection, without ever waiting for it.

import CLinux
import Glibc

/// What came of an attempt to read.
package enum ReadOutcome: Equatable, Sendable {
    case bytes(Int)
    case wouldBlock
    /// The peer has finished sending.
    case end
    case failed(Errno)
}

/// What came of an attempt to send.
package enum SendOutcome: Equatable, Sendable {
    /// How many the kernel took: at least one, maybe not all.
    case bytes(Int)
    case wouldBlock
    case failed(Errno)

    /// How many the kernel took; nil: it takes no more.
    package var count: Int? {
        switch self {
        case .bytes(let count): count
        case .wouldBlock: 0
        case .failed: nil
        }
    }
}

/// Reads what is there from a socket, as much as fits in.
///
/// Descriptors that a peer sends along are dropped by the kernel: there is no place for them in this call.
package func readAvailable(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
    precondition(buffer.count > 0, "an empty buffer can't tell bytes from their end")
    do {
        let room = buffer.count
        let got = try check(nilFor: EAGAIN) { clinux_socket_receive(fd, buffer.baseAddress, room) }
        guard let got else { return .wouldBlock }
        return got == 0 ? .end : .bytes(got)
    } catch {
        return .failed(error)
    }
}

/// Hands bytes to a socket, as many as the kernel takes. No bytes are taken at once: `.bytes(0)`.
package func send(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> SendOutcome {
    if bytes.isEmpty { return .bytes(0) }
    do {
        let taken = try check(nilFor: EAGAIN) {
            clinux_socket_send(fd, bytes.baseAddress, bytes.count)
        }
        return taken.map { .bytes($0) } ?? .wouldBlock
    } catch {
        return .failed(error)
    }
}

/// Says on a descriptor that the daemon is ready: one newline, then it is closed.
package func readyNotice(_ fd: Int32) throws(Errno) {
    let notice = Descriptor(owning: fd)
    var newline = UInt8(ascii: "\n")
    try check { write(notice.raw, &newline, 1) }
}

/// Fills an array with random bytes from the kernel.
package func randomBytes(_ count: Int) throws(Errno) -> [UInt8] {
    // Up to this many come whole or not at all.
    precondition(count <= 256, "getrandom may be cut short above 256 bytes")
    var bytes = [UInt8](repeating: 0, count: count)
    try check { clinux_random(&bytes, count) }
    return bytes
}

// Why there is no talk with the daemon.

package enum ConnectionError: Error, Equatable, Sendable {
    /// There is no daemon at any of the places, or it can't be reached there.
    case unavailable(SocketSearch, Unreachable)
    /// The daemon has closed the connection, or is gone. What was asked may have been carried out or not.
    case closed
    /// The deadline has passed. The reply to what was sent may still come.
    case timeout
    /// A line came that is none of the daemon's. The connection is of no use any more.
    case garbled([UInt8])
}

/// Why a socket can't be connected to.
package enum Unreachable: Error, Equatable, Sendable {
    /// Nothing stands at the places.
    case noSocket
    /// A socket file of a daemon that has ended.
    case notListening
    /// This user may not connect.
    case permissionDenied
    /// The daemon accepts nobody: it is stopped, or overwhelmed.
    case notAnswering
    /// A socket's path has at most this many bytes.
    case pathTooLong(bytesMax: Int)
    /// What the system says otherwise.
    case system(code: Int32)
}

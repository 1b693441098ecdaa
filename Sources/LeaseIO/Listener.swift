// A listening socket in the file system: private from the start, and never stolen from somebody alive.

import CLinux
import Glibc

/// A listening stream socket of the Unix domain.
package struct Listener: ~Copyable {
    /// A connection that was accepted. The descriptor is non-blocking, and the caller has to close it; the
    /// rest is what the kernel said of the peer when it connected.
    package struct Peer: Equatable, Sendable {
        package let fd: Int32
        package let uid: UInt32
        package let gid: UInt32
        package let pid: Int32
    }

    /// What came of an attempt to accept.
    package enum AcceptOutcome: Equatable, Sendable {
        case peer(Peer)
        /// Nobody waits.
        case none
        /// No descriptor or no memory is left. The socket stays readable: who doesn't stop to look at it for
        /// a while turns round and round.
        case exhausted(Errno)
        case failed(Errno)
    }

    /// How many may wait to be accepted; the system's own bound (somaxconn) is usually 4,096 too.
    package static let backlog: Int32 = 4_096

    private let place: SocketPlace
    private let bound: Bound

    /// Listens at a path. The mode is what the file has in the end (as in 0o600), whatever the umask says.
    ///
    /// A stale socket, where nobody answers, is replaced. A live one is not, nor is anything else.
    package init(path: String, mode: UInt32) throws(ListenerError) {
        let place = try SocketPlace(path: path)
        bound = try place.whileClaimed { (place) throws(ListenerError) in
            try place.clear()
            return try Listener.bind(at: place, mode: mode)
        }
        self.place = place
    }

    /// For the poller.
    package var raw: Int32 { bound.socket.raw }

    /// Takes the next connection that waits.
    package func accept() -> AcceptOutcome {
        do {
            guard let raw = try check(nilFor: EAGAIN, { clinux_socket_accept(bound.socket.raw) }) else {
                return .none
            }
            return try .peer(Listener.identify(Descriptor(owning: raw)))
        } catch {
            switch error.code {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted(error)
            default: return .failed(error)
            }
        }
    }

    /// Removes the socket's file, unless what stands there is not ours any more.
    ///
    /// To be called while this value lives: as long as the socket is open, a successor finds somebody alive
    /// and leaves the file alone, and the system can't give its number to another file.
    @discardableResult
    package func removeIfOurs() -> Bool {
        guard let found = try? FileFacts.at(place.name, under: place.directory.raw),
            found.identity == bound.identity
        else { return false }
        place.unlink()
        return true
    }

    /// A socket that listens, and the file that leads to it.
    private struct Bound: ~Copyable {
        let socket: Descriptor
        let identity: FileIdentity
    }

    private static func bind(
        at place: borrowing SocketPlace, mode: UInt32
    ) throws(ListenerError) -> Bound {
        let socket = try makeSocket(place)
        try place.bind(socket.raw)
        do {
            let identity = try open(socket.raw, place, mode: mode)
            return Bound(socket: socket, identity: identity)
        } catch {
            // Nobody else can have come between: the place is claimed.
            place.unlink()
            throw .system(path: place.path, doing: "listen", error)
        }
    }

    private static func makeSocket(_ place: borrowing SocketPlace) throws(ListenerError) -> Descriptor {
        do throws(Errno) {
            let socket = Descriptor(owning: try check { clinux_socket_create() })
            // Linux gives the file the mode of the descriptor less the umask. So nobody can slip in between
            // bind and chmod, also where the umask is 0, and no other thread sees a changed umask.
            try check { fchmod(socket.raw, 0o600) }
            return socket
        } catch {
            throw .system(path: place.path, doing: "make a socket", error)
        }
    }

    /// Opened to others last, when there is somebody to answer.
    private static func open(
        _ raw: Int32, _ place: borrowing SocketPlace, mode: UInt32
    ) throws(Errno) -> FileIdentity {
        try check { listen(raw, backlog) }
        try check { fchmodat(place.directory.raw, place.name, mode, AT_SYMLINK_NOFOLLOW) }
        guard let facts = try FileFacts.at(place.name, under: place.directory.raw) else {
            throw Errno(code: ENOENT)
        }
        return facts.identity
    }

    /// Without an answer to who it is, there is no peer.
    private static func identify(_ connection: consuming Descriptor) throws(Errno) -> Peer {
        var pid: Int32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        try check { clinux_socket_peer(connection.raw, &pid, &uid, &gid) }
        return Peer(fd: connection.release(), uid: uid, gid: gid, pid: pid)
    }
}

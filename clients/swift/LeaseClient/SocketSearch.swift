// Where the daemon's socket is: as told, or at the first of the usual places that has one.

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// The places at which a client looks for the socket, and the one that it takes.
package struct SocketSearch: Equatable, Sendable {
    /// Who chose the place.
    package enum Choice: Equatable, Sendable {
        case told
        /// `$LEASED_SOCKET`.
        case environment
        /// Nobody: it is one of the usual places.
        case usual
    }

    package let choice: Choice
    /// In the order in which they were looked at, up to the one that was taken.
    package let places: [String]
    /// The one to connect to; nil where none of the usual places has a socket.
    package let path: String?

    /// Looks as this process would: at what it is told, else at its environment, else at the usual places.
    package init(told: String? = nil) {
        self.init(
            told: told,
            environment: { name in getenv(name).map { String(cString: $0) } },
            uid: geteuid(),
            owner: SocketSearch.owner)
    }

    /// An empty variable counts as one that isn't set. `owner` is that of whatever stands at a path; nil
    /// where there is nothing.
    init(
        told: String?, environment: (_ name: String) -> String?, uid: UInt32,
        owner: (_ path: String) -> UInt32?
    ) {
        func lookUp(_ name: String) -> String? {
            environment(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        if let path = told ?? lookUp("LEASED_SOCKET") {
            choice = told == nil ? .environment : .told
            places = [path]
            self.path = path
            return
        }
        choice = .usual
        let temporary = SocketSearch.join(lookUp("TMPDIR") ?? "/tmp", "leased-\(uid)")
        let usual =
            (lookUp("XDG_RUNTIME_DIR").map { [SocketSearch.join($0, "leased/leased.sock")] } ?? [])
            + ["/run/leased/leased.sock", temporary + "/leased.sock"]
        let taken = usual.firstIndex { path in
            // Anybody could have made a folder of this name in the temporary directory.
            owner(path) != nil && (!path.hasPrefix(temporary) || owner(temporary) == uid)
        }
        path = taken.map { usual[$0] }
        places = taken.map { Array(usual[...$0]) } ?? usual
    }

    private static func owner(of path: String) -> UInt32? {
        var about = stat()
        return lstat(path, &about) == 0 ? about.st_uid : nil
    }

    private static func join(_ directory: String, _ name: String) -> String {
        directory.utf8.last == UInt8(ascii: "/") ? directory + name : "\(directory)/\(name)"
    }
}

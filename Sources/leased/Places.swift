// Where the socket and the data are: as told, or at the default places.

import LeaseIO

/// The places that the daemon works at.
struct Places: Equatable {
    /// Looks up a variable of the environment; nil where it isn't set.
    typealias Environment = (_ name: String) -> String?

    let socketPath: String
    /// Of the socket where nobody chose its place: made if it is missing.
    let socketDirectory: DefaultDirectory?
    /// nil: nothing is kept.
    let dataPath: String?

    /// The directory of a default socket.
    enum DefaultDirectory: Equatable {
        /// In a directory where just we may make something.
        case ofOurs(path: String)
        /// In the temporary directory, where anybody could have made it before us.
        case ofAll(path: String)
    }

    /// Works out the places, without a look at the file system. `uid` is the effective one. An empty
    /// variable counts as one that isn't set; a relative path is relative to the working directory.
    init(_ options: Options, environment: Environment, uid: UInt32) throws(Complaint) {
        func lookUp(_ name: String) -> String? {
            environment(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        if let path = options.socketPath ?? lookUp("LEASED_SOCKET") {
            socketPath = path
            socketDirectory = nil
        } else {
            let directory = Places.defaultSocketDirectory(lookUp, uid: uid)
            socketPath = directory.path + "/leased.sock"
            socketDirectory = directory
        }
        if options.isMemory {
            dataPath = nil
        } else if let path = options.dataPath {
            dataPath = path
        } else {
            dataPath = try Places.defaultDataPath(lookUp, uid: uid)
        }
    }

    /// Makes the socket's directory where it is a default one. (The data directory is made as it is opened.)
    /// Private, but for a socket whose own mode lets others in: they have to get to it.
    func makeDirectories(mode: UInt32) throws(Complaint) {
        guard let socketDirectory else { return }
        let path = socketDirectory.path
        do throws(DirectoryError) {
            try PrivateDirectory.create(path)
            if case .ofAll = socketDirectory { try PrivateDirectory.check(path) }
            if mode & 0o077 != 0 { try PrivateDirectory.letOthersIn(path) }
        } catch {
            throw Complaint(error, advice: "choose another place for the socket with --socket")
        }
    }
}

extension Places.DefaultDirectory {
    var path: String {
        switch self {
        case .ofOurs(let path), .ofAll(let path): path
        }
    }
}

extension Places {
    private static func defaultSocketDirectory(_ lookUp: Environment, uid: UInt32) -> DefaultDirectory {
        if uid == 0 { return .ofOurs(path: "/run/leased") }
        if let runtime = lookUp("XDG_RUNTIME_DIR") { return .ofOurs(path: join(runtime, "leased")) }
        return .ofAll(path: join(lookUp("TMPDIR") ?? "/tmp", "leased-\(uid)"))
    }

    private static func defaultDataPath(_ lookUp: Environment, uid: UInt32) throws(Complaint) -> String {
        // The service manager may name several directories.
        if let first = lookUp("STATE_DIRECTORY")?.split(separator: ":").first { return String(first) }
        if uid == 0 { return "/var/lib/leased" }
        if let state = lookUp("XDG_STATE_HOME") { return join(state, "leased") }
        if let home = lookUp("HOME") { return join(home, ".local/state/leased") }
        throw Complaint(
            .config,
            "there is no place for the data, as neither $HOME nor $XDG_STATE_HOME is set; "
                + "choose one with --data, or keep nothing with --memory")
    }

    private static func join(_ directory: String, _ name: String) -> String {
        directory.utf8.last == UInt8(ascii: "/") ? directory + name : "\(directory)/\(name)"
    }
}

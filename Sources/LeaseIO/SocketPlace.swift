// The place of a socket in the file system: who has it, and one process at a time that may take it.

import CLinux
import Glibc

/// A path for a socket, with its directory held open.
struct SocketPlace: ~Copyable {
    let path: String
    let name: String
    let directory: Descriptor

    init(path: String) throws(ListenerError) {
        let name = try SocketPlace.name(in: path)
        let opened = try SocketPlace.openDirectory(of: path)
        // Assigned last and all together: assigned inside a `do`, swiftc 6.3.1 first destroys what isn't
        // there yet, and so closes whatever number it finds in that memory.
        self.path = path
        self.name = name
        directory = opened
    }

    /// Makes sure that nothing stands at the place; only with a claim.
    func clear() throws(ListenerError) {
        guard let found = try attempt("look", { () throws(Errno) in try facts() }) else { return }
        if !found.isSocket { throw .notSocket(path: path) }
        try refuseIfLive()
        try attempt("remove a stale socket") { () throws(Errno) in
            // A program that doesn't know of claims may have put something else there meanwhile.
            guard try facts()?.identity == found.identity else { throw Errno(code: EADDRINUSE) }
            _ = try check { unlinkat(directory.raw, name, 0) }
        }
    }

    /// Makes the socket's file; only with a claim.
    func bind(_ raw: Int32) throws(ListenerError) {
        try attempt("bind a socket") { () throws(Errno) in
            _ = try check { clinux_socket_bind(raw, path, path.utf8.count) }
        }
    }

    func unlink() {
        _ = unlinkat(directory.raw, name, 0)
    }

    /// Gives a failed system call the place's name and what it was for.
    func attempt<Answer>(
        _ doing: String, _ calls: () throws(Errno) -> Answer
    ) throws(ListenerError) -> Answer {
        do {
            return try calls()
        } catch {
            throw .system(path: path, doing: doing, error)
        }
    }

    private static func name(in path: String) throws(ListenerError) -> String {
        let bytes = path.utf8.count
        let bytesMax = Int(CLINUX_SOCKET_PATH_MAX)
        if bytes > bytesMax { throw .pathTooLong(path: path, bytes: bytes, bytesMax: bytesMax) }
        let name = lastPart(of: path)
        if name.isEmpty || name == "." || name == ".." || path.utf8.contains(0) {
            throw .pathUnusable(path: path)
        }
        return name
    }

    private static func openDirectory(of path: String) throws(ListenerError) -> Descriptor {
        let above = parent(of: path)
        do {
            return Descriptor(owning: try check { open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
        } catch {
            throw .system(path: path, doing: "open the socket's directory", error)
        }
    }

    private func facts() throws(Errno) -> FileFacts? {
        try FileFacts.at(name, under: directory.raw)
    }

    /// Whoever listens there is alive, also when it is stopped or too busy to answer.
    private func refuseIfLive() throws(ListenerError) {
        let raw = try attempt("make a socket") { () throws(Errno) in try check { clinux_socket_create() } }
        let trial = Descriptor(owning: raw)
        do {
            try check { clinux_socket_connect(trial.raw, path, path.utf8.count) }
        } catch {
            switch error.code {
            case ECONNREFUSED, ENOENT: return
            // Its backlog is full, or it is of another type: no connection that would say who it is.
            case EAGAIN, EPROTOTYPE: throw .live(path: path, pid: nil)
            default: throw .system(path: path, doing: "find out who serves the socket", error)
            }
        }
        throw .live(path: path, pid: SocketPlace.server(of: trial.raw))
    }

    private static func server(of connection: Int32) -> Int32? {
        var pid: Int32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        let answer = clinux_socket_peer(connection, &pid, &uid, &gid)
        // 0 is a process that can't be seen from this pid namespace.
        return answer == 0 && pid > 0 ? pid : nil
    }
}

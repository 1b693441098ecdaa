// Directories that only we may write to.

import Glibc

/// Why a directory can't be used.
package enum DirectoryError: Error, Equatable, Sendable {
    case notDirectory(path: String)
    /// Where a link would lead is up to whoever made it.
    case symlink(path: String)
    case foreignOwner(path: String, uid: UInt32)
    case writableByOthers(path: String, mode: UInt32)
    /// Another process works in it; nil where its pid can't be seen from here.
    case locked(path: String, holder: Int32?)
    case system(path: String, Errno)
}

extension DirectoryError: CustomStringConvertible {
    /// One clear sentence, without its full stop.
    package var description: String {
        switch self {
        case .notDirectory(let path):
            "\(path) is not a directory"
        case .symlink(let path):
            "\(path) is a symbolic link; it has to be a directory itself"
        case .foreignOwner(let path, let uid):
            "\(path) belongs to uid \(uid), not to us (uid \(geteuid()))"
        case .writableByOthers(let path, let mode):
            "\(path) can be written to by others (its mode is 0\(String(mode, radix: 8)))"
        case .locked(let path, let holder):
            "\(path) is in use by " + (holder.map { "process \($0)" } ?? "another process")
        case .system(let path, let error):
            "\(path): \(error)"
        }
    }
}

package enum PrivateDirectory {
    /// Makes a directory, and what is missing above it, for us alone (0700). One that exists is left as it
    /// is. Each new name is synced, so that a power cut can't take the directory with what is synced in it.
    /// - Returns: whether it is new.
    @discardableResult
    package static func create(_ path: String) throws(DirectoryError) -> Bool {
        do {
            return try createWhatIsMissing(path)
        } catch {
            throw .system(path: path, error)
        }
    }

    /// Checks that what stands at the path is a directory, ours, and that nobody else may write to it.
    /// For a place in a directory that all may write to, where anybody could have put something first.
    package static func check(_ path: String) throws(DirectoryError) {
        let facts: FileFacts
        do throws(Errno) {
            guard let found = try FileFacts.at(withoutEndSlashes(path)) else {
                throw Errno(code: ENOENT)
            }
            facts = found
        } catch {
            throw .system(path: path, error)
        }
        if facts.isSymlink { throw .symlink(path: path) }
        try check(facts, path: path, forbidden: 0o022)
    }

    /// Lets everybody look into a directory of ours and reach what is in it (adds 055 to its mode), whatever
    /// the umask says. Who may write to it stays as it is.
    package static func letOthersIn(_ path: String) throws(DirectoryError) {
        do throws(Errno) {
            let raw = try LeaseIO.check { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
            let directory = Descriptor(owning: raw)
            let permissions = try FileFacts(of: directory.raw).permissions
            if permissions & 0o055 == 0o055 { return }
            try LeaseIO.check { fchmod(directory.raw, permissions | 0o055) }
        } catch {
            throw .system(path: path, error)
        }
    }

    static func check(_ facts: FileFacts, path: String, forbidden: UInt32) throws(DirectoryError) {
        if !facts.isDirectory { throw .notDirectory(path: path) }
        if facts.owner != geteuid() { throw .foreignOwner(path: path, uid: facts.owner) }
        if facts.permissions & forbidden != 0 {
            throw .writableByOthers(path: path, mode: facts.permissions)
        }
    }

    private static func createWhatIsMissing(_ path: String) throws(Errno) -> Bool {
        do {
            guard try LeaseIO.check(nilFor: EEXIST, { mkdir(path, 0o700) }) != nil else { return false }
        } catch {
            let above = parent(of: path)
            if error.code != ENOENT || above == path { throw error }
            _ = try createWhatIsMissing(above)
            // EEXIST: another process that starts now has just made it.
            guard try LeaseIO.check(nilFor: EEXIST, { mkdir(path, 0o700) }) != nil else { return false }
        }
        try sync(parent(of: path))
        return true
    }

    private static func sync(_ path: String) throws(Errno) {
        let raw = try LeaseIO.check { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        let directory = Descriptor(owning: raw)
        try LeaseIO.check { fsync(directory.raw) }
    }
}

/// The path of the directory that a path is in: "." for a bare name, "/" for the root.
func parent(of path: String) -> String {
    let bytes = Array(withoutEndSlashes(path).utf8)
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == 0 ? "/" : withoutEndSlashes(String(decoding: bytes[..<slash], as: UTF8.self))
}

/// The last part of a path.
func lastPart(of path: String) -> String {
    let bytes = Array(path.utf8)
    let start = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    return String(decoding: bytes[start...], as: UTF8.self)
}

/// A slash at the end would make lstat(2) follow a link.
private func withoutEndSlashes(_ path: String) -> String {
    var bytes = Array(path.utf8)
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
}

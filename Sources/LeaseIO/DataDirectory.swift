// The directory that one process works in: its lock, and the files inside by their bare names.

import CLinux
import Glibc

/// A directory that is ours alone while this value lives.
///
/// Names are bare names in it. Files are reached through the directory's descriptor, so a directory that is
/// moved away takes us along instead of splitting us in two.
package struct DataDirectory: ~Copyable, Sendable {
    package let path: String
    private let directory: Descriptor
    private let isNew: Bool

    /// Opens the directory, or makes it for us alone, and locks it against every other process.
    ///
    /// The lock is on the directory itself. A lock file could be deleted by a clean-up, and then a second
    /// daemon would lock a new file of that name and write to the same log. It ends with the descriptor, so
    /// a crash leaves nothing behind.
    package init(path: String) throws(DirectoryError) {
        let isNew = try PrivateDirectory.create(path)
        let opened = Descriptor(owning: try DataDirectory.open(path))
        try DataDirectory.checkAndLock(opened.raw, path: path)
        self.path = path
        self.isNew = isNew
        directory = opened
    }

    /// For a start that came to nothing: removes the directory if it was made for it and has nothing in it.
    package func removeIfNew() {
        if isNew { rmdir(path) }
    }

    /// A descriptor of the directory, valid as long as this value lives.
    package var raw: Int32 { directory.raw }

    /// Whether the path still leads here: not after somebody moved or removed the directory.
    package func isStillInPlace() throws(Errno) -> Bool {
        var found = stat()
        let ours = try FileFacts(of: raw)
        guard try check(nilFor: ENOENT, { stat(path, &found) }) != nil else { return false }
        return ours.identity == FileIdentity(device: UInt64(found.st_dev), inode: UInt64(found.st_ino))
    }

    /// Whether something of this name exists, of whatever sort.
    package func exists(_ name: String) throws(Errno) -> Bool {
        try FileFacts.at(name, under: raw) != nil
    }

    /// Whether the name still stands for the file of this descriptor.
    func has(_ name: String, for file: Int32) throws(Errno) -> Bool {
        let ours = try FileFacts(of: file)
        guard ours.links > 0, let named = try FileFacts.at(name, under: raw) else { return false }
        return ours.identity == named.identity
    }

    /// The names of all that is in here, in the order of their bytes.
    package func names() throws(Errno) -> [String] {
        // A descriptor of its own, since the place to read on from belongs to it; closedir closes it.
        let fresh = try check { openat(raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard let listing = fdopendir(fresh) else {
            let failure = Errno.last
            closeDescriptor(fresh)
            throw failure
        }
        defer { closedir(listing) }
        var names: [String] = []
        while let name = try DataDirectory.next(listing) {
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Puts one file in the place of another, or of nothing. Durable only with `syncDirectory`.
    package func rename(_ name: String, to newName: String) throws(Errno) {
        try check { renameat(raw, name, raw, newName) }
    }

    /// Removes a file; returns false where there was none. Durable only with `syncDirectory`.
    @discardableResult
    package func remove(_ name: String) throws(Errno) -> Bool {
        try check(nilFor: ENOENT) { unlinkat(raw, name, 0) } != nil
    }

    /// Makes names durable: what was made, renamed or removed.
    package func syncDirectory() throws(Errno) {
        try check { fsync(raw) }
    }

    private static func open(_ path: String) throws(DirectoryError) -> Int32 {
        do {
            return try check { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        } catch {
            throw error.code == ENOTDIR ? .notDirectory(path: path) : .system(path: path, error)
        }
    }

    private static func checkAndLock(_ raw: Int32, path: String) throws(DirectoryError) {
        let facts: FileFacts
        let isLocked: Bool
        do throws(Errno) {
            facts = try FileFacts(of: raw)
            isLocked = try check(nilFor: EWOULDBLOCK) { clinux_lock_exclusively(raw) } != nil
        } catch {
            throw .system(path: path, error)
        }
        // Group writers are let pass: where each user has a group, the usual umask makes them.
        try PrivateDirectory.check(facts, path: path, forbidden: 0o002)
        if !isLocked { throw .locked(path: path, holder: LockTable.holder(of: facts.identity)) }
    }

    /// readdir(3) tells its end from a failure by errno alone.
    private static func next(_ listing: OpaquePointer) throws(Errno) -> String? {
        errno = 0
        guard let entry = readdir(listing) else {
            if errno != 0 { throw Errno.last }
            return nil
        }
        return withUnsafeBytes(of: &entry.pointee.d_name) { name in
            String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

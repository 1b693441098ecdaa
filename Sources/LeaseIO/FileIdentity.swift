// Which file a name or a descriptor stands for, and of what sort it is.

import Glibc

/// A file as the system knows it, whatever it is called.
struct FileIdentity: Equatable {
    let device: UInt64
    let inode: UInt64
}

/// What the system says about a file.
struct FileFacts {
    let identity: FileIdentity
    let owner: UInt32
    let links: UInt64
    let size: Int64
    private let mode: mode_t

    /// Read, write, execute for owner, group, others, and the three bits above.
    var permissions: UInt32 { mode & 0o7777 }
    var isRegular: Bool { mode & S_IFMT == S_IFREG }
    var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
    var isSocket: Bool { mode & S_IFMT == S_IFSOCK }
    var isSymlink: Bool { mode & S_IFMT == S_IFLNK }

    private init(_ found: stat) {
        identity = FileIdentity(device: UInt64(found.st_dev), inode: UInt64(found.st_ino))
        owner = found.st_uid
        links = UInt64(found.st_nlink)
        size = Int64(found.st_size)
        mode = found.st_mode
    }

    /// Of an open descriptor.
    init(of raw: Int32) throws(Errno) {
        var found = stat()
        try check { fstat(raw, &found) }
        self.init(found)
    }

    /// Of a name, nil where there is none. A symbolic link is not followed: it is the answer.
    static func at(_ name: String, under directory: Int32 = AT_FDCWD) throws(Errno) -> FileFacts? {
        var found = stat()
        let answer = try check(nilFor: ENOENT) { fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) }
        return answer == nil ? nil : FileFacts(found)
    }
}

// A file whose room is written before it is used, so that syncing what is then written there is a sync of
// data alone: the file system has nothing of its own to write down.

import CLinux
import Glibc

/// A file of a fixed size, full of zeros at first, to be written over.
package struct RoomFile: ~Copyable {
    private let file: Descriptor

    /// Opens one that `make` has made.
    package init(in directory: borrowing DataDirectory, name: String) throws(Errno) {
        guard let raw = try directory.openRegular(name, flags: O_RDWR) else { throw Errno(code: ENOENT) }
        file = Descriptor(owning: raw)
    }

    /// For a write on another thread. It is valid as long as this value lives.
    package var raw: Int32 { file.raw }

    /// Whether the name still stands for this file.
    package func isStillLinked(in directory: borrowing DataDirectory, name: String) throws(Errno) -> Bool {
        try directory.has(name, for: raw)
    }

    /// Makes the file, durably, in the place of one that there is. Until it is whole it is called `NAME.new`.
    ///
    /// ENOSPC where the disk has not `spared` bytes free.
    package static func make(
        in directory: borrowing DataDirectory, name: String, bytes: Int, spared: Int
    ) throws(Errno) {
        guard Int(try check({ clinux_free_bytes(directory.raw) })) >= spared else {
            throw Errno(code: ENOSPC)
        }
        try directory.writeFileDurably(name, [UInt8](repeating: 0, count: bytes))
    }

    /// Writes all of it at an offset and syncs it, as a job of `SyncThread`: the error's number, or 0.
    package static func writeCode(_ raw: Int32, _ bytes: [UInt8], at offset: Int) -> Int32 {
        do throws(Errno) {
            var written = 0
            while written < bytes.count {
                written += try check {
                    bytes.withUnsafeBytes {
                        pwrite(raw, $0.baseAddress! + written, bytes.count - written, off_t(offset + written))
                    }
                }
            }
            return AppendFile.syncCode(raw)
        } catch {
            return error.code
        }
    }
}

// What was read of a file, brought to the disk and looked for there while more of it is read.

import CLinux
import Glibc

/// Syncs a file on a thread of its own, and then compares what was read with what the disk has, as
/// `isOnDisk` does: a disk takes about as long for that as it takes to recover from what is read.
///
/// To be used from one thread; the file stays open, and nobody writes to it, until `finish`.
package final class DiskFollower {
    /// Shorter files are read before a thread is of use.
    package static let bytesMin: Int64 = 4 << 20
    /// So much is compared at a time.
    private static let stepBytes: Int64 = 4 << 20
    private static let differs: Int32 = -1

    private let thread: SyncThread
    private let raw: Int32
    /// nil where the file system has no such thing: then it is believed.
    private let direct: Int32?
    /// Keeps it open.
    private let opened: Descriptor?
    /// All before this byte is compared by `finish`, or need not be.
    private var position: Int64 = 0

    package init(
        _ file: borrowing AppendFile, in directory: borrowing DataDirectory, name: String
    ) throws(Errno) {
        raw = file.raw
        direct = try openDirect(directory, name)
        opened = direct.map { Descriptor(owning: $0) }
        thread = try SyncThread()
        let raw = raw
        thread.submit(ticket: 0) { AppendFile.syncCode(raw) }
    }

    /// All before `end` was read.
    /// - Parameter synced: what stands before this byte is on the disk for certain.
    package func follow(to end: Int64, synced: Int64) {
        position = max(position, synced)
        guard let direct, end - position >= Self.stepBytes else { return }
        let (raw, bytes) = (raw, position..<end)
        position = end
        thread.submit(ticket: 0) {
            do throws(Errno) {
                return try isOnDisk(bytes, of: raw, direct: direct) ? 0 : Self.differs
            } catch {
                return error.code
            }
        }
    }

    /// Waits until all of that is done.
    /// - Returns: the byte before which the disk has all; 0 where it lacks something.
    package func finish() throws(Errno) -> Int64 {
        thread.finish()
        var done: [SyncThread.Completion] = []
        try thread.takeCompletions(into: &done)
        guard let failed = done.first(where: { $0.code != 0 }) else { return position }
        guard failed.code == Self.differs else { throw Errno(code: failed.code) }
        return 0
    }
}

// A file that only grows at its end: the floor under a log.

import CLinux
import Glibc

/// A file to append to. After every call it ends where the last good append ended, so that no half of a
/// batch has a whole one after it; where even cutting back fails, nothing is appended until it succeeds.
package struct AppendFile: ~Copyable {
    package enum Opening: Sendable {
        /// ENOENT where there is none.
        case existing
        case existingOrNew
        /// An empty one, whatever there was: for a compaction, whose crashed predecessor may have left one.
        /// Its name is not synced, since it is to get another one: a sync of the directory may wait for all
        /// that was written to other files.
        case anew
    }

    private let file: Descriptor
    /// How many bytes are in the file.
    package private(set) var size: Int64
    /// Up to where the disk is known to have set room aside for this file.
    private var reservedTo: Int64
    /// Bytes of a failed append may stand after the last good one.
    private var isTorn = false

    /// Opens a regular file of the directory, a new one for us alone; the name of a new one is synced, but
    /// for one that is made `anew`.
    package init(
        in directory: borrowing DataDirectory, name: String, _ opening: Opening = .existingOrNew
    ) throws(Errno) {
        let opened = Descriptor(owning: try AppendFile.open(directory, name, opening))
        size = try FileFacts(of: opened.raw).size
        reservedTo = size
        file = opened
    }

    /// The descriptor's number, for a sync on another thread. It is valid as long as this value lives.
    package var raw: Int32 { file.raw }

    /// Appends a batch, all of it or nothing.
    ///
    /// A write that came out short is cut off and tried once more, whole. A failure is cut off as well, and
    /// thrown. Not durable without a sync.
    package mutating func append(_ batch: Span<UInt8>) throws(Errno) {
        if batch.isEmpty { return }
        if isTorn { try cutBack() }
        do {
            if try writeOnce(batch, from: 0) < batch.count {
                try cutBack()
                try writeOrSayWhy(batch)
            }
        } catch {
            isTorn = true
            try? cutBack()
            throw error
        }
        size += Int64(batch.count)
    }

    /// The same, for an array.
    package mutating func append(_ batch: [UInt8]) throws(Errno) {
        try append(batch.span)
    }

    /// Appends all that another file has.
    package mutating func append(contentsOf other: borrowing AppendFile) throws(Errno) {
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        var position: Int64 = 0
        while case let count = try other.read(into: &chunk, at: position), count > 0 {
            try append(chunk.span.extracting(first: count))
            position += Int64(count)
        }
    }

    /// Fills a buffer from an offset on. Returns how many bytes there were: less than the buffer holds only
    /// at the end of the file, 0 there.
    package func read(into buffer: inout [UInt8], at offset: Int64) throws(Errno) -> Int {
        try fill(&buffer, from: raw, at: offset)
    }

    /// Hands over all bytes from an offset on, in order, in chunks of `chunkBytes` (the last may be smaller).
    package func readChunks(
        from offset: Int64 = 0, chunkBytes: Int = 1 << 20, _ take: (Span<UInt8>) -> Void
    ) throws(Errno) {
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        var position = offset
        while true {
            let count = try read(into: &chunk, at: position)
            if count == 0 { return }
            take(chunk.span.extracting(first: count))
            position += Int64(count)
        }
    }

    /// Makes all that was appended durable.
    ///
    /// One failure is final: the kernel forgets what it couldn't write, and a second try would succeed
    /// without it. After an error nothing of this file may be relied on until it has been read again.
    package func sync() throws(Errno) {
        try check { fdatasync(raw) }
    }

    /// The same for another thread, as a job of `SyncThread`: the error's number, or 0.
    package static func syncCode(_ raw: Int32) -> Int32 {
        do {
            try check { fdatasync(raw) }
            return 0
        } catch {
            return error.code
        }
    }

    /// Begins to write what was appended to the disk, as a job of `SyncThread`, so that a sync has less to
    /// wait for: an error's number, or 0, also where it can't be done.
    ///
    /// One failure is final here, too. Of what the disk fails to take later a sync tells; but where a file
    /// system finds no place for it, as ext4 with a damaged map of its blocks, it throws it away, says so
    /// once, and the sync finds nothing to do.
    package static func beginWriteBackCode(_ raw: Int32) -> Int32 {
        if clinux_begin_write_back(raw) == 0 { return 0 }
        return [EINVAL, ENOSYS, EOPNOTSUPP, ESPIPE, ENOMEM].contains(errno) ? 0 : errno
    }

    /// Cuts the file, durably: before anything is appended to what is left.
    package mutating func truncate(to newSize: Int64) throws(Errno) {
        precondition(newSize >= 0 && newSize <= size, "a cut doesn't make a file longer")
        try check { ftruncate(raw, off_t(newSize)) }
        size = newSize
        // The room that was set aside behind the end goes with it.
        reservedTo = newSize
        isTorn = false
        try check { fsync(raw) }
    }

    /// Sets room aside, so that the file can grow to this size whatever others write to the disk. Call it
    /// again after a failed append or a cut: both give the room back. The size stays as it is.
    ///
    /// EFBIG where the process may not write files so large, which the disk's answer wouldn't say. A
    /// filesystem that can't set room aside is asked what is free: a promise that others can break.
    package mutating func reserve(upTo target: Int64) throws(Errno) {
        if target <= reservedTo { return }
        let limit = try check { clinux_file_size_limit() }
        if target > limit { throw Errno(code: EFBIG) }
        let start = max(size, reservedTo)
        if target <= start { return }
        do {
            try check { clinux_reserve(raw, start, target - start) }
            reservedTo = target
        } catch {
            if error.code != EOPNOTSUPP && error.code != ENOSYS { throw error }
            let free = try check { clinux_free_bytes(raw) }
            if free < target - size { throw Errno(code: ENOSPC) }
        }
    }

    /// Another descriptor of the same file, which keeps it open when this value is gone. The caller closes
    /// it.
    package func another() throws(Errno) -> Int32 {
        try check { fcntl(raw, F_DUPFD_CLOEXEC, 0) }
    }

    /// What is free on the disk beside what is set aside.
    package func freeBytes() throws(Errno) -> Int {
        Int(try check { clinux_free_bytes(raw) })
    }

    /// Whether the name still stands for this file: writing to one that was deleted succeeds, and is lost.
    package func isStillLinked(in directory: borrowing DataDirectory, name: String) throws(Errno) -> Bool {
        try directory.has(name, for: raw)
    }

    private static func open(
        _ directory: borrowing DataDirectory, _ name: String, _ opening: Opening
    ) throws(Errno) -> Int32 {
        let flags = O_RDWR | O_APPEND
        if opening == .anew {
            try directory.remove(name)
        } else if let raw = try directory.openRegular(name, flags: flags) {
            return raw
        }
        if opening == .existing { throw Errno(code: ENOENT) }
        let file = Descriptor(owning: try directory.create(name, flags: flags))
        if opening != .anew { try directory.syncDirectory() }
        return file.release()
    }

    private func writeOnce(_ batch: Span<UInt8>, from start: Int) throws(Errno) -> Int {
        let raw = raw
        return try batch.withUnsafeBytes { (bytes) throws(Errno) in
            try check { write(raw, bytes.baseAddress! + start, bytes.count - start) }
        }
    }

    /// The second try. When it comes out short again, writing the rest tells why.
    private func writeOrSayWhy(_ batch: Span<UInt8>) throws(Errno) {
        let written = try writeOnce(batch, from: 0)
        if written == batch.count { return }
        _ = try writeOnce(batch, from: written)
        throw Errno(code: ENOSPC)
    }

    /// Back to the end of the last good append. Where nothing stands behind it, the file is left alone: a
    /// cut would give back the room that was set aside.
    private mutating func cutBack() throws(Errno) {
        if try FileFacts(of: raw).size != size {
            isTorn = true
            try check { ftruncate(raw, off_t(size)) }
            reservedTo = size
        }
        isTorn = false
    }
}

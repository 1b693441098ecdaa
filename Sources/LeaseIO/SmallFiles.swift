// Whole files: read, written durably, copied aside.

import CLinux
import Glibc

extension DataDirectory {
    /// What a file holds, nil where there is none. What isn't a regular file is an error, and is neither
    /// followed, nor waited for, nor read. EFBIG where it is larger than `bytesMax`.
    package func readFile(_ name: String, bytesMax: Int = 1 << 30) throws(Errno) -> [UInt8]? {
        guard let raw = try openRegular(name, flags: O_RDONLY) else { return nil }
        let file = Descriptor(owning: raw)
        let size = try FileFacts(of: file.raw).size
        if size > Int64(bytesMax) { throw Errno(code: EFBIG) }
        var bytes = [UInt8](repeating: 0, count: Int(size))
        let count = try fill(&bytes, from: file.raw, at: 0)
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Puts a file in the place of the one of this name, or of none. At every moment, also after a power
    /// cut, the name stands for all of the old bytes or all of the new ones; after the return, for the new.
    ///
    /// The new file is called `NAME.new` until then; what a crash left under that name is replaced.
    package func writeFileDurably(_ name: String, _ bytes: [UInt8]) throws(Errno) {
        let newName = name + ".new"
        try remove(newName)
        do {
            try writeAndSync(newName, bytes)
            try rename(newName, to: name)
        } catch {
            _ = try? remove(newName)
            throw error
        }
        try syncDirectory()
    }

    /// Does the same for a small file that has to be replaced also when the disk is full: a second file of
    /// its size, called `NAME.spare`, is kept beside it, filled with the new bytes, and exchanged with it.
    package func rewriteDurably(_ name: String, _ bytes: [UInt8]) throws(Errno) {
        let spareName = name + ".spare"
        guard try exists(name) else {
            try writeFileDurably(spareName, bytes)
            try writeFileDurably(name, bytes)
            return
        }
        // Whoever ended between the exchange and its sync left a spare file that after a power cut is `NAME`.
        try syncDirectory()
        try fillSpare(spareName, bytes)
        // Where the file system can't exchange them, the next spare has to be a new file.
        if try check(nilFor: EINVAL, { clinux_exchange(raw, spareName, name) }) == nil {
            try rename(spareName, to: name)
        }
        try syncDirectory()
    }

    /// What is in the spare file is never read, so it may be torn by a crash.
    private func fillSpare(_ name: String, _ bytes: [UInt8]) throws(Errno) {
        var found = try openRegular(name, flags: O_WRONLY)
        if found == nil { found = try create(name) }
        let file = Descriptor(owning: found!)
        try writeAll(bytes, count: bytes.count, to: file.raw)
        try check { ftruncate(file.raw, off_t(bytes.count)) }
        try check { fsync(file.raw) }
    }

    /// Copies a file from an offset to its end into a new file, durably. EEXIST where the new name is taken.
    /// A copy that fails, for want of room for instance, leaves nothing.
    package func copyAside(
        _ name: String, from offset: Int64, as copyName: String
    ) throws(Errno) {
        guard let raw = try openRegular(name, flags: O_RDONLY) else { throw Errno(code: ENOENT) }
        let source = Descriptor(owning: raw)
        let copy = Descriptor(owning: try create(copyName))
        do {
            try copyBytes(from: source.raw, at: offset, to: copy.raw)
            try check { fsync(copy.raw) }
        } catch {
            _ = try? remove(copyName)
            throw error
        }
        try syncDirectory()
    }

    /// Opens what must be a regular file, nil where there is nothing; the caller owns the descriptor.
    func openRegular(_ name: String, flags: Int32) throws(Errno) -> Int32? {
        // O_NONBLOCK: opening a FIFO would wait for its other end. For a regular file it means nothing.
        let safe = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        guard let raw = try check(nilFor: ENOENT, { openat(self.raw, name, flags | safe) }) else {
            return nil
        }
        let file = Descriptor(owning: raw)
        if try !FileFacts(of: file.raw).isRegular { throw .notRegularFile }
        return file.release()
    }

    /// Makes a new, empty file for us alone; EEXIST where there is one. The caller owns the descriptor.
    func create(_ name: String, flags: Int32 = O_WRONLY) throws(Errno) -> Int32 {
        try check { openat(raw, name, flags | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
    }

    private func writeAndSync(_ name: String, _ bytes: [UInt8]) throws(Errno) {
        let file = Descriptor(owning: try create(name))
        try writeAll(bytes, count: bytes.count, to: file.raw)
        try check { fsync(file.raw) }
    }

    private func copyBytes(from source: Int32, at offset: Int64, to copy: Int32) throws(Errno) {
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        var position = offset
        while true {
            let count = try fill(&chunk, from: source, at: position)
            if count == 0 { return }
            try writeAll(chunk, count: count, to: copy)
            position += Int64(count)
        }
    }
}

/// What a file holds, wherever its path leads; links are followed. A FIFO or a device is `notRegularFile`,
/// and neither waited for nor read. EFBIG where there is more than `bytesMax`.
package func readRegularFile(_ path: String, bytesMax: Int) throws(Errno) -> [UInt8] {
    // O_NONBLOCK: opening a FIFO would wait for its other end. O_NOCTTY: a terminal would become ours.
    let raw = try check { open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) }
    let file = Descriptor(owning: raw)
    if try !FileFacts(of: file.raw).isRegular { throw .notRegularFile }
    // One byte of room more than it may have, and no trust in its size, which may change while we read.
    var bytes = [UInt8](repeating: 0, count: bytesMax + 1)
    let count = try fill(&bytes, from: file.raw, at: 0)
    if count > bytesMax { throw Errno(code: EFBIG) }
    bytes.removeLast(bytes.count - count)
    return bytes
}

/// Fills an array from a file; returns how many bytes there were, less than its count only at the end.
func fill(_ bytes: inout [UInt8], from raw: Int32, at offset: Int64) throws(Errno) -> Int {
    let room = bytes.count
    var count = 0
    while count < room {
        let place = off_t(offset) + count
        let got = try check {
            bytes.withUnsafeMutableBytes { pread(raw, $0.baseAddress! + count, room - count, place) }
        }
        if got == 0 { break }
        count += got
    }
    return count
}

/// Writes the first `count` bytes of an array, in as many calls as it takes.
private func writeAll(_ bytes: [UInt8], count: Int, to raw: Int32) throws(Errno) {
    var written = 0
    while written < count {
        written += try check {
            bytes.withUnsafeBytes { write(raw, $0.baseAddress! + written, count - written) }
        }
    }
}

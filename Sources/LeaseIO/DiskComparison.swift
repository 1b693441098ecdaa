// Whether the disk has what the kernel shows of a file.

import CLinux
import Glibc

extension AppendFile {
    /// Whether the disk has what is read here from an offset on. Call it after a sync of what is to be there.
    ///
    /// A kernel that fails to write a page says so once, to whoever syncs then, and takes the page for clean:
    /// whoever reads the file afterwards sees what is not on the disk, and their sync passes it over. Writing
    /// those bytes once more does not help everywhere: where room had been set aside, ext4 may write them to
    /// blocks that it goes on taking for empty. So the disk is asked, past the kernel's memory. A file system
    /// that can't do that (no O_DIRECT) is believed.
    package func isOnDisk(
        from offset: Int64, in directory: borrowing DataDirectory, name: String
    ) throws(Errno) -> Bool {
        guard offset < size, let opened = try openDirect(directory, name) else { return true }
        let direct = Descriptor(owning: opened)
        return try LeaseIO.isOnDisk(offset..<size, of: raw, direct: direct.raw)
    }
}

/// nil where the file system has no such thing.
func openDirect(_ directory: borrowing DataDirectory, _ name: String) throws(Errno) -> Int32? {
    do throws(Errno) {
        return try directory.openRegular(name, flags: O_RDONLY | clinux_direct_flag())
    } catch {
        if error.code == EINVAL || error.code == EOPNOTSUPP { return nil }
        throw error
    }
}

/// The same for a part of a file.
/// - Parameter direct: the file, opened past the kernel's memory.
func isOnDisk(_ bytes: Range<Int64>, of raw: Int32, direct: Int32) throws(Errno) -> Bool {
    let onDisk = AlignedBytes(count: 1 << 20)
    var position = bytes.lowerBound - bytes.lowerBound % Int64(AlignedBytes.alignment)
    var shown = [UInt8](repeating: 0, count: Int(min(Int64(onDisk.count), bytes.upperBound - position)))
    while position < bytes.upperBound {
        let count = try fill(&shown, from: raw, at: position)
        guard count > 0, let got = try onDisk.fill(from: direct, at: position) else { return true }
        if got < count || !onDisk.begins(with: shown, count: count) { return false }
        position += Int64(count)
    }
    return true
}

/// A buffer that begins where a disk's block may be put.
private struct AlignedBytes: ~Copyable {
    static let alignment = 4_096

    let count: Int
    private let bytes: UnsafeMutableRawPointer

    init(count: Int) {
        self.count = count
        bytes = .allocate(byteCount: count, alignment: AlignedBytes.alignment)
    }

    deinit { bytes.deallocate() }

    /// In one call.
    /// - Returns: how many bytes there were; nil where the file system doesn't read so.
    func fill(from raw: Int32, at offset: Int64) throws(Errno) -> Int? {
        try check(nilFor: EINVAL) { pread(raw, bytes, count, off_t(offset)) }
    }

    func begins(with other: [UInt8], count: Int) -> Bool {
        other.withUnsafeBytes { memcmp(bytes, $0.baseAddress!, count) == 0 }
    }
}

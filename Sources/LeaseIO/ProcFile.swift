// Reads the small files of /proc.

import Glibc

enum ProcFile {
    /// The first bytes of a file, `bytesMax` at the most.
    static func read(
        _ path: String, under directory: Int32 = AT_FDCWD, bytesMax: Int
    ) throws(Errno) -> [UInt8] {
        let raw = try check { openat(directory, path, O_RDONLY | O_CLOEXEC) }
        let file = Descriptor(owning: raw)
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        var count = 0
        while count < bytesMax {
            let got = try readSome(file.raw, into: &bytes, from: count)
            if got == 0 { break }
            count += got
        }
        bytes.removeLast(bytesMax - count)
        return bytes
    }

    private static func readSome(
        _ raw: Int32, into bytes: inout [UInt8], from start: Int
    ) throws(Errno) -> Int {
        let room = bytes.count - start
        return try check { bytes.withUnsafeMutableBytes { Glibc.read(raw, $0.baseAddress! + start, room) } }
    }
}

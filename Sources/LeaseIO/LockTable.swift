// Who holds the lock on a file, as /proc/locks tells it.

import CLinux

enum LockTable {
    /// The pid that holds a flock(2) lock on the file. Nil where it can't be seen: another pid namespace, or
    /// a filesystem (btrfs, overlays) whose device number is another here than in stat(2).
    static func holder(of file: FileIdentity) -> Int32? {
        guard let table = try? ProcFile.read("/proc/locks", bytesMax: 1 << 20) else { return nil }
        return holder(of: file, inTable: table)
    }

    /// A line is `1: FLOCK  ADVISORY  WRITE 1234 00:2a:5678 0 EOF`; one with `->` waits for that lock.
    static func holder(of file: FileIdentity, inTable table: [UInt8]) -> Int32? {
        let name = Array(self.name(of: file).utf8)
        for line in table.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count >= 6, words[1].elementsEqual("FLOCK".utf8), words[5].elementsEqual(name),
                let pid = decimal(words[4]), pid > 0
            else { continue }
            return Int32(exactly: pid)
        }
        return nil
    }

    private static func name(of file: FileIdentity) -> String {
        var major: UInt32 = 0
        var minor: UInt32 = 0
        clinux_device_numbers(file.device, &major, &minor)
        return "\(twoDigits(major)):\(twoDigits(minor)):\(file.inode)"
    }

    private static func twoDigits(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return digits.utf8.count < 2 ? "0" + digits : digits
    }
}

// What the kernel says of a process, and when it ends.

import CLinux
import Glibc

package enum ProcessWatch {
    package struct Facts: Equatable, Sendable {
        /// The real user.
        package let uid: UInt32
        /// Ticks from the boot to its start: with the pid it names a process for as long as the boot lasts.
        package let startTicks: UInt64
        /// It has ended, and only its parent hasn't looked yet.
        package let isZombie: Bool
    }

    /// A descriptor that becomes readable when the process ends; one that waits for its parent as a zombie
    /// has ended. ESRCH where there is none, EINVAL for a pid below 1.
    package static func open(_ pid: Int32) throws(Errno) -> Descriptor {
        Descriptor(owning: try check { clinux_pidfd_open(pid) })
    }

    /// Whether the process of a descriptor from `open` has ended.
    package static func hasEnded(_ watch: borrowing Descriptor) throws(Errno) -> Bool {
        var look = pollfd(fd: watch.raw, events: Int16(POLLIN), revents: 0)
        return try check { poll(&look, 1, 0) } == 1
    }

    /// What is known of a process, nil when there is none or it can't be seen.
    ///
    /// A pid may have passed to another process by the time one looks. Between `open` and a `hasEnded` that
    /// says no, it can't have: so open first, look, and ask last.
    package static func inspect(_ pid: Int32) -> Facts? {
        guard pid > 0 else { return nil }
        // One descriptor for both files: read by their paths, they might be of two processes.
        guard
            let raw = try? check({ Glibc.open("/proc/\(pid)", O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
        else { return nil }
        let folder = Descriptor(owning: raw)
        guard let stat = try? ProcFile.read("stat", under: folder.raw, bytesMax: 1_024),
            let status = try? ProcFile.read("status", under: folder.raw, bytesMax: 4_096),
            let uid = realUser(inStatus: status)
        else { return nil }
        return facts(inStat: stat, uid: uid)
    }

    /// The command's name as the kernel knows it, at most 15 bytes of any value; nil when there is none.
    package static func name(of pid: Int32) -> [UInt8]? {
        guard pid > 0, var name = try? ProcFile.read("/proc/\(pid)/comm", bytesMax: 64) else { return nil }
        if name.last == UInt8(ascii: "\n") { name.removeLast() }
        return name
    }

    /// The signals that a process got and has blocked, the lowest bit for signal 1; nil when there is none.
    package static func pendingSignals(of pid: Int32) -> UInt64? {
        guard let status = try? ProcFile.read("/proc/\(pid)/status", bytesMax: 4_096) else { return nil }
        let name = Array("ShdPnd:".utf8)
        for line in status.split(separator: UInt8(ascii: "\n")) where line.starts(with: name) {
            let digits = line.dropFirst(name.count).drop { $0 == UInt8(ascii: "\t") }
            return UInt64(String(decoding: digits, as: UTF8.self), radix: 16)
        }
        return nil
    }

    /// The second field is a name that may hold spaces and brackets, so fields count from the last ")".
    static func facts(inStat stat: [UInt8], uid: UInt32) -> Facts? {
        guard let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = stat[(end + 1)...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        // The first of these is the third of the file, so threads (20) and start (22) are at 17 and 19.
        guard fields.count > 19, let state = fields[0].first,
            let threads = decimal(fields[17]), let start = decimal(fields[19])
        else { return nil }
        // A first thread that has ended shows as Z while others of its process still run.
        let ended = state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
        return Facts(uid: uid, startTicks: start, isZombie: ended && threads <= 1)
    }

    /// A name in this file has its newlines escaped, so a line that begins with "Uid:" is the kernel's.
    static func realUser(inStatus status: [UInt8]) -> UInt32? {
        for line in status.split(separator: UInt8(ascii: "\n")) where line.starts(with: "Uid:".utf8) {
            let words = line.split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
            return words.count > 1 ? decimal(words[1]).flatMap(UInt32.init(exactly:)) : nil
        }
        return nil
    }
}

/// A number in decimal digits and nothing else, nil where it is none or doesn't fit.
func decimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
        guard digit >= 0x30, digit <= 0x39 else { return nil }
        let (tens, high) = value.multipliedReportingOverflow(by: 10)
        let (sum, over) = tens.addingReportingOverflow(UInt64(digit - 0x30))
        if high || over { return nil }
        value = sum
    }
    return digits.isEmpty ? nil : value
}

// Faults of the system that a test can bring about: calls that fail, disks that are full or lose power.

internal import CTestSupport
package import Glibc

package let isRoot = geteuid() == 0
package let strace = "/usr/bin/strace"
package let hasStrace = isRoot && access(strace, X_OK) == 0

/// Adds a fault to the system calls of a running process, until it ends or the value goes.
package final class Fault {
    private let tracer: Program

    package convenience init(
        _ injection: String, of pid: pid_t, paths: [String] = [], output: String
    ) throws(Failure) {
        let call = String(injection.prefix { $0 != ":" })
        try self.init(tracing: call, ["-e", "inject=\(injection)"], of: pid, paths: paths, output: output)
    }

    /// Writes down some calls, with further words for strace.
    package init(
        tracing calls: String, _ further: [String], of pid: pid_t, paths: [String], output: String
    ) throws(Failure) {
        var words = [strace, "-f", "-qq", "-o", output, "-e", "trace=\(calls)"] + further
        for path in paths { words += ["-P", path] }
        tracer = try Program(words + ["-p", "\(pid)"])
        let deadline = milliseconds() + Int64(patience) * 1_000
        while !Fault.isTraced(pid) {
            guard milliseconds() < deadline else { throw Failure("strace does not take hold of \(pid)") }
            usleep(2_000)
        }
    }

    /// SIGTERM lets go of the process; SIGKILL would too, but may leave it stopped.
    deinit {
        tracer.signal(SIGTERM)
        _ = tracer.exitCode()
    }

    /// All threads are.
    private static func isTraced(_ pid: pid_t) -> Bool {
        guard let tasks = opendir("/proc/\(pid)/task") else { return true }
        defer { closedir(tasks) }
        while let entry = readdir(tasks) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard !name.hasPrefix(".") else { continue }
            if field("TracerPid:", of: "/proc/\(pid)/task/\(name)/status") == "0" { return false }
        }
        return true
    }
}

/// A small file system of its own, gone with the value. Only for root.
///
/// Who makes a mount namespace of their own meanwhile has it there as well, and as long as they do it is not
/// gone: after a power cut it would be mounted again as it was. So the folder around it is shared, and what
/// is unmounted here is unmounted there (`ownMounts`).
package final class SmallDisk: Sendable {
    private let folder: TemporaryFolder
    package var path: String { folder("m") }

    package init(_ source: String, _ options: String, type: String) throws(Failure) {
        folder = try TemporaryFolder()
        try run("/bin/mount", "--bind", "--make-shared", folder.path, folder.path)
        mkdir(path, 0o700)
        try run("/bin/mount", "-t", type, "-o", options, source, path)
    }

    deinit {
        try? run("/bin/umount", "-l", path)
        try? run("/bin/umount", "-l", folder.path)
    }

    /// The beginning of a command line whose program is to have mounts of its own.
    package static let ownMounts = ["/usr/bin/unshare", "--mount", "--propagation", "slave"]

    /// Leaves no room for anything more.
    package func fill() {
        let file = open(path + "/fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let block = [UInt8](repeating: 0x78, count: 4_096)
        while write(file, block, block.count) > 0 {}
        closeForAll(file)
    }

    /// Cut before it goes: a program that another test is just starting has what this process had open, until
    /// the system has made it anew, and what is only unlinked keeps its room as long as somebody has it open.
    package func makeRoom() {
        truncate(path + "/fill", 0)
        unlink(path + "/fill")
    }

    /// An ext4 file system in a file, to be mounted again and again.
    package static func makeExt4(_ image: String, megabytes: Int) throws(Failure) {
        let file = open(image, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        ftruncate(file, off_t(megabytes << 20))
        closeForAll(file)
        try run("/sbin/mkfs.ext4", "-q", "-F", image)
    }

    /// What is not on the disk now is lost. (Only of ext4.)
    package func cutPower() throws(Failure) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        defer { closeForAll(file) }
        guard ctest_shut_down_ext4(file) == 0 else { throw Failure("the power can't be cut") }
    }
}

package let hasExt4 = isRoot && access("/sbin/mkfs.ext4", X_OK) == 0

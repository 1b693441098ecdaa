// What the tests of whole processes share.

import Glibc
import TestSupport
import Testing

/// SplitMix64: the same seed gives the same test.
struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The token that a reply gives; it may begin with its tag.
func tokenGranted(_ reply: String?) -> UInt64? {
    var words = reply?.split(separator: " ") ?? []
    if words.first?.first == "#" { words.removeFirst() }
    guard words.first == "OK" else { return nil }
    return words.first { $0.hasPrefix("token=") }.flatMap { UInt64($0.dropFirst(6)) }
}

let isRoot = geteuid() == 0
let strace = "/usr/bin/strace"
let hasStrace = isRoot && access(strace, X_OK) == 0

/// Runs a program, and throws where it fails.
func run(_ words: String...) throws {
    guard try Program(words).exitCode() == 0 else { throw Failure("\(words) failed") }
}

/// Adds a fault to the system calls of a running process, until it ends or the value goes.
final class Fault {
    private let tracer: Program

    init(_ injection: String, of pid: pid_t, paths: [String] = [], output: String) throws {
        let call = String(injection.prefix { $0 != ":" })
        var words = [strace, "-f", "-qq", "-o", output, "-e", "trace=\(call)", "-e", "inject=\(injection)"]
        for path in paths { words += ["-P", path] }
        tracer = try Program(words + ["-p", "\(pid)"])
        let deadline = milliseconds() + 10_000
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

/// The word behind a name in a file of /proc.
func field(_ name: String, of path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
        let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let words = String(decoding: bytes, as: UTF8.self).split { " \t\n".contains($0) }
        if words.count > 1, words[0] == name[...] { return String(words[1]) }
    }
    return nil
}

/// A small file system of its own, gone with the value. Only for root.
final class SmallDisk {
    let folder: TemporaryFolder
    var path: String { folder("m") }

    init(_ source: String, _ options: String, type: String) throws {
        folder = try TemporaryFolder()
        mkdir(path, 0o700)
        try run("/bin/mount", "-t", type, "-o", options, source, path)
    }

    deinit { try? run("/bin/umount", "-l", path) }

    /// Leaves no room for anything more.
    func fill() {
        let file = open(path + "/fill", O_WRONLY | O_CREAT, 0o600)
        let block = [UInt8](repeating: 0x78, count: 4_096)
        while write(file, block, block.count) > 0 {}
        close(file)
    }

    func makeRoom() { unlink(path + "/fill") }
}

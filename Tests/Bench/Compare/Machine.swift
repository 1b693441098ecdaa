// What the comparison asks of the machine: cores, processor time, ports, and how long a sync takes.

import CTestSupport
import Glibc
import TestSupport

func builtProgram(_ name: String) -> String { Daemon.builtProgram(name) }

/// The path of a program that is installed; nil: it is not.
func installed(_ name: String) -> String? {
    ["/usr/bin", "/usr/local/bin", "/bin", "/usr/sbin"].map { "\($0)/\(name)" }
        .first { access($0, X_OK) == 0 }
}

/// All threads of a process, and those that they start from now on, on one core.
func pin(_ pid: pid_t, toCore core: Int) {
    guard sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 else { return }
    for thread in threads(of: pid) {
        _ = ctest_pin_thread(thread, Int32(core))
    }
}

func threads(of pid: pid_t) -> [pid_t] {
    guard let folder = opendir("/proc/\(pid)/task") else { return [] }
    defer { closedir(folder) }
    var found: [pid_t] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if let thread = pid_t(name) { found.append(thread) }
    }
    return found
}

/// The processes that a process has started, those aside that have ended.
func children(of pid: pid_t) -> [pid_t] {
    textOf("/proc/\(pid)/task/\(pid)/children").split { $0 == " " || $0 == "\n" }.compactMap { pid_t($0) }
}

/// A process's times in the kernel's ticks, so a little coarse.
private struct Ticks {
    private let fields: [Substring]

    init(of pid: pid_t) {
        fields = textOf("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
    }

    /// Of its own, in the kernel.
    var inKernel: Int64 { nanoseconds(12) }
    /// Of its children that have ended.
    var ofEnded: Int64 { nanoseconds(13) + nanoseconds(14) }
    var ofEndedInKernel: Int64 { nanoseconds(14) }

    private func nanoseconds(_ field: Int) -> Int64 {
        guard field < fields.count, let ticks = Int64(fields[field]) else { return 0 }
        return ticks * 1_000_000_000 / Int64(sysconf(Int32(_SC_CLK_TCK)))
    }
}

/// What the kernel has accounted to a process's children that have ended.
func accountedNanosecondsOfEndedChildren(of pid: pid_t) -> Int64 { Ticks(of: pid).ofEnded }

/// What of a process's time was the kernel's own work for it, with that for its children that have ended.
func kernelNanoseconds(of pid: pid_t) -> Int64 {
    let ticks = Ticks(of: pid)
    return ticks.inKernel + ticks.ofEndedInKernel
}

/// What the kernel has accounted to a process.
func accountedNanoseconds(of pid: pid_t) -> Int64 {
    var clock = clockid_t()
    var time = timespec()
    guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Waits until something listens at a path, or at a port of this machine.
func waitUntilItListens(at address: String, _ program: Program) throws(Failure) {
    let deadline = milliseconds() + 20_000
    while milliseconds() < deadline {
        if address.hasPrefix("/") ? (try? Client(address)) != nil : isListening(address) { return }
        if program.exitCode(within: 0) != nil { throw Failure("the server for \(address) has ended") }
        usleep(20_000)
    }
    throw Failure("nothing listens at \(address)")
}

private func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

private func isListening(_ port: String) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: UInt16(port) ?? 0)
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

/// A port of this machine that nobody has now.
func freePort() throws(Failure) -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
        }
    }
    guard code == 0 else { throw Failure("no port is free") }
    return UInt16(bigEndian: address.sin_port)
}

/// What it takes to have 64 bytes more of a file on the disk: the median of many, in microseconds.
func syncMicroseconds(in folder: TemporaryFolder) throws(Failure) -> Double {
    let file = open(folder("sync"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
    guard file >= 0 else { throw Failure("no file can be made in \(folder.path)") }
    defer { close(file) }
    let record = [UInt8](repeating: 0x78, count: 64)
    var spans: [Int64] = []
    for _ in 0..<200 {
        let start = nanoseconds()
        guard write(file, record, record.count) == record.count, fdatasync(file) == 0 else {
            throw Failure("\(folder.path) can't be synced")
        }
        spans.append(nanoseconds() - start)
    }
    return Double(spans.sorted()[spans.count / 2]) / 1_000
}

/// A file system in memory, on which a sync costs nothing: ratios would say nothing.
func isInMemory(_ place: String) -> Bool {
    ctest_is_in_memory(place) != 0
}

func nanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}

/// The first line of a file that begins with these words, behind its colon.
func fact(_ name: String, of path: String) -> String? {
    textOf(path).split(separator: "\n").first { $0.hasPrefix(name) }?
        .split(separator: ":", maxSplits: 1).last.map { String($0.drop { $0 == " " || $0 == "\t" }) }
}

func textOf(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
}

func complain(_ text: String) {
    let line = Array("bench: \(text)\n".utf8)
    _ = write(2, line, line.count)
}

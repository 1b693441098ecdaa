// One fault at each of a daemon's system calls in turn: in its start, its life and its stop.

import Glibc
import TestSupport

/// `LEASED_FAULT_SWEEP=1` takes every place of every sweep; else a sample is taken, by a printed seed.
let isFullSweep = getenv("LEASED_FAULT_SWEEP") != nil

/// A seed of the test's own, or the one that is to be repeated.
func seed(_ name: String) -> UInt64 {
    let given = getenv("LEASED_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: 1...1_000_000)
    print("\(name): seed \(seed)")
    return seed
}

enum Phase: CaseIterable {
    /// Over a log with a torn end and what a crashed compaction left.
    case start
    /// Grants, ends, a renewal, and a compaction.
    case life
    case stop
}

/// What is done at the call: `signal=KILL`, `error=EIO`.
struct Sweep {
    let fault: String
    private(set) var book = Book()
    private(set) var sites = 0
    private(set) var faults: [String] = []
    private let daemon: Daemon

    init(_ fault: String) throws {
        self.fault = fault
        daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        book.acquire(12, client)
        daemon.kill()
    }

    /// The calls that change files. Others of these names are not counted: only those on our own are.
    static let calls = [
        "openat", "write", "pwrite64", "fdatasync", "fsync", "ftruncate", "fallocate", "renameat",
        "renameat2", "unlinkat",
    ]

    /// What they are to be on: a data directory and the daemon's files in it.
    static func paths(_ dataPath: String) -> [String] {
        let names = [
            "log", "log.new", "numbers", "numbers.spare", "numbers.new", "numbers.spare.new", "log.ring",
            "log.ring.new",
        ]
        return [dataPath] + names.map { dataPath + "/" + $0 }
    }

    /// Each of the calls that strace wrote down, by name and number. A thread counts its own.
    static func sites(ofTrace path: String) -> [(call: String, count: Int)] {
        var counts: [String: Int] = [:]
        for line in text(of: path).split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 1, Int(words[0]) != nil, !words[1].hasPrefix("<") else { continue }
            counts["\(words[1].prefix { $0 != "(" }) \(words[0])", default: 0] += 1
        }
        return Sweep.calls.flatMap { call in
            let most = counts.filter { $0.key.hasPrefix(call + " ") }.values.max() ?? 0
            return (0..<most).map { (call, $0 + 1) }
        }
    }

    /// Runs a phase once without a fault.
    /// - Returns: each of its calls.
    mutating func sites(_ phase: Phase) throws -> [(call: String, count: Int)] {
        _ = try strike(phase, nil)
        try lookAfterwards("without a fault")
        return Sweep.sites(ofTrace: daemon.folder("trace"))
    }

    /// Puts the fault at one call.
    mutating func run(_ phase: Phase, _ call: String, _ count: Int) throws {
        if try strike(phase, "\(call):\(fault):when=\(count)") { sites += 1 }
        try lookAfterwards("\(fault) at \(phase) \(call) \(count)")
    }

    /// - Returns: whether the fault came.
    private mutating func strike(_ phase: Phase, _ injection: String?) throws -> Bool {
        let trace = daemon.folder("trace")
        unlink(trace)
        var code: Int32?
        let calls = injection.map { String($0.prefix { $0 != ":" }) } ?? Sweep.calls.joined(separator: ",")
        let inject = injection.map { ["-e", "inject=\($0)"] } ?? []
        if phase == .start {
            try leaveRing()
            try tear()
            var words = [strace, "-D", "-f", "-qq", "-o", trace, "-e", "trace=\(calls)"]
            for path in Sweep.paths(daemon.dataPath) { words += ["-P", path] }
            var goesOn = try daemon.serves(wrapper: words + inject)
            // It may end right after it has said that it serves.
            if goesOn, let client = try? daemon.connect() { goesOn = book.acquire(1, client) }
            code = daemon.program?.exitCode(within: goesOn ? 0 : 10)
        } else {
            try daemon.start()
            let client = try daemon.connect()
            // The log's ring is made with what comes next.
            sync(client, Sweep.syncsBeforeRing - 3)
            if phase == .stop { live(client) }
            let paths = Sweep.paths(daemon.dataPath)
            let fault = try Fault(tracing: calls, inject, of: daemon.pid!, paths: paths, output: trace)
            if phase == .life { live(client) }
            daemon.program?.signal(SIGTERM)
            code = daemon.exitCode()
            withExtendedLifetime(fault) {}
        }
        daemon.kill()
        guard let injection else { return false }
        if fault == "signal=KILL" { return code == 128 + SIGKILL }
        if fault == "error=EINTR", !book.others.isEmpty || phase != .start && code != 0 {
            faults.append("\(injection): \(book.others.first ?? "code \(code ?? -1)")")
        }
        return text(of: trace).contains("(INJECTED)")
    }

    private mutating func live(_ client: Client) {
        book.acquire(4, client)
        book.renew(client)
        book.release(3, client)
        book.ask("compact", client)
        book.acquire(2, client)
        book.release(1, client)
        sync(client, 4)
    }

    /// When the log has been synced so often since the start, it gets its ring.
    static let syncsBeforeRing = 32

    private mutating func sync(_ client: Client, _ count: Int) {
        for _ in 0..<count { book.renew(client) }
    }

    /// As if the power had taken records from the log that only the ring had on the disk.
    private mutating func leaveRing() throws {
        try daemon.start()
        let client = try daemon.connect()
        sync(client, Sweep.syncsBeforeRing + 6)
        daemon.kill()
        let log = bytes(of: daemon.dataPath + "/log")
        let ends = log.indices.filter { log[$0] == 10 }
        let (end, ring) = (ends[ends.count - 4] + 1, bytes(of: daemon.dataPath + "/log.ring"))
        guard ring.count > 0, truncate(daemon.dataPath + "/log", off_t(end)) == 0 else {
            throw Failure("no ring is left")
        }
    }

    /// As if a crash had cut the last write short, in a compaction.
    private func tear() throws {
        let log = open(daemon.dataPath + "/log", O_WRONLY | O_APPEND)
        let half = Array("0a1b2c3d 99 17.0000".utf8)
        write(log, half, half.count)
        close(log)
        close(open(daemon.dataPath + "/log.new", O_WRONLY | O_CREAT, 0o600))
    }

    /// Twice: what was mended once has to stay mended.
    private mutating func lookAfterwards(_ site: String) throws {
        for turn in 1...2 {
            guard try daemon.serves() else {
                faults.append("\(site): no start: \(daemon.messages(ofLast: 300))")
                throw Failure(faults.joined(separator: "\n"))
            }
            book.check(try daemon.connect(), "\(site), start \(turn)")
            if turn == 1 { daemon.kill() } else { try daemon.stop() }
        }
        let known = names(in: daemon.dataPath).filter { !$0.hasPrefix("log.torn-") }
        if known != ["log", "numbers", "numbers.spare"] { faults.append("\(site): left \(known)") }
        for name in names(in: daemon.dataPath) where name.hasPrefix("log.torn-") {
            unlink(daemon.dataPath + "/" + name)
        }
    }
}

/// The names in a directory, sorted.
func names(in path: String) -> [String] {
    guard let listing = opendir(path) else { return [] }
    defer { closedir(listing) }
    var names: [String] = []
    while let entry = readdir(listing) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

func bytes(of path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return bytes
}

func text(of path: String) -> String { String(decoding: bytes(of: path), as: UTF8.self) }

// The daemon killed: what it had acknowledged is there afterwards, and no token comes twice.

import Glibc
import SeededRandom
import TestSupport
import Testing

@Suite struct CrashTests {
    @Test func nothingAcknowledgedIsLostInTheMiddleOfPipelinedWork() throws {
        let seed = UInt64.random(in: 1...1_000_000)
        print("kills: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let daemon = try Daemon()
        var held: [String: UInt64] = [:]
        var greatest: UInt64 = 0
        for round in 0..<22 {
            try daemon.start(["--sync=\(round % 3 == 2 ? "never" : "always")"])
            let client = try daemon.connect()
            for (key, token) in held.sorted(by: { $0.value < $1.value }) {
                let reply = client.ask("check \(token)") ?? "nothing"
                #expect(reply.hasPrefix("OK token=\(token) "), "seed \(seed) \(key): \(reply)")
            }
            // Releases go first: one that was not answered leaves it open whether its lease is held.
            var lines: [String] = []
            let ended = held.keys.sorted().filter { _ in Bool.random(using: &random) }
            for key in ended { lines.append("#\(key) release \(held.removeValue(forKey: key)!)") }
            for key in 0..<60 { lines.append("#r\(round)k\(key) acquire user/r\(round)k\(key) ttl=1h") }
            client.send(lines.joined(separator: "\n"))
            var first = round % 2 == 0 ? client.line() : nil
            usleep(UInt32.random(in: 0...6_000, using: &random))
            daemon.kill()
            while let reply = first ?? client.line() {
                first = nil
                guard let token = tokenGranted(reply), reply.contains("ttl=") else { continue }
                #expect(token > greatest, "seed \(seed)")
                greatest = max(greatest, token)
                held[String(reply.dropFirst().prefix { $0 != " " })] = token
            }
        }
        #expect(greatest > 0)
    }

    /// It is long enough that a thread follows its reading, and looks for it on the disk; which lacks
    /// nothing, so the log stays the file that it was.
    @Test(.enabled(if: hasStrace, "needs root and strace"))
    func aLongLogThatIsTornIsReadWhileItIsSynced() throws {
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let client = try daemon.connect()
        let note = String(repeating: "n", count: 255)
        let count = 12_000
        for start in stride(from: 0, to: count, by: 100) {
            client.send(
                (start..<start + 100).map { "acquire user/\($0) ttl=1h note=\(note)" }
                    .joined(separator: "\n"))
            for _ in 0..<100 { #expect(tokenGranted(client.line() ?? "") != nil) }
        }
        daemon.kill()
        let log = daemon.dataPath + "/log"
        let file = try #require(fopen(log, "a"))
        fputs("00000000 torn", file)
        fclose(file)
        let before = try facts(of: log)
        #expect(before.st_size > 4 << 20)
        let trace = daemon.folder("trace")
        try daemon.start(
            ["--sync=never"], wrapper: [strace, "-D", "-f", "-qq", "-o", trace, "-e", "trace=fdatasync"])
        #expect(daemon.messages(ofLast: 300).contains("the log's end was torn: 13 bytes"))
        #expect(try facts(of: log).st_ino == before.st_ino)
        #expect(try daemon.connect().ask("stats")?.contains(" leases=\(count) ") == true)
        let threads = Set(lines(of: trace).map { $0.prefix { $0 != " " } })
        #expect(threads.count > 1, "the second thread syncs as well")
        try daemon.stop()
    }

    private func facts(of path: String) throws -> stat {
        var about = stat()
        try #require(stat(path, &about) == 0)
        return about
    }

    @Test(.enabled(if: hasStrace, "needs root and strace"))
    func compactionMayBeKilledAtEachOfItsCalls() throws {
        let daemon = try Daemon()
        try daemon.start()
        var client = try daemon.connect()
        for key in 0..<30 { #expect(tokenGranted(client.ask("acquire user/\(key) ttl=1h")) != nil) }
        #expect(client.ask("release 30")?.hasPrefix("OK") == true)
        var greatest: UInt64 = 30
        for call in ["openat", "write", "fdatasync", "fsync", "renameat", "fallocate", "unlinkat"] {
            var isKilled = true
            var count = 0
            while isKilled {
                count += 1
                let fault = try Fault(
                    "\(call):signal=KILL:when=\(count)", of: daemon.pid!, output: daemon.folder("trace"))
                client.send("#c compact\n#a acquire user/n\(call)\(count) ttl=1h")
                var granted: UInt64?
                var isCompacted = false
                while !(granted != nil && isCompacted), let reply = client.line() {
                    granted = granted ?? (reply.hasPrefix("#a ") ? tokenGranted(reply) : nil)
                    isCompacted = isCompacted || reply.hasPrefix("#c OK")
                }
                isKilled = !isCompacted || granted == nil
                withExtendedLifetime(fault) { daemon.kill() }
                try daemon.start()
                client = try daemon.connect()
                for token in 1..<30 {
                    let reply = client.ask("check \(token)") ?? "nothing"
                    #expect(reply.hasPrefix("OK"), "\(call) \(count): \(token)")
                }
                #expect(client.ask("check 30")?.hasPrefix("GONE token=30 why=released") == true)
                if let granted {
                    #expect(granted > greatest)
                    #expect(client.ask("check \(granted)")?.hasPrefix("OK") == true, "\(call) \(count)")
                }
                let next = try #require(tokenGranted(client.ask("acquire user/t\(call)\(count) ttl=1h")))
                #expect(next > max(granted ?? 0, greatest))
                greatest = next
                #expect(access(daemon.dataPath + "/log.new", F_OK) == -1)
                #expect(count < 40)
            }
        }
    }

    @Test func waitersAreToldOfTheStopAndTokensGoOnWithoutAGap() throws {
        let daemon = try Daemon()
        try daemon.start()
        let (holder, waiter) = (try daemon.connect(), try daemon.connect())
        #expect(tokenGranted(holder.ask("acquire user/1 ttl=1h")) == 1)
        waiter.send("#w acquire user/1 wait=1h\nacquire user/1 wait=forever")
        while holder.ask("get user/1")?.contains("waiting=2") != true { drain(holder) }
        drain(holder)
        try daemon.stop()
        #expect(waiter.line()?.hasPrefix("#w BUSY key=user/1 why=draining token=1 ") == true)
        #expect(waiter.line()?.hasPrefix("BUSY key=user/1 why=draining token=1 ") == true)
        #expect(waiter.next() == .closed)
        try daemon.start()
        #expect(tokenGranted(try daemon.connect().ask("acquire user/2")) == 2)
        try daemon.stop()
    }

    /// Takes the lines of a reply that are still to come.
    private func drain(_ client: Client) {
        client.send("#drained ping")
        while let line = client.line(), line != "#drained OK" {}
    }

    @Test func oneOfTenThatStartAtOnceServes() throws {
        let daemon = try Daemon()
        try daemon.start()
        daemon.kill()
        let flags = [
            Daemon.binary, "--socket=\(daemon.socketPath)", "--data=\(daemon.dataPath)", "--exit-with-parent",
        ]
        let said = open(daemon.messagesPath, O_WRONLY | O_APPEND | O_CLOEXEC)
        defer { closeForAll(said) }
        var all = try (0..<10).map { _ in try Program(flags, descriptors: [2: said]) }
        var codes: [Int32] = []
        let deadline = milliseconds() + Int64(patience) * 1_000
        while codes.count < 9, milliseconds() < deadline {
            all.removeAll { program in
                guard let code = program.exitCode(within: 0) else { return false }
                codes.append(code)
                return true
            }
        }
        #expect(codes == Array(repeating: 69, count: 9))
        let server = try #require(all.first)
        #expect(daemon.messages(ofLast: 2_000).contains("in use by process \(server.pid)"))
        var client: Client?
        while client == nil, milliseconds() < deadline { client = try? daemon.connect() }
        #expect(client?.ask("ping") == "OK")
        server.signal(SIGTERM)
        #expect(server.exitCode() == 0)
        #expect(access(daemon.socketPath, F_OK) == -1)
    }

    @Test func aStopOfOverASecondIsMadeUpForByTheGrace() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1s")) == 1)
        daemon.program?.pause()
        usleep(1_500_000)
        daemon.program?.signal(SIGCONT)
        #expect(client.ask("renew 1") == "OK token=1 ttl=1000ms")
        try daemon.stop()
    }

    /// Not even where it has just looked for one request after the other without sleeping.
    @Test(arguments: [[], ["--sync=never"]]) func idleItDoesNothing(_ flags: [String]) throws {
        let daemon = try Daemon()
        try daemon.start(flags)
        let client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        // Once more after the last write it looks whether the log is still there.
        usleep(1_300_000)
        for _ in 0..<200 { #expect(client.ask("ping") == "OK") }
        let (pid, status) = (try #require(daemon.pid), "/proc/\(daemon.pid!)/status")
        usleep(100_000)
        let (before, worked) = (field("voluntary_ctxt_switches:", of: status), processorMilliseconds(of: pid))
        usleep(1_000_000)
        #expect(field("voluntary_ctxt_switches:", of: status) == before)
        #expect(processorMilliseconds(of: pid) - worked < 50)
        try daemon.stop()
    }

    private func processorMilliseconds(of pid: pid_t) -> Int {
        var (clock, time) = (clockid_t(), timespec())
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return .max / 2 }
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }
}

// A disk that takes its time: who needs it waits, and nobody else.

import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: hasStrace, "needs root and strace"))
struct SlowDiskTests {
    @Test func aSlowSyncHoldsUpOnlyWhoNeedsIt() throws {
        let daemon = try Daemon()
        try daemon.start()
        let (client, other) = (try daemon.connect(), try daemon.connect())
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        let fault = try Fault("fdatasync:delay_enter=3s", of: daemon.pid!, output: daemon.folder("trace"))
        client.send("acquire user/2 ttl=1h")
        // Nobody is told of it before it is on the disk; who asks for what is no change is answered.
        #expect(other.ask("ping") == "OK")
        #expect(other.ask("nonsense")?.hasPrefix("ERR unknown-verb ") == true)
        #expect(client.waiting().isEmpty)
        #expect(tokenGranted(client.line()) == 2)
        withExtendedLifetime(fault) {}
        daemon.kill()
        try daemon.start()
        #expect(try daemon.connect().ask("check 2")?.hasPrefix("OK token=2 ") == true)
        try daemon.stop()
    }

    /// Meanwhile it can be stopped, and killed: nobody is told of what is not kept.
    @Test(arguments: [SIGTERM, SIGKILL])
    func anEndWhileTheDiskBreaksItsWord(_ signal: Int32) throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        let fault = try Fault(
            "write:error=ENOSPC:when=1+", of: daemon.pid!, paths: [daemon.dataPath + "/log"],
            output: daemon.folder("trace"))
        client.send("acquire user/2 ttl=1h")
        eventually("the write fails") { daemon.messages(ofLast: 300).contains("trying again") }
        daemon.program?.signal(signal)
        if signal == SIGTERM { #expect(client.line()?.hasPrefix("ERR storage ") == true) }
        #expect(client.next() == .closed)
        #expect(daemon.exitCode() == (signal == SIGTERM ? 74 : 128 + SIGKILL))
        withExtendedLifetime(fault) {}
        try daemon.start()
        let again = try daemon.connect()
        #expect(again.ask("check 1")?.hasPrefix("OK token=1 ") == true)
        #expect(tokenGranted(again.ask("acquire user/2")) ?? 0 > 2)
        try daemon.stop()
    }

    /// Nobody waits for the sync that is under way when the daemon stops, and that fails: the kernel tells of
    /// it once.
    @Test func aStopKnowsOfTheSyncThatWasUnderWay() throws {
        let daemon = try Daemon()
        try daemon.start(["--sync=1ms"])
        let client = try daemon.connect()
        let trace = daemon.folder("trace")
        let fault = try Fault(
            "fdatasync:error=EIO:delay_enter=2s:when=2", of: daemon.pid!, paths: [daemon.dataPath + "/log"],
            output: trace)
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        eventually("it is synced") { text(of: trace).contains(" = 0") }
        #expect(tokenGranted(client.ask("acquire user/2 ttl=1h")) == 2)
        daemon.program?.signal(SIGTERM)
        #expect(daemon.exitCode() == 74)
        withExtendedLifetime(fault) {}
    }

    /// Whoever closes the last descriptor of a large file without a name gives its blocks back, and waits for
    /// that: after a compaction that is never the loop, nor where one was given up.
    @Test(arguments: ["log", "log.new"])
    func whatHasNoNameIsLetGoBesideTheLoop(_ name: String) throws {
        let daemon = try Daemon()
        let trace = daemon.folder("trace")
        var wrapper = [strace, "-D", "-f", "-qq", "-o", trace, "-e", "trace=close,fdatasync"]
        wrapper += SystemCall.format
        if name == "log.new" { wrapper += ["-e", "inject=fdatasync:error=EIO"] }
        try daemon.start(["--sync=never"], wrapper: wrapper)
        let client = try daemon.connect()
        // Which of two threads is first is a matter of luck.
        let (loop, rounds) = ("\(try #require(daemon.pid))", 60)
        for _ in 0..<rounds {
            #expect(client.ask("compact")?.hasPrefix(name == "log" ? "OK " : "ERR compaction-") == true)
        }
        daemon.kill()
        let closings = SystemCall.read(text(of: trace)).filter {
            $0.name == "close" && $0.moment == .began && $0.path == daemon.dataPath + "/" + name
                && $0.arguments.contains("(deleted)")
        }
        // At the end one job may still be to come.
        #expect(closings.count { $0.thread != loop } >= rounds - 1)
        for (closing, next) in zip(closings, closings.dropFirst()) where closing.thread == loop {
            #expect(next.thread != loop)
        }
    }

    /// Whatever waits for the disk stands in one row: so a large file is written and given back in pieces.
    @Test func aLargeLogComesAndGoesPieceByPiece() throws {
        let daemon = try Daemon()
        let trace = daemon.folder("trace")
        let traced = "trace=ftruncate,sync_file_range"
        try daemon.start(
            ["--sync=never"],
            wrapper: [strace, "-D", "-f", "-qq", "-o", trace, "-e", traced] + SystemCall.format)
        let client = try daemon.connect()
        let loop = "\(try #require(daemon.pid))"
        let filler = String(repeating: "x", count: 240)
        for number in 0..<2_500 {
            let keys = (0..<16).map { "user/\(number)-\($0)-\(filler)" }.joined(separator: " ")
            #expect(tokenGranted(client.ask("acquire \(keys) ttl=1h")) != nil)
        }
        #expect(client.ask("compact")?.hasPrefix("OK ") == true)
        #expect(client.ask("compact")?.hasPrefix("OK ") == true)
        let log = daemon.dataPath + "/log"
        func calls(_ name: String, of path: String) -> [SystemCall] {
            SystemCall.read(text(of: trace)).filter {
                $0.name == name && $0.path == path && $0.succeeded
            }
        }
        // Of 10 MB, drawn in slices of several.
        #expect(calls("sync_file_range", of: log + ".new").count >= 2 * 2)
        eventually("it is given back") { calls("ftruncate", of: log).count == 2 }
        let all = SystemCall.read(text(of: trace)).filter { [log, log + ".new"].contains($0.path) }
        #expect(all.allSatisfy { $0.thread != loop })
        try daemon.stop()
    }

    /// Room was set aside, and the disk refuses it all the same: what was decided waits, the rest is refused.
    @Test func aDiskThatBreaksItsWordGrantsNothing() throws {
        let daemon = try Daemon()
        try daemon.start()
        let (first, second) = (try daemon.connect(), try daemon.connect())
        #expect(tokenGranted(first.ask("acquire user/1 ttl=1h")) == 1)
        var fault: Fault? = try Fault(
            "write:error=ENOSPC:when=1+", of: daemon.pid!, paths: [daemon.dataPath + "/log"],
            output: daemon.folder("trace"))
        first.send("acquire user/2 ttl=1h")
        eventually("the write fails") { daemon.messages(ofLast: 300).contains("trying again") }
        #expect(second.ask("acquire user/3")?.hasPrefix("ERR no-space ") == true)
        #expect(second.ask("ping") == "OK")
        #expect(first.waiting().isEmpty)
        withExtendedLifetime(fault) {}
        fault = nil
        #expect(tokenGranted(first.line()) == 2)
        eventually("service resumes") { tokenGranted(second.ask("acquire user/4 ttl=1h")) != nil }
        daemon.kill()
        try daemon.start()
        #expect(try daemon.connect().ask("check 2")?.hasPrefix("OK token=2 ") == true)
        try daemon.stop()
    }
}

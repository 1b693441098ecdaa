// A disk that takes its time: who needs it waits, and nobody else.

import Glibc
import TestSupport
import Testing

/// A request whose grant takes 4 KB in the log.
func largeRequest(_ number: Int) -> String {
    let filler = String(repeating: "x", count: 240)
    return "acquire \((0..<16).map { "user/\(number)-\($0)-\(filler)" }.joined(separator: " ")) ttl=1h"
}

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
    /// that: after a compaction, or one that was given up, it is neither the loop nor who syncs.
    @Test(arguments: ["log", "log.new"])
    func whatHasNoNameIsLetGoAside(_ name: String) throws {
        let daemon = try Daemon()
        let trace = daemon.folder("trace")
        var wrapper = [strace, "-D", "-f", "-qq", "-o", trace, "-e", "trace=close,fdatasync"]
        wrapper += SystemCall.format
        if name == "log.new" { wrapper += ["-e", "inject=fdatasync:error=EIO"] }
        try daemon.start(["--sync=never"], wrapper: wrapper)
        let client = try daemon.connect()
        // Often: if both closed it at about the same time, who comes last would be a matter of luck.
        let (loop, rounds) = ("\(try #require(daemon.pid))", 60)
        for _ in 0..<rounds {
            #expect(client.ask("compact")?.hasPrefix(name == "log" ? "OK " : "ERR compaction-") == true)
        }
        var (ofBusy, aside): ([Int], [Int]) = ([], [])
        eventually("all are closed") {
            let calls = SystemCall.read(text(of: trace))
            let busy = Set(calls.filter { $0.name == "fdatasync" }.map(\.thread) + [loop[...]])
            let closings = calls.indices.filter {
                calls[$0].name == "close" && calls[$0].moment == .began
                    && calls[$0].path == daemon.dataPath + "/" + name
                    && calls[$0].arguments.contains("(deleted)")
            }
            ofBusy = closings.filter { busy.contains(calls[$0].thread) }
            aside = closings.filter { !busy.contains(calls[$0].thread) }
            return aside.count == rounds
        }
        #expect(ofBusy.count == (name == "log" ? rounds : 0))
        #expect(zip(ofBusy, aside).allSatisfy { $0 < $1 })
        daemon.kill()
    }

    /// A large file is written before it is to be synced: that of a compaction, and under `always` the log,
    /// while the ring is synced in its place.
    @Test(arguments: ["--sync=never", "--sync=always"])
    func aLargeFileIsWrittenBeforeItIsSynced(_ policy: String) throws {
        let daemon = try Daemon()
        let trace = daemon.folder("trace")
        try daemon.start(
            [policy],
            wrapper: [strace, "-D", "-f", "-qq", "-o", trace, "-e", "trace=sync_file_range"]
                + SystemCall.format)
        let client = try daemon.connect()
        for number in 0..<1_000 { #expect(tokenGranted(client.ask(largeRequest(number))) != nil) }
        if policy == "--sync=never" { #expect(client.ask("compact")?.hasPrefix("OK ") == true) }
        let loop = "\(try #require(daemon.pid))"
        daemon.kill()
        let begun = SystemCall.read(text(of: trace)).filter(\.succeeded)
        let file = daemon.dataPath + (policy == "--sync=never" ? "/log.new" : "/log")
        // Of 4 MB; a compaction is drawn in slices of several.
        #expect(begun.count >= (policy == "--sync=never" ? 1 : 3))
        #expect(begun.allSatisfy { $0.path == file && $0.thread != loop })
    }

    /// Where the file system finds no place for what was written, it may say so once, and never again.
    @Test func aWriteBackThatFailsIsAFailure() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        for number in 0..<300 { #expect(tokenGranted(client.ask(largeRequest(number))) != nil) }
        var fault: Fault? = try Fault(
            "sync_file_range:error=EIO:when=1", of: daemon.pid!, paths: [daemon.dataPath + "/log.new"],
            output: daemon.folder("trace"))
        #expect(client.ask("compact")?.hasPrefix("ERR compaction-stopped ") == true)
        #expect(client.ask("compact")?.hasPrefix("OK ") == true)
        withExtendedLifetime(fault) {}
        fault = nil
        fault = try Fault(
            "sync_file_range:error=EIO", of: daemon.pid!, paths: [daemon.dataPath + "/log"],
            output: daemon.folder("trace"))
        let answers = (300..<2_000).lazy.map { client.ask(largeRequest($0)) }
        #expect(answers.first { tokenGranted($0) == nil }??.hasPrefix("ERR storage ") != false)
        #expect(daemon.exitCode() == 74)
        #expect(daemon.messages(ofLast: 300).contains("the log can't be written"))
        withExtendedLifetime(fault) {}
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

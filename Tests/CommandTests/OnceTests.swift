// `lease once`: one runs the command, and all print the same bytes.

import Glibc
import TestSupport
import Testing

@Suite struct OnceTests {
    /// Several at the same time; each says what it printed, byte by byte.
    private func together(_ rig: Rig, _ script: String, count: Int = 4) throws -> [Ended] {
        let go = rig.daemon.folder("go")
        let work = "echo run >> \(rig.daemon.folder("runs")); while [ ! -e \(go) ]; do sleep 0.05; done"
        let all = try (0..<count).map { _ in
            try rig.start("once", "user/1", "--", "sh", "-c", "\(work); \(script)")
        }
        #expect(holds { (try? rig.ask("get user/1").contains(" waiting=\(count - 1) ")) == true })
        try rig.daemon.folder.write("go", [])
        return all.map { $0.end() }
    }

    private func runs(_ rig: Rig) -> Int {
        contents(rig.daemon.folder("runs")).split(separator: "\n").count
    }

    @Test func oneRunsAndAllPrintTheSame() throws {
        for (script, text) in [
            ("printf 'a b\\n%%25\\n\\n'", "a b\n%25\n\n"), ("true", ""),
            ("printf '\\033[1m\\t;'", "\u{1B}[1m\t;"),
        ] {
            let rig = try Rig()
            let all = try together(rig, script)
            #expect(all.allSatisfy { $0.code == 0 && $0.output == text && $0.errors == "" }, "\(all)")
            #expect(runs(rig) == 1)
            #expect(try rig.isFree("user/1"))
        }
    }

    @Test func bytesAreBytes() throws {
        let rig = try Rig()
        let go = rig.daemon.folder("go")
        let work = "while [ ! -e \(go) ]; do sleep 0.05; done; printf '\\377\\000\\200\\n'"
        let quoted = work.replacing("\\", with: "\\\\")
        let all = try (0..<3).map { _ in
            try rig.startShell("$L once user/1 -- sh -c \"\(quoted)\" | od -An -tx1")
        }
        #expect(holds { (try? rig.ask("get user/1").contains(" waiting=2 ")) == true })
        try rig.daemon.folder.write("go", [])
        for one in all { #expect(one.end().output == " ff 00 80 0a\n") }
    }

    @Test func whoFailsLeavesItToTheNext() throws {
        let rig = try Rig()
        let first = rig.daemon.folder("first")
        let all = try together(rig, "echo out; mkdir \(first) && exit 3; echo two")
        #expect(all.map(\.code).sorted { $0 ?? -1 < $1 ?? -1 } == [0, 0, 0, 3])
        // Whoever failed has printed its own, and the others what the second one wrote.
        #expect(all.allSatisfy { $0.output == ($0.code == 3 ? "out\n" : "out\ntwo\n") }, "\(all)")
        #expect(runs(rig) == 2)
    }

    @Test func aResultThatIsKeptAnswersLaterOnes() throws {
        let rig = try Rig()
        let first = try rig.run("once", "user/1", "--keep=10m", "--json", "--", "echo", "first")
        #expect(first.code == 0 && first.output == "first\n")
        #expect(first.errors.contains(#""status":"ok""#) && first.errors.contains(#""kept_ms":600000"#))
        let later = try rig.run("once", "user/1", "--json", "--", "echo", "later")
        #expect(later.code == 0 && later.output == "first\n")
        #expect(later.errors.contains(#""status":"done""#) && later.errors.contains(#""age_ms":"#))
        #expect(try rig.run("once", "user/2", "--", "echo", "other").output == "other\n")
        #expect(try rig.ask("forget user/1").hasPrefix("OK"))
        #expect(try rig.run("once", "user/1", "--", "echo", "anew").output == "anew\n")
    }

    @Test func whatIsTooLongIsPrintedAndNotShared() throws {
        let rig = try Rig()
        let full = try rig.run("once", "user/1", "--keep=10m", "--", "printf", "%04096d", "0")
        #expect(full.output.utf8.count == 4_096 && full.errors == "")
        #expect(try rig.ask("forget user/1").hasPrefix("OK"))
        for words in [["printf", "%04097d", "0"], ["printf", "%1366s", ""]] {
            let ended = try rig.start(["once", "user/1", "--keep=10m", "--"] + words).end()
            #expect(ended.code == 0 && [4_097, 1_366].contains(ended.output.utf8.count))
            #expect(ended.errors.contains("is not shared, since it is longer than 4096 bytes"))
            #expect(ended.errors.split(separator: "\n").count == 1)
            #expect(try rig.ask("forget user/1").hasPrefix("ERR nothing-kept"))
        }
        let all = try together(rig, "head -c 300000 /dev/zero | tr '\\0' x", count: 2)
        #expect(all.allSatisfy { $0.code == 0 && $0.output.utf8.count == 300_000 })
        #expect(runs(rig) == 2)
    }

    @Test func whoIsKilledTakesItsCommandAlong() throws {
        let rig = try Rig()
        let script = "echo $$; exec sleep 90"
        let first = try rig.start("once", "user/1", "--", "sh", "-c", script)
        #expect(holds { first.output.hasSuffix("\n") })
        let command = try #require(pid_t(first.output.dropLast()))
        let next = try rig.start("once", "user/1", "-w2m", "--", "echo", "next")
        #expect(holds { (try? rig.waitsInLine("user/1")) == true })
        first.program.signal(SIGKILL)
        let ended = next.end()
        #expect(ended.code == 0 && ended.output == "next\n")
        #expect(holds { !isAlive(command) })
        #expect(first.end().code == 137)
    }

    @Test func aRestartOfTheDaemonLosesNothing() throws {
        let rig = try Rig()
        let go = rig.daemon.folder("go")
        let script = "echo up; while [ ! -e \(go) ]; do sleep 0.05; done; echo done"
        let all = try (0..<3).map { _ in
            try rig.start("once", "user/1", "-w5m", "--", "sh", "-c", script)
        }
        for isClean in [true, false] {
            #expect(holds { (try? rig.ask("get user/1").contains(" waiting=2 ")) == true })
            if isClean { try rig.daemon.stop() } else { rig.daemon.kill() }
            try rig.daemon.start()
        }
        #expect(holds { (try? rig.ask("get user/1").contains(" waiting=2 ")) == true })
        try rig.daemon.folder.write("go", [])
        for one in all {
            let ended = one.end()
            #expect(ended.code == 0 && ended.output == "up\ndone\n" && ended.errors == "", "\(ended)")
        }
    }

    @Test func codesAreThoseOfRun() throws {
        let rig = try Rig()
        #expect(try rig.ask("acquire user/1 owner=tab-A ttl=1h").hasPrefix("OK"))
        #expect(try rig.run("once", "user/1", "-n", "--", "echo", "no").code == 75)
        let late = try rig.run("once", "user/1", "-w", "300ms", "-E", "9", "--", "echo", "no")
        #expect(late.code == 9 && late.output == "" && late.errors.contains("held by tab-A"))
        // Whoever holds it needn't have said that it shares.
        let waits = try rig.start("once", "user/1", "--", "echo", "no")
        #expect(holds { (try? rig.waitsInLine("user/1")) == true })
        #expect(try rig.ask("release 1 result=a%00%0Ab").hasPrefix("OK"))
        #expect(waits.end().output == "a\u{0}\nb")
        #expect(try rig.run("once", "user/1", "--", "no-such-program").code == 127)
        #expect(try rig.run("once", "user/1", "--", "/tmp").code == 126)
        #expect(try rig.run("once", "user/1", "user/2", "--", "true").code == 64)
        #expect(try rig.run("once", "user/1", "--", "sh", "-c", "kill -TERM $$").code == 143)
        #expect(try rig.isFree("user/1"))
    }

    @Test func itEndsAsRunDoes() throws {
        let rig = try Rig()
        let inner = try rig.shell("$L once user/1 -- $L once user/1 -w5s -- echo inside")
        #expect(inner.code == 0 && inner.output == "inside\n")
        let full = try rig.shell("$L once user/1 -- echo x > /dev/full")
        #expect(full.code == 70 && full.errors.contains("can't be printed"))
        let lost = try rig.start("once", "user/1", "--", "sh", "-c", "echo up; exec sleep 91")
        #expect(lost.says("up"))
        let holders = try rig.run("get", "user/1", "--json").fields["holders"] as? [[String: Any]]
        let token = try #require(holders?.first?["token"] as? Int)
        #expect(try rig.ask("evict \(token)").hasPrefix("OK"))
        #expect(lost.end().code == 79)
        try rig.daemon.stop()
        #expect(try rig.run("once", "user/1", "--", "echo", "no").code == 69)
    }
}

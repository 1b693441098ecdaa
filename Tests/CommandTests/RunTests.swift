// `lease run` away from a terminal: exit codes, what the command gets, and how it is bound to its lease.

import Glibc
import TestSupport
import Testing

@Suite struct RunTests {
    @Test func theCommandsCodeIsTheCode() throws {
        let rig = try Rig()
        #expect(try rig.run("run", "user/1", "--", "true").code == 0)
        #expect(try rig.run("run", "user/1", "--", "sh", "-c", "exit 3").code == 3)
        #expect(try rig.run("run", "user/1", "--", "sh", "-c", "exit 255").code == 255)
        #expect(try rig.run("run", "user/1", "--", "sh", "-c", "kill -TERM $$").code == 143)
        #expect(try rig.run("run", "user/1", "--", "sh", "-c", "kill -KILL $$").code == 137)
        #expect(try rig.isFree("user/1"))
    }

    @Test func whatDoesNotRunIsSaidByTheCode() throws {
        let rig = try Rig()
        let missing = try rig.run("run", "user/1", "--", "no-such-program")
        #expect(missing.code == 127 && missing.errors.contains("can't be found"))
        #expect(try rig.run("run", "user/1", "--", "/no/such/program").code == 127)
        #expect(try rig.run("run", "user/1", "--", "/etc/passwd").code == 126)
        #expect(try rig.run("run", "user/1", "--", "/tmp").code == 126)
        #expect(try rig.run("run", "user/1", "true").code == 64)
        #expect(try rig.run("run", "user", "--", "true").code == 64)
        #expect(try rig.run("run", "dog/1", "--", "true").code == 64)
        #expect(try rig.run("run", "user/1", "-E", "256", "--", "true").code == 64)
        #expect(try rig.isFree("user/1"))
        let script = rig.daemon.folder("script")
        try rig.daemon.folder.write("script", Array("echo \"$1\"\n".utf8))
        chmod(script, 0o700)
        #expect(try rig.run("run", "user/1", "--", script, "by the shell").output == "by the shell\n")
    }

    /// What stands in an argument stays one value, whatever bytes it has.
    @Test func noArgumentForgesALine() throws {
        let rig = try Rig()
        let owner = "x\nrelease 1\r\n#t evict 1 \u{1b}[31m=%"
        #expect(try rig.run("acquire", "user/1", "--owner", owner, "--note", owner).code == 0)
        let held = try rig.ask("check 1")
        let spelled = "x%0Arelease%201%0D%0A#t%20evict%201%20%1B[31m=%25"
        #expect(held.hasPrefix("OK token=1 ") && held.contains(" owner=\(spelled) "), "\(held)")
        #expect(held.hasSuffix(" note=\(spelled)"))
        #expect(try rig.run("acquire", "user/2\nrelease 1", "-n").code == 64)
        #expect(try rig.isHeld("user/1") && rig.isFree("user/2"))
    }

    @Test func withoutADaemonItEndsAtOnce() throws {
        let rig = try Rig()
        try rig.daemon.stop()
        let ended = try rig.run("run", "user/1", "--", "echo", "no")
        #expect(ended.code == 69 && ended.output == "")
        #expect(ended.errors.contains(rig.daemon.socketPath))
    }

    @Test func whoeverHasTheKeyIsNamed() throws {
        let rig = try Rig(["--clock=manual"])
        let client = try rig.daemon.connect()
        #expect(client.ask("acquire user/42 owner=tab-A ttl=10m") == "OK token=1 ttl=600000ms")
        client.send("#w acquire user/42 owner=tab-B wait=forever")
        #expect(holds { (try? rig.waitsInLine("user/42")) == true })
        _ = try rig.ask("clock advance=124s")
        let ended = try rig.run("run", "-n", "user/42", "--", "echo", "no")
        #expect(ended.code == 75 && ended.output == "")
        let about = "user/42 is held by tab-A (pid \(getpid()), uid \(geteuid())) for 2m04s, 7m56s left"
        #expect(ended.errors == "lease: \(about); you'd be 2nd in line\n")
        #expect(try rig.run("run", "-n", "user/42", "-E", "9", "--", "true").code == 9)
        #expect(try rig.run("run", "user/42", "-nE0", "--", "false").code == 0)
        let json = try rig.run("run", "-n", "user/42", "--json", "--", "true")
        #expect(json.output == "" && json.errors.contains(#""why":"held""#))
        let wrong = try rig.run("run", "-w", "5", "user/42", "--json", "--", "true")
        #expect(wrong.code == 64 && wrong.output == "" && wrong.errors.contains(#""status":"err""#))
    }

    @Test func itWaitsAsLongAsItIsTold() throws {
        let rig = try Rig()
        #expect(try rig.ask("acquire user/1 owner=a").hasPrefix("OK"))
        let began = ContinuousClock.now
        let late = try rig.run("run", "user/1", "-w", "300ms", "--", "true")
        #expect(late.code == 75 && late.errors.contains("held by a "), "\(late.code ?? -1) \(late.errors)")
        #expect(ContinuousClock.now - began >= .milliseconds(300))
        // In line it was somewhat less, by the time that it takes to get there.
        #expect(late.errors.contains("waiting 300ms for user/1 was not enough"), "\(late.errors)")
        let running = try rig.start("run", "user/1", "-w60s", "--", "echo", "granted")
        #expect(holds { (try? rig.waitsInLine("user/1")) == true })
        #expect(try rig.ask("release 1").hasPrefix("OK"))
        let ended = running.end()
        #expect(ended.code == 0 && ended.output == "granted\n" && ended.errors == "")
    }

    @Test func whereNobodySaysHowLongThePolicysWaitHolds() throws {
        let rig = try Rig(policy: "kind user id max-wait=300ms\n")
        #expect(try rig.run("run", "user/1", "--", "echo", "up").output == "up\n")
        #expect(try rig.run("acquire", "user/1").output == "2\n")
        #expect(try rig.run("once", "user/2", "--", "echo", "once").output == "once\n")
        let late = try rig.run("run", "user/1", "--", "true")
        #expect(late.code == 75, "\(late.errors)")
        #expect(late.errors.hasPrefix("lease: waiting 300ms for user/1 was not enough; it is held by "))
        // Who says it is told.
        let wrong = try rig.run("run", "user/3", "-w", "2m", "--", "true")
        #expect(wrong.code == 64)
        #expect(wrong.errors == "lease: the policy bounds the wait of user/3; write -w 300ms or less\n")
    }

    @Test func aRefusalNamesWhatTheCommandLineHas() throws {
        let rig = try Rig(policy: "kind user id limit=2 max-ttl=2m max-priority=3\nkind two id queue=0\n")
        for (words, sentence) in [
            (["run", "user/1", "-t", "1h"], "the policy bounds the ttl of user/1; write -t 2m or less"),
            (
                ["run", "user/1", "--priority=4"],
                "the policy bounds the priority for user/1; write --priority=3 or less"
            ),
            (
                ["once", "user/1"],
                "lease once needs a key with one holder, and user/1 has limit=2; use lease run there"
            ),
            (["run", "foo/1"], "the policy has no kind 'foo'; lease policy shows those there are"),
            (["run", "users/1"], "the policy has no kind 'users'; did you mean user?"),
        ] {
            let ended = try rig.start(words + ["--", "true"]).end()
            #expect(ended.code == 64 && ended.errors == "lease: \(sentence)\n")
        }
        _ = try rig.ask("acquire two/1 owner=a")
        let now = try rig.run("run", "two/1", "-n", "--", "true")
        #expect(now.code == 75 && now.errors.hasSuffix(" left; nobody may wait for it\n"), "\(now.errors)")
        let later = try rig.run("run", "two/1", "-w1s", "--", "true")
        #expect(later.code == 75 && later.errors.hasPrefix("lease: nobody may wait for two/1; it is held by"))
        _ = try rig.ask("drain")
        let drained = try rig.run("run", "user/7", "-n", "--", "true").errors
        let why = "the daemon is stopping or was told to drain, and grants nothing any more"
        #expect(drained == "lease: \(why)\n")
    }

    @Test func itsInputOutputAndVariablesAreTheCommands() throws {
        let rig = try Rig()
        rig.environment += ["MINE=a b", "LEASE_TOKEN=99", "LEASE_HELD=nonsense"]
        let piped = try rig.shell("printf 'a\\nb\\n' | $L run user/1 -- cat | tr a-z A-Z; printf x >&2")
        #expect(piped.output == "A\nB\n" && piped.errors == "x")
        let third = try rig.shell("exec 7>&1; $L run user/1 -- sh -c 'echo third >&7'")
        #expect(third.output == "third\n")
        let seen = try rig.run("run", "user/1", "species/3/video", "--", "env").output
        for line in [
            "MINE=a b", "LEASE_KEYS=user/1,species/3/video", "LEASE_TOKEN=3",
            "LEASE_HELD=user/1=3,species/3/video=3", "LEASED_SOCKET=\(rig.daemon.socketPath)",
        ] {
            #expect(seen.contains("\(line)\n"), "\(seen)")
        }
        // Bytes that are no UTF-8 come through as they are.
        let bytes = try rig.shell("$L run user/1 -- printf '%s' \"$(printf '\\377\\200')\" | od -An -tx1")
        #expect(bytes.output.contains("ff 80"))
        // What was closed, ignored or not blocked is so for the command.
        let closed = try rig.shell("$L run user/1 -- sh -c 'ls /proc/$$/fd' <&- 7>&-")
        #expect(!closed.output.split(separator: "\n").contains("0"), "\(closed.output)")
        let status = "grep -E 'Sig(Ign|Blk)' /proc/self/status"
        let ignore = "env --ignore-signal=HUP --ignore-signal=CHLD"
        let ours = try rig.shell("\(ignore) $L run user/1 -- \(status)")
        let plain = try rig.shell("\(ignore) \(status)")
        #expect(masks(ours.output).count == 2, "\(ours.errors)")
        #expect(masks(ours.output) == masks(plain.output))
    }

    /// The sets of signals, but for the two (32 and 33) that the C library has for itself: a sanitizer's
    /// program leaves them as it likes.
    private func masks(_ status: String) -> [UInt64?] {
        status.split(separator: "\n").map { line in
            UInt64(line.split(separator: "\t").last ?? "", radix: 16).map { $0 & ~0x1_8000_0000 }
        }
    }

    @Test func insideItselfItGoesAhead() throws {
        let rig = try Rig()
        let inner = "$L run user/1 -w 5s -- sh -c 'echo $LEASE_TOKEN $LEASE_HELD'"
        let same = try rig.shell("$L run user/1 user/2 -- sh -c \"\(inner.replacing("$", with: "\\$"))\"")
        #expect(same.output == "1 user/1=1,user/2=1\n", "\(same.errors)")
        let more = try rig.shell("$L run user/1 -- $L run user/1 user/3 -- sh -c 'echo $LEASE_HELD'")
        #expect(more.output == "user/1=2,user/3=3\n", "\(more.errors)")
        // What the environment says and the daemon doesn't is not held.
        rig.environment.append("LEASE_HELD=user/4=2")
        #expect(try rig.ask("acquire user/4 owner=other").hasPrefix("OK"))
        #expect(try rig.run("run", "user/4", "-n", "--", "true").code == 75)
        let alone = try rig.shell("$L run --shared user/5 -- $L run user/5 -- true")
        #expect(alone.code == 75 && alone.errors.contains("shared"))
        #expect(try rig.shell("$L run --shared user/5 -- $L run --shared user/5 -- true").code == 0)
    }

    @Test func itEndsWhenItsTimeIsOver() throws {
        let rig = try Rig()
        #expect(try rig.run("run", "user/1", "--max", "200ms", "--", "sleep", "60").code == 143)
        let own = try rig.run(
            "run", "user/1", "--max=3s", "--", "sh", "-c", "trap 'exit 5' TERM; sleep 60 & wait")
        #expect(own.code == 5)
        // The whole group: a child that does not hear SIGTERM goes with it.
        let script = "trap '' TERM; sleep 61 & echo $!; wait; wait; wait"
        let deaf = try rig.run("run", "user/1", "--max=3s", "-k", "300ms", "--", "sh", "-c", script)
        #expect(deaf.code == 137)
        let child = try #require(pid_t(deaf.output.split(separator: "\n").first ?? ""))
        #expect(!isAlive(child))
        // Also where the command itself has heard it.
        let half = "(trap '' TERM; exec sleep 62) & echo $!; exec sleep 63"
        let left = try rig.run("run", "user/1", "--max=3s", "-k", "100ms", "--", "sh", "-c", half)
        #expect(left.code == 143)
        #expect(!isAlive(try #require(pid_t(left.output.split(separator: "\n").first ?? ""))))
        #expect(try rig.isFree("user/1"))
    }
}

// `lease run` on a real terminal, under a shell with job control: as without `lease`.

import Glibc
import TestSupport
import Testing

@Suite struct TerminalTests {
    private func shell(_ rig: Rig) throws -> Terminal {
        let terminal = try rig.terminal("/bin/bash", "--norc", "--noprofile", "-i")
        terminal.type("PS1='> '; bind 'set enable-bracketed-paste off'; echo be''gun\n")
        #expect(terminal.shows("begun"))
        return terminal
    }

    /// Runs what says each signal that it gets, and ends with 7 by one of them.
    private func startProbe(_ terminal: Terminal, endsBy signal: Int32, _ count: Int, _ end: String) {
        let probe = Daemon.builtProgram("signalprobe")
        terminal.type("$L run user/1 -- \(probe) \(signal) \(count)\(end)\n")
        #expect(terminal.shows("ready"))
    }

    /// A signal to `lease` alone, of a higher number than those that came before: it is passed on behind
    /// whatever else would be.
    private func settle(_ terminal: Terminal, _ holder: pid_t, _ count: Int) {
        kill(holder, SIGPWR)
        #expect(terminal.shows("<\(SIGPWR):\(count)>"), "\(terminal.shown)")
    }

    @Test func controlCReachesTheCommandOnce() throws {
        let rig = try Rig()
        let terminal = try shell(rig)
        startProbe(terminal, endsBy: SIGPWR, 3, "")
        let holder = try rig.holder(of: 1)
        for count in 1...3 {
            terminal.type("\u{3}")
            #expect(terminal.shows("<\(SIGINT):\(count)>"))
            settle(terminal, holder, count)
        }
        #expect(tells(terminal, code: 7), "\(terminal.shown)")
        #expect(!terminal.shown.contains("<\(SIGINT):4>"))
        #expect(try rig.isFree("user/1"))
    }

    @Test func aSignalToTheWholeJobReachesTheCommandOnce() throws {
        let rig = try Rig()
        let terminal = try shell(rig)
        startProbe(terminal, endsBy: SIGTERM, 2, " &")
        let holder = try rig.holder(of: 1)
        // To the job by its shell, then to lease alone, which passes it on.
        for round in 1...2 {
            terminal.type("kill -USR1 %1\n")
            #expect(terminal.shows("<\(SIGUSR1):\(2 * round - 1)>"))
            settle(terminal, holder, 2 * round - 1)
            kill(holder, SIGUSR1)
            #expect(terminal.shows("<\(SIGUSR1):\(2 * round)>"))
            settle(terminal, holder, 2 * round)
        }
        terminal.type("kill -TERM %1\n")
        #expect(terminal.shows("<\(SIGTERM):1>"))
        settle(terminal, holder, 5)
        kill(holder, SIGTERM)
        #expect(terminal.shows("<\(SIGTERM):2>"))
        #expect(!terminal.shown.contains("<\(SIGUSR1):5>"))
        terminal.type("wait %1; echo code=$?.\n")
        #expect(terminal.shows("code=7."), "\(terminal.shown)")
    }

    /// What tests leave behind would otherwise be seen only when they are aborted.
    @Test func aTerminalThatGoesTakesItsJobsAlong() throws {
        let rig = try Rig()
        // As under nohup.
        let before = signal(SIGHUP, SIG_IGN)
        defer { signal(SIGHUP, before) }
        let terminal = try shell(rig)
        let command = "sh -c 'trap : TERM INT; echo re\"\"ady; while :; do sleep 0.1; done'"
        terminal.type("$L run user/1 -- \(command) &\n")
        #expect(terminal.shows("ready"))
        terminal.type("$L run user/2 -- \(command)\n")
        #expect(terminal.shows("ready"))
        terminal.hangUp()
        #expect(holds { (try? rig.isFree("user/1")) == true && (try? rig.isFree("user/2")) == true })
    }

    @Test func controlCEndsALoopOfTheShell() throws {
        let rig = try Rig()
        let terminal = try shell(rig)
        let command = "$L run user/1 -- sh -c 'echo started:; exec sleep 72'"
        terminal.type("for i in 1 2 3; do \(command); done; echo co''de=$?.\n")
        #expect(terminal.shows("started:\r\n"))
        terminal.type("\u{3}")
        terminal.type("echo la''st=$?.\n")
        #expect(terminal.shows("last=130."), "\(terminal.shown)")
        #expect(!terminal.shown.contains("code="))
    }

    /// Types a line until the command has answered it: what is typed while the shell hands the terminal over
    /// may be lost, with or without `lease`.
    private func answers(_ terminal: Terminal, _ line: String) -> Bool {
        for _ in 0..<40 {
            terminal.type("\(line)\n")
            if terminal.shows("got \(line).", within: 1) { return true }
        }
        return false
    }

    /// The shell says so, and has its prompt: what is typed before that may be lost.
    private func stopped(_ terminal: Terminal) -> Bool {
        terminal.shows("Stopped") && terminal.shows("> ")
    }

    /// Brings the stopped job forward: typed until the shell has taken it, for the same reason.
    private func comesForward(_ terminal: Terminal) -> Bool {
        for _ in 0..<20 {
            terminal.type("\u{15}fg\n")
            if terminal.shows("$L run user/1", within: 2) { return true }
        }
        return false
    }

    /// Asks the shell for the exit code of what has ended. Of the blank line before, a part may be lost.
    private func tells(_ terminal: Terminal, code: Int) -> Bool {
        guard terminal.shows("> ") else { return false }
        terminal.type("\u{15}    \n")
        guard terminal.shows("> ") else { return false }
        terminal.type("echo code=$?.\n")
        return terminal.shows("code=\(code).")
    }

    private let answering = "$L run user/1 -- sed -u 's/.*/got &./'"

    @Test func controlZStopsAndFgGoesOn() throws {
        let rig = try Rig()
        let terminal = try shell(rig)
        terminal.type("\(answering)\n")
        #expect(holds { (try? rig.isHeld("user/1")) == true })
        #expect(answers(terminal, "one"))
        for line in ["two", "three"] {
            terminal.type("\u{1A}")
            #expect(stopped(terminal))
            #expect(try rig.isHeld("user/1"))
            #expect(comesForward(terminal), "\(terminal.shown)")
            #expect(answers(terminal, line), "\(terminal.shown)")
        }
        terminal.type("\u{4}")
        #expect(tells(terminal, code: 0), "\(terminal.shown)")
    }

    @Test func aJobInTheBackgroundCanComeForward() throws {
        let rig = try Rig()
        let terminal = try shell(rig)
        terminal.type("\(answering) &\n")
        #expect(holds { (try? rig.isHeld("user/1")) == true })
        // It reads from a terminal that isn't its own yet.
        let holder = try rig.holder(of: 1)
        #expect(holds { state(of: holder) == "T" })
        #expect(comesForward(terminal), "\(terminal.shown)")
        #expect(answers(terminal, "input"), "\(terminal.shown)")
        terminal.type("\u{4}")
        #expect(tells(terminal, code: 0), "\(terminal.shown)")
    }

    @Test func aCommandThatStopsItselfGivesTheTerminalBack() throws {
        let rig = try Rig()
        let terminal = try shell(rig)
        terminal.type("$L run user/1 -- sh -c 'kill -STOP $$; echo wo''ken'\n")
        #expect(stopped(terminal))
        #expect(comesForward(terminal), "\(terminal.shown)")
        #expect(terminal.shows("woken"))
    }

    @Test func aLineSaysWhatIsWaitedFor() throws {
        let rig = try Rig()
        #expect(try rig.ask("acquire user/1 owner=tab-A ttl=1h").hasPrefix("OK"))
        let terminal = try shell(rig)
        terminal.type("$L run user/1 -- echo gra''nted\n")
        let about = "waiting for user/1, held by tab-A (pid \(getpid())) for "
        #expect(terminal.shows(about))
        #expect(terminal.shows("; 1st in line"))
        terminal.type("\u{1A}")
        #expect(stopped(terminal))
        #expect(comesForward(terminal), "\(terminal.shown)")
        #expect(terminal.shows(about))
        #expect(try rig.ask("release 1").hasPrefix("OK"))
        #expect(terminal.shows("granted"))
        terminal.type("$L acquire user/1 >/dev/null; $L run user/1 -- echo never\n")
        #expect(terminal.shows("waiting for user/1"))
        terminal.type("\u{3}")
        #expect(tells(terminal, code: 130), "\(terminal.shown)")
        #expect(!terminal.shown.contains("\nnever"))
        #expect(holds { (try? rig.waitsInLine("user/1")) == false })
    }

    @Test func aPagerReadsTheTerminal() throws {
        let rig = try Rig()
        let terminal = try shell(rig)
        terminal.type(
            "echo li''ne | $L run user/1 -- sh -c 'cat; echo as''k; read x </dev/tty; echo got=$x.' | cat\n")
        #expect(terminal.shows("ask"))
        terminal.type("me\n")
        #expect(terminal.shows("got=me."))
    }

    @Test func killedItTakesTheCommandWithIt() throws {
        let rig = try Rig()
        let terminal = try shell(rig)
        terminal.type("$L run user/1 -- sh -c 'trap : TERM HUP; echo re\"\"ady; exec sleep 73'\n")
        #expect(terminal.shows("ready"))
        kill(try rig.holder(of: 1), SIGKILL)
        #expect(terminal.shows("Killed"))
        #expect(holds { (try? rig.isFree("user/1")) == true })
    }

    @Test func theEndReachesTheCommand() throws {
        let rig = try Rig()
        let terminal = try shell(rig)
        terminal.type("$L run user/1 --max=500ms -- sleep 74; echo code=$?.\n")
        #expect(terminal.shows("code=143."))
        // A signal to lease alone is passed on.
        terminal.type("$L run user/1 -- sleep 75; echo code=$?.\n")
        #expect(holds { (try? rig.isHeld("user/1")) == true })
        kill(try rig.holder(of: 2), SIGTERM)
        #expect(terminal.shows("code=143."))
    }

    @Test func coloursAreForTerminalsAlone() throws {
        let rig = try Rig()
        #expect(try rig.ask("acquire user/1 owner=a").hasPrefix("OK"))
        #expect(try !rig.run("list").output.contains("\u{1B}"))
        let terminal = try shell(rig)
        terminal.type("$L list; echo do''ne\n")
        #expect(terminal.shows("\u{1B}[2mTOKEN"))
        #expect(terminal.shows("done"))
        terminal.type("NO_COLOR=1 $L list; echo do''ne\n")
        #expect(terminal.shows("TOKEN"))
        #expect(terminal.shows("done"))
        #expect(terminal.shown.ranges(of: "\u{1B}[2mTOKEN").count == 1)
    }
}

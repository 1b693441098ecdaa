// Signals to `lease run` away from a terminal, and its own death.

import Glibc
import TestSupport
import Testing

@Suite struct SignalTests {
    @Test func signalsArePassedOn() throws {
        let rig = try Rig()
        let traps = ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "ALRM"].map { "trap 'echo \($0)' \($0)" }
        let script = traps.joined(separator: "; ") + "; echo ready; while :; do sleep 0.02; done"
        let running = try rig.start("run", "user/1", "--", "bash", "-c", script)
        #expect(running.says("ready"))
        for (signal, name) in [
            (SIGTERM, "TERM"), (SIGINT, "INT"), (SIGHUP, "HUP"), (SIGQUIT, "QUIT"), (SIGUSR1, "USR1"),
            (SIGUSR2, "USR2"), (SIGALRM, "ALRM"),
        ] where signal != SIGQUIT {
            // (A bash ignores SIGQUIT.)
            running.program.signal(signal)
            #expect(running.says(name), "\(name)")
        }
        running.program.signal(SIGTERM)
        #expect(holds { running.output.ranges(of: "TERM").count == 2 })
        running.program.signal(SIGKILL)
    }

    @Test func theWholeGroupGetsThem() throws {
        let rig = try Rig()
        let running = try rig.start("run", "user/1", "--", "sh", "-c", "sleep 64 & echo $!; wait")
        #expect(running.says("\n"))
        let child = try #require(pid_t(running.output.split(separator: "\n").first ?? ""))
        running.program.signal(SIGTERM)
        #expect(running.end().code == 143)
        #expect(holds { !isAlive(child) })
    }

    @Test func stoppedAndContinuedTogether() throws {
        let rig = try Rig()
        let running = try rig.start("run", "user/1", "--", "sh", "-c", "echo $$; exec sleep 65")
        #expect(running.says("\n"))
        let command = try #require(pid_t(running.output.split(separator: "\n").first ?? ""))
        running.program.signal(SIGTSTP)
        #expect(holds { state(of: command) == "T" && state(of: running.program.pid) == "T" })
        running.program.signal(SIGCONT)
        #expect(holds { state(of: command) == "S" && state(of: running.program.pid) == "S" })
        running.program.signal(SIGINT)
        #expect(running.end().code == 130)
    }

    @Test func inLineTheyEndTheWait() throws {
        let rig = try Rig()
        #expect(try rig.ask("acquire user/1 owner=a").hasPrefix("OK"))
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            let running = try rig.start("run", "user/1", "--", "echo", "never")
            #expect(holds { (try? rig.waitsInLine("user/1")) == true })
            running.program.signal(signal)
            let ended = running.end()
            #expect(ended.code == 128 + signal && ended.output == "")
            #expect(holds { (try? rig.waitsInLine("user/1")) == false })
        }
    }

    @Test func killedItTakesTheCommandWithIt() throws {
        let rig = try Rig()
        // All of it ignores what can be ignored.
        let script = "trap '' TERM HUP INT; sleep 66 & echo $$ $!; wait"
        let running = try rig.start("run", "user/1", "--", "sh", "-c", script)
        #expect(running.says("\n"))
        let pids = running.output.split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
        try #require(pids.count == 2)
        running.program.signal(SIGKILL)
        #expect(running.end().code == 137)
        #expect(holds { !isAlive(pids[0]) && !isAlive(pids[1]) })
        #expect(holds { (try? rig.isFree("user/1")) == true })
        #expect(try rig.ask("renew 1").contains("why=process-ended"))
    }

    @Test func theKeyIsHeldAsLongAsTheCommandLives() throws {
        let rig = try Rig()
        let running = try rig.start("run", "user/1", "--", "sh", "-c", "echo $$; exec sleep 67")
        #expect(running.says("\n"))
        let command = try #require(pid_t(running.output.split(separator: "\n").first ?? ""))
        let other = try rig.daemon.connect()
        other.send("#w acquire user/1 owner=next wait=forever")
        running.program.signal(SIGKILL)
        #expect(other.line()?.hasPrefix("#w OK token=2") == true)
        #expect(!isAlive(command))
    }

    @Test func killedInLineNothingIsExecuted() throws {
        let rig = try Rig()
        #expect(try rig.ask("acquire user/1 owner=a").hasPrefix("OK"))
        let running = try rig.start("run", "user/1", "--", "echo", "never")
        #expect(holds { (try? rig.waitsInLine("user/1")) == true })
        let child = try #require(children(of: running.program.pid).first)
        running.program.signal(SIGKILL)
        #expect(running.end().output == "")
        #expect(holds { !isAlive(child) })
        #expect(holds { (try? rig.waitsInLine("user/1")) == false })
    }

    @Test func nothingIsLeftBehind() throws {
        let rig = try Rig()
        let running = try rig.start("run", "user/1", "--", "sh", "-c", "echo up; read line; exit 0")
        #expect(running.says("up"))
        let ended = running.end()
        #expect(ended.code == 0)
        // The command and its guard were its children, and both are gone when it is.
        #expect(try rig.isFree("user/1"))
        let piped = try rig.shell("$L run user/1 -- sh -c 'sleep 0.1; echo out' | cat; echo done")
        #expect(piped.output == "out\ndone\n")
        // A child in the background outlives the command, as it would without lease.
        let script = "sleep 68 >/dev/null 2>&1 & echo $!"
        let behind = try rig.run("run", "user/1", "--", "sh", "-c", script)
        let child = try #require(pid_t(behind.output.split(separator: "\n").first ?? ""))
        #expect(behind.code == 0 && isAlive(child))
        kill(child, SIGKILL)
    }
}

/// The letter that the kernel has for a process.
func state(of pid: pid_t) -> Character? {
    let stat = contents("/proc/\(pid)/stat")
    return stat.lastIndex(of: ")").flatMap { stat[$0...].dropFirst(2).first }
}

func children(of pid: pid_t) -> [pid_t] {
    contents("/proc/\(pid)/task/\(pid)/children").split(separator: " ").compactMap { pid_t($0) }
}

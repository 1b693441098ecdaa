// What becomes of a command whose lease is lost, and that a restart of the daemon loses none.

import Glibc
import TestSupport
import Testing

@Suite struct LossTests {
    @Test func aLostLeaseEndsTheCommand() throws {
        let rig = try Rig()
        let running = try rig.start(
            "run", "user/1", "-t", "600ms", "--", "sh", "-c", "echo up; exec sleep 70")
        #expect(running.says("up"))
        #expect(try rig.ask("evict 1").hasPrefix("OK"))
        let ended = running.end()
        #expect(ended.code == 79)
        #expect(ended.errors.contains("user/1 is lost: lease 1 was evicted"), "\(ended.errors)")
    }

    @Test func anEvictedHolderNeedNotComeUpForRenewalFirst() throws {
        let rig = try Rig()
        let running = try rig.start("run", "user/1", "--", "sh", "-c", "echo up; exec sleep 76")
        #expect(running.says("up"))
        #expect(try rig.ask("evict 1").hasPrefix("OK"))
        #expect(running.end().code == 79)
    }

    @Test func aDeafCommandIsKilled() throws {
        let rig = try Rig()
        let script = "trap '' TERM; echo up; while :; do sleep 0.1; done"
        let running = try rig.start("run", "user/1", "-t600ms", "-k", "200ms", "--", "sh", "-c", script)
        #expect(running.says("up"))
        #expect(try rig.ask("release 1").hasPrefix("OK"))
        let ended = running.end()
        #expect(ended.code == 79 && ended.errors.contains("was released"))
    }

    @Test func aLossCanBeIgnored() throws {
        let rig = try Rig()
        let script = "echo up; while [ ! -e \(rig.daemon.folder("go")) ]; do sleep 0.05; done; exit 6"
        let running = try rig.start(
            "run", "user/1", "-t", "600ms", "--on-lost=ignore", "--", "sh", "-c", script)
        #expect(running.says("up"))
        #expect(try rig.ask("evict 1").hasPrefix("OK"))
        #expect(holds { running.errors.contains("goes on without it") })
        try rig.daemon.folder.write("go", [])
        #expect(running.end().code == 6)
    }

    @Test func whatThePolicyBoundsIsNotBlamedOnTheDaemon() throws {
        let rig = try Rig(policy: "kind user id max-hold=3s\n")
        let ended = try rig.run("run", "user/1", "--", "sleep", "77")
        #expect(ended.code == 79)
        let why = "user/1 is lost: the longest life of lease 1 (max-hold) is over; the command is ended"
        #expect(ended.errors == "lease: \(why)\n")
    }

    @Test func aDaemonThatIsSilentLosesIt() throws {
        let rig = try Rig()
        let running = try rig.start(
            "run", "user/1", "-t", "900ms", "--", "sh", "-c", "echo up; exec sleep 71")
        #expect(running.says("up"))
        rig.daemon.program?.pause()
        let ended = running.end()
        #expect(ended.code == 79 && ended.errors.contains("the daemon did not answer"))
        rig.daemon.program?.signal(SIGCONT)
    }

    @Test func nobodyWaitsForASilentDaemon() throws {
        let rig = try Rig()
        rig.daemon.program?.pause()
        let running = try ["run", "acquire"].map { verb in
            try rig.start([verb, "user/1", "-n"] + (verb == "run" ? ["--", "echo", "no"] : []))
        }
        for one in running {
            let ended = one.end()
            #expect(ended.code == 69 && ended.output == "" && ended.errors.contains("does not answer"))
        }
        rig.daemon.program?.signal(SIGCONT)
        // What they had asked for is not granted to nobody.
        #expect(try rig.isFree("user/1"))
    }

    @Test func aRestartLosesNothing() throws {
        let rig = try Rig()
        let script =
            "echo up; while [ ! -e \(rig.daemon.folder("go")) ]; do sleep 0.05; done; echo $LEASE_TOKEN"
        let running = try rig.start("run", "user/1", "-t", "2s", "--", "sh", "-c", script)
        #expect(running.says("up"))
        for isClean in [false, true, false] {
            if isClean { try rig.daemon.stop() } else { rig.daemon.kill() }
            try rig.daemon.start()
            // Renewed: more is left than the grace gives.
            #expect(holds { (try? rig.ask("check 1").hasPrefix("OK token=1 ")) == true })
            let client = try rig.daemon.connect()
            #expect(client.ask("acquire user/1 owner=other")?.hasPrefix("BUSY") == true)
        }
        // Longer than its ttl and the grace: so it was renewed.
        usleep(3_000_000)
        #expect(try rig.ask("check 1").hasPrefix("OK token=1 "))
        try rig.daemon.folder.write("go", [])
        let ended = running.end()
        #expect(ended.code == 0 && ended.output == "up\n1\n" && ended.errors == "")
        #expect(try rig.isFree("user/1"))
    }

    @Test func aDaemonThatIsGoneAtTheEndIsNoFault() throws {
        let rig = try Rig()
        let script = "echo up; while [ ! -e \(rig.daemon.folder("go")) ]; do sleep 0.05; done; exit 4"
        let running = try rig.start("run", "user/1", "--", "sh", "-c", script)
        #expect(running.says("up"))
        rig.daemon.kill()
        try rig.daemon.folder.write("go", [])
        #expect(running.end().code == 4)
        try rig.daemon.start()
        #expect(holds { (try? rig.isFree("user/1")) == true })
    }

    @Test func whoWaitsGoesOnWaitingOverARestart() throws {
        let rig = try Rig()
        #expect(try rig.ask("acquire user/1 owner=a ttl=1h").hasPrefix("OK"))
        let running = try rig.start("run", "user/1", "-w", "2m", "--", "echo", "granted")
        #expect(holds { (try? rig.waitsInLine("user/1")) == true })
        for isClean in [true, false] {
            if isClean { try rig.daemon.stop() } else { rig.daemon.kill() }
            try rig.daemon.start()
            #expect(holds { (try? rig.waitsInLine("user/1")) == true })
        }
        #expect(try rig.ask("release 1").hasPrefix("OK"))
        let ended = running.end()
        #expect(ended.code == 0 && ended.output == "granted\n")
    }
}

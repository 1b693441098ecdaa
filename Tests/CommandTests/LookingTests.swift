// The verbs that take, end and show leases: their words for people, and their JSON.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct LookingTests {
    @Test func aLeaseFromAcquireToRelease() throws {
        let rig = try Rig(["--clock=manual"])
        let acquired = try rig.run("acquire", "user/1", "user/2", "-n", "--owner", "tab A", "--note=50% off")
        #expect(acquired.code == 0 && acquired.output == "1\n" && acquired.errors == "")
        #expect(try rig.ask("check 1").contains("owner=tab%20A") == true)
        #expect(try rig.ask("check 1").contains("note=50%25%20off"))
        #expect(try rig.run("renew", "1", "-t5m").output == "lease 1 is good for 5m\n")
        #expect(try rig.run("acquire", "user/1", "-n").code == 75)
        #expect(try rig.run("acquire", "user/1", "-nE1").code == 1)
        #expect(try rig.run("release", "1").output == "lease 1 was held for 0ms\n")
        let again = try rig.run("release", "1")
        #expect(again.code == 79 && again.errors == "lease: lease 1 was released 0ms ago\n")
        #expect(try rig.run("renew", "99").code == 79)
        #expect(try rig.run("renew", "x").code == 64)
        // Nobody asked for an owner: it is whoever started lease.
        #expect(try rig.run("acquire", "user/3").output == "2\n")
        #expect(try rig.ask("check 2").contains(":\(getpid()) "))
        #expect(try rig.run("evict", "2", "--note=stuck").code == 0)
        #expect(try rig.ask("check 2").contains("why=evicted"))
    }

    @Test func theLeaseOfAProcessEndsWithIt() throws {
        let rig = try Rig()
        let process = try Program(["/bin/sleep", "80"])
        #expect(try rig.run("acquire", "user/1", "--while=\(process.pid)").code == 0)
        #expect(try rig.isHeld("user/1"))
        process.killUnreaped()
        #expect(holds { (try? rig.isFree("user/1")) == true })
        let dead = try rig.run("acquire", "user/1", "--while=\(process.pid)")
        #expect(dead.code == 64 && dead.output == "")
    }

    @Test func aTokenThatNobodyGetsIsGivenBack() throws {
        let rig = try Rig()
        let ended = try rig.shell("$L acquire user/1 >/dev/full")
        #expect(ended.code == 70 && ended.errors.contains("given back"))
        #expect(try rig.isFree("user/1"))
    }

    @Test func whatCannotBePrintedIsSaid() throws {
        let rig = try Rig()
        for verb in ["policy", "get user/1 --json", "stats", "why user/1", "list --help"] {
            let full = try rig.shell("$L \(verb) >/dev/full")
            #expect(full.code == 70 && full.errors.contains("can't be printed"), "\(verb)")
        }
    }

    @Test func everyJSONIsOne() throws {
        let rig = try Rig(["--clock=manual"])
        let client = try rig.daemon.connect()
        _ = client.ask("acquire user/1 species/3/video owner=tab%20A shared note=%C3%A9")
        client.send("#w acquire user/1 owner=next wait=forever")
        #expect(holds { (try? rig.waitsInLine("user/1")) == true })
        _ = try rig.ask("clock advance=1s")
        let get = try rig.run("get", "user/1", "--json").fields
        #expect(get["key"] as? String == "user/1" && get["waiting"] as? Int == 1)
        let holder = try #require((get["holders"] as? [[String: Any]])?.first)
        #expect(holder["owner"] as? String == "tab A" && holder["note"] as? String == "é")
        #expect(holder["token"] as? Int == 1 && holder["age_ms"] as? Int == 1_000)
        #expect(holder["shared"] as? Bool == true)
        #expect(holder["keys"] as? [String] == ["user/1", "species/3/video"])
        let waiter = try #require((get["waiters"] as? [[String: Any]])?.first)
        #expect(waiter["owner"] as? String == "next" && waiter["position"] as? Int == 1)
        let list = try #require(try rig.run("--json", "list").json as? [[String: Any]])
        #expect(list.count == 1 && list[0]["token"] as? Int == 1)
        #expect((try rig.run("list", "--waiting", "--json").json as? [Any])?.count == 1)
        #expect((try rig.run("list", "conversation/", "--json").json as? [Any])?.count == 0)
        #expect(try rig.run("why", "user/1", "--json").fields["free"] as? Bool == false)
        #expect(try rig.run("status", "--json").fields["clock"] as? String == "manual")
        #expect(try rig.run("ping", "--json").fields["socket"] as? String == rig.daemon.socketPath)
        let rules = try rig.run("policy", "user/1", "--json").json as? [[String: Any]]
        #expect(rules?.first { $0["rule"] as? String == "ttl" }?["value_ms"] as? Int == 600_000)
        #expect((try rig.run("policy", "--json").json as? [[String: Any]])?.count == 3)
        let busy = try rig.run("acquire", "user/1", "-n", "--json")
        #expect(busy.code == 75 && busy.fields["why"] as? String == "held")
        #expect(try rig.run("acquire", "user/2", "--json").fields["token"] as? Int == 2)
        #expect(try rig.run("renew", "2", "--json").fields["ttl_ms"] as? Int == 600_000)
        #expect(try rig.run("release", "2", "--json").fields["status"] as? String == "ok")
        let gone = try rig.run("release", "2", "--json")
        #expect(gone.code == 79 && gone.fields["why"] as? String == "released")
        #expect(try rig.run("get", "dog/1", "--json").fields["code"] as? String == "unknown-kind")
        #expect(try rig.run("get", "--json").fields["status"] as? String == "err")
    }

    @Test func tablesAndSentences() throws {
        let rig = try Rig(["--clock=manual"])
        #expect(try rig.run("list").errors == "no leases\n")
        #expect(try rig.run("why", "user/42").output == "user/42 is free\n")
        let client = try rig.daemon.connect()
        _ = client.ask("acquire user/42 owner=tab-A")
        client.send("#w acquire user/42 owner=tab-B wait=1m")
        #expect(holds { (try? rig.waitsInLine("user/42")) == true })
        _ = try rig.ask("clock advance=4s")
        let pid = getpid()
        let uid = geteuid()
        let indent = String(repeating: " ", count: max(0, 3 - "\(uid)".count))
        let gap = String(repeating: " ", count: max(0, "\(pid)".count - 3))
        #expect(
            try rig.run("list").output == """
                TOKEN  KEY      OWNER  \(gap)PID  UID  AGE   LEFT
                    1  user/42  tab-A  \(pid)  \(indent)\(uid)   4s  9m56s

                """)
        let sentence =
            "user/42 is held by tab-A (pid \(pid), uid \(uid)) for 4s, 9m56s left; "
            + "1 in line, tab-B (pid \(pid)) first; you'd be 2nd in line\n"
        #expect(try rig.run("why", "user/42").output == sentence)
        let get = try rig.run("get", "user/42").output
        #expect(get.hasPrefix("user/42: 1 holder, 1 waiting; limit 1, default-ttl 10m\nTOKEN  OWNER"))
        #expect(get.contains("\nPLACE  OWNER"))
        #expect(try rig.run("policy", "user/42").output.contains("ttl    10m    line 1\n"))
        #expect(try rig.run("policy").output.hasPrefix("1: kind user "))
        #expect(try rig.run("ping").output.hasPrefix("\(rig.daemon.socketPath) answers ("))
        #expect(try rig.run("status").output.hasPrefix("up at \(rig.daemon.socketPath), answers in "))
    }

    /// What `run -n` would be told, for each of the rules that can be in the way.
    @Test func whyKnowsTheRules() throws {
        let rig = try Rig(
            ["--clock=manual"],
            policy: """
                kind r id rate=1/1h
                kind t id limit=3 lock-delay=1m
                kind q id queue=0
                kind f id queue=1

                """)
        func why(_ key: String) throws -> String { try rig.run("why", key).output }
        let client = try rig.daemon.connect()
        _ = client.ask("acquire r/1")
        _ = client.ask("release 1")
        _ = client.ask("clock advance=1s")
        #expect(
            try why("r/1")
                == "r/1 was granted as often as its rate allows for another 59m59s; you'd be 1st in line\n")
        #expect(try rig.run("why", "r/1", "--json").fields["free"] as? Bool == false)
        #expect(try rig.run("get", "r/1").output.hasSuffix("default-ttl 30s, rate 1/1h, retry 59m59s\n"))
        #expect(try rig.run("policy", "r/1").output.hasSuffix("\nrate   1/1h   line 1\n"))
        _ = client.ask("acquire t/1 ttl=1s")
        _ = client.ask("clock advance=11s")
        #expect(try why("t/1") == "t/1 has room: 0 of 3 are taken, and one rests for another 50s\n")
        _ = client.ask("acquire t/1 owner=a")
        _ = client.ask("acquire t/1 owner=b")
        let held = "t/1 is held by a (pid \(getpid()), uid \(geteuid())) for 0ms, 30s left and 1 other"
        let rests = "one slot rests for another 50s, since a holder of it was lost"
        #expect(try why("t/1") == "\(held); \(rests); you'd be 1st in line\n")
        for key in ["q/1", "f/1"] { _ = client.ask("acquire \(key) owner=a") }
        client.send("#w acquire f/1 owner=b wait=1m")
        #expect(holds { (try? rig.waitsInLine("f/1")) == true })
        #expect(try why("q/1").hasSuffix(" left; nobody may wait for it\n"))
        #expect(try why("f/1").hasSuffix("; 1 in line, b (pid \(getpid())) first; its line is full\n"))
    }

    /// Who waits for the holder's work doesn't count, and is not among those who are shown.
    @Test func aLineThatIsNotAllShownIsNotCalledFull() throws {
        let rig = try Rig(policy: "kind f id queue=1\n")
        let client = try rig.daemon.connect()
        _ = client.ask("acquire f/1 ttl=1h")
        let requests = (0..<1_001).map { "#\($0) acquire f/1 join wait=1h" }
        client.send(requests.joined(separator: "\n"))
        _ = client.ask("ping")
        #expect(try rig.ask("get f/1 limit=1").contains(" waiting=1001 "))
        #expect(try rig.run("why", "f/1").output.hasSuffix("; you'd be 1002nd in line\n"))
    }

    @Test func noDaemonIsSaidAtOnce() throws {
        let rig = try Rig()
        try rig.daemon.stop()
        for verb in [
            ["ping"], ["status"], ["list"], ["get", "user/1"], ["acquire", "user/1"], ["release", "1"],
        ] {
            let ended = try rig.start(verb).end()
            #expect(ended.code == 69 && ended.errors.contains(rig.daemon.socketPath))
        }
        rig.environment = [
            "PATH=/usr/bin:/bin", "XDG_RUNTIME_DIR=/tmp/no-such", "TMPDIR=\(rig.daemon.folder("t"))",
        ]
        if access("/run/leased/leased.sock", F_OK) != 0 {
            let usual = try rig.run("ping").errors
            #expect(usual.contains("/tmp/no-such/leased/leased.sock, /run/leased/leased.sock, "), "\(usual)")
        }
    }

    @Test func aLogIsReadWithoutADaemon() throws {
        let rig = try Rig()
        _ = try rig.run("run", "user/1", "--", "true")
        try rig.daemon.stop()
        let whole = try rig.run("log", "verify", rig.daemon.dataPath)
        #expect(whole.code == 0 && whole.output.contains("/log is whole: "))
        let path = rig.daemon.dataPath + "/log"
        #expect(try rig.run("log", "verify", path, "--json").fields["end"] as? String == "clean")
        let bytes = Array(contents(path).utf8)
        try rig.daemon.folder.write("torn", Array(bytes.dropLast(9)))
        let torn = try rig.run("log", "verify", rig.daemon.folder("torn"), "--json")
        #expect(torn.code == 0 && torn.fields["end"] as? String == "torn")
        var flipped = bytes
        flipped[flipped.count / 2] ^= 1
        try rig.daemon.folder.write("flipped", flipped)
        let damaged = try rig.run("log", "verify", rig.daemon.folder("flipped"))
        #expect(damaged.code == 65 && damaged.output.contains("is damaged at line "))
        #expect(try rig.run("log", "verify", rig.daemon.folder("none")).code == 66)
    }
}

// The verbs that tell what happens and what happened: `watch` and `history`.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct WatchingTests {
    /// What a program has said, line by line.
    private func lines(_ text: String) -> [[String: Any]] {
        text.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
    }

    @Test func whatThereIsAndWhatHappensIsALineEach() throws {
        let rig = try Rig(["--clock=manual"])
        let client = try rig.daemon.connect()
        _ = client.ask("acquire user/1 owner=tab%20A note=%1B[2Jx")
        let all = try rig.start("watch")
        let some = try rig.start("watch", "user/", "conversation", "--json")
        #expect(all.says("held") && some.says("held"))
        client.send("#w acquire user/1 owner=next wait=forever")
        #expect(all.says("queued") && some.says("queued"))
        _ = try rig.ask("acquire species/3/video owner=other")
        _ = try rig.ask("release 1")
        #expect(holds { all.output.split(separator: "\n").count == 5 }, "\(all.output)")
        #expect(holds { lines(some.output).count == 4 })
        let who = "(pid \(getpid()), uid \(geteuid()))"
        let said = all.output
        let held = "  held           user/1  tab A \(who), lease 1, age 0ms, left 10m, ttl 10m, note "
        #expect(said.contains(held))
        #expect(said.contains("  queued         user/1  next \(who), position 1\n"))
        #expect(said.contains("  released       user/1  tab A \(who), lease 1, held 0ms\n"))
        #expect(said.contains("  granted        user/1  next \(who), lease 3, ttl 10m\n"))
        // Nothing that anybody wrote drives the terminal.
        #expect(!said.utf8.contains(0x1B))
        let events = lines(some.output)
        #expect(events.map { $0["event"] as? String } == ["held", "queued", "released", "granted"])
        #expect(events[0]["keys"] as? [String] == ["user/1"] && events[0]["ttl_ms"] as? Int == 600_000)
        #expect(events[0]["owner"] as? String == "tab A" && events[3]["token"] as? Int == 3)
        all.program.signal(SIGINT)
        some.program.signal(SIGTERM)
        #expect(all.end().code == 130 && some.end().code == 143)
    }

    @Test func itGoesOnOverARestartWithoutGapOrRepeat() throws {
        let rig = try Rig()
        _ = try rig.ask("acquire user/1 ttl=10m")
        let watch = try rig.start("watch", "--json")
        #expect(watch.says("held"))
        _ = try rig.ask("acquire user/2 ttl=10m")
        #expect(watch.says("user/2"))
        for round in 3...5 {
            rig.daemon.kill()
            try rig.daemon.start()
            // Most likely before the watch is back.
            _ = try rig.ask("acquire user/\(round) ttl=10m")
            #expect(watch.says("user/\(round)"))
        }
        _ = try rig.ask("release 1")
        #expect(watch.says("released"))
        let events = lines(watch.output)
        // Tokens jump where a daemon was killed, and keys tell who it is.
        let keys = [1, 2, 3, 4, 5, 1].map { ["user/\($0)"] }
        #expect(events.map { $0["keys"] as? [String] } == keys, "\(watch.output)")
        let told = try #require(events[2]["seq"] as? Int)
        watch.program.signal(SIGTERM)
        #expect(watch.end().code == 143)
        let later = try rig.start("watch", "--json", "--since=\(told)")
        #expect(later.says("released"))
        #expect(lines(later.output).map { $0["keys"] as? [String] } == Array(keys.dropFirst(3)))
        #expect(try rig.run("watch", "--since=99999999").code == 64)
    }

    @Test func whatIsNotRememberedIsSaid() throws {
        let rig = try Rig(["--memory"])
        _ = try rig.ask("acquire user/1")
        _ = try rig.ask("acquire user/2")
        let watch = try rig.start("watch", "--json")
        #expect(holds { lines(watch.output).count == 2 })
        rig.daemon.kill()
        #expect(holds { watch.errors.contains("the daemon has gone") })
        try rig.daemon.start(["--memory"])
        #expect(holds { watch.errors.contains("is not remembered") }, "\(watch.errors)")
        _ = try rig.ask("acquire user/3")
        #expect(watch.says("user/3"))
        #expect(watch.errors.components(separatedBy: "the daemon has gone").count == 2)
    }

    /// Without a log numbers begin anew, and may have passed by those of before when the watch comes back.
    @Test func theNumbersOfAnotherRunAreNotTakenForLaterOnes() throws {
        let rig = try Rig(["--memory"])
        _ = try rig.ask("acquire user/1")
        let watch = try rig.start("watch", "--json")
        #expect(watch.says("user/1"))
        watch.program.pause()
        rig.daemon.kill()
        try rig.daemon.start(["--memory"])
        for key in 2...6 { _ = try rig.ask("acquire user/\(key)") }
        watch.program.signal(SIGCONT)
        #expect(watch.says("user/6"))
        #expect(watch.errors.contains("what happened meanwhile is not remembered"), "\(watch.errors)")
        let told = lines(watch.output).map { $0["keys"] as? [String] }
        #expect(told == (1...6).map { ["user/\($0)"] }, "\(watch.output)")
    }

    @Test func aNumberThatWillNotDoIsSaidInWordsOfTheCommandLine() throws {
        let rig = try Rig(["--events-max=1"])
        for key in 1...9 { _ = try rig.ask("acquire user/\(key)") }
        let early = try rig.run("watch", "--since=99999999")
        #expect(early.code == 64)
        #expect(early.errors.contains(/no change has that number yet; write --since=[0-9]+ or less\n/))
        let late = try rig.run("watch", "--since=0")
        #expect(late.errors.hasSuffix("is no longer remembered; leave --since out to see what there is\n"))
    }

    @Test func itEndsWhenNobodyReads() throws {
        let rig = try Rig()
        for key in 1...5 { _ = try rig.ask("acquire user/\(key)") }
        let ended = try rig.shell("($L watch; echo $? >&2) | head -n 3")
        #expect(ended.output.split(separator: "\n").count == 3)
        #expect(ended.errors == "0\n")
        // Also where nothing happens any more.
        let idle = try rig.shell("($L watch; echo $? >&2) | head -n 5")
        #expect(idle.output.split(separator: "\n").count == 5 && idle.errors == "0\n")
        let full = try rig.shell("$L watch >/dev/full")
        #expect(full.code == 70 && full.errors.contains("can't be printed"))
    }

    @Test func historyFromTheDaemonAndFromALogIsTheSame() throws {
        let rig = try Rig(["--clock=manual"])
        let client = try rig.daemon.connect()
        _ = client.ask("acquire user/1 species/3/video owner=tab%20A ttl=30s ephemeral note=by%20hand")
        _ = client.ask("renew 1 ttl=1m")
        _ = client.ask("acquire user/2 owner=yes")
        _ = client.ask("clock advance=2s")
        _ = client.ask("release 1 result=photo keep=5m")
        _ = client.ask("forget species/3/video")
        _ = client.ask("evict 2 note=stuck")
        _ = client.ask("clock advance=1h")
        let rows = try rig.run("history").output
        #expect(rows.hasPrefix("AGO  SEQ  EVENT"), "\(rows)")
        #expect(rows.contains("held 2s, note stuck"))
        #expect(try rig.run("history", "conversation/").errors == "nothing happened that is remembered\n")
        let short = try rig.run("history", "user", "--last=2")
        #expect(short.output.split(separator: "\n").count == 3 && short.errors.contains("--last"))
        let told = try #require(try rig.run("history", "--json").json as? [[String: Any]])
        let words = told.map { $0["event"] as? String ?? "" }
        #expect(
            words == [
                "granted", "renewed", "granted", "released", "kept", "forgotten", "evicted", "forgotten",
            ])
        #expect(told[6]["ago_ms"] as? Int == 3_600_000 && told[2]["owner"] as? String == "yes")
        try rig.daemon.stop()
        for place in [rig.daemon.dataPath, rig.daemon.dataPath + "/log"] {
            let ended = try rig.run("history", "--json", "--log", place)
            let read = try #require(ended.json as? [[String: Any]], "\(ended.errors)")
            #expect(read.allSatisfy { ($0["wall_ms"] as? Int ?? 0) > 1_700_000_000_000 })
            for (one, other) in zip(told, read) {
                let left = one.filter { $0.key != "ago_ms" } as NSDictionary
                let right = other.filter { $0.key != "wall_ms" } as NSDictionary
                #expect(left == right)
            }
            #expect(read.count == told.count)
        }
        let table = try rig.run("history", "user/1", "--log=\(rig.daemon.dataPath)", "--last=2")
        #expect(table.output.hasPrefix("               TIME  SEQ  EVENT"), "\(table.output)")
        #expect(table.output.split(separator: "\n").count == 3)
    }

    @Test func aDamagedLogHasNoHistory() throws {
        let rig = try Rig()
        _ = try rig.run("run", "user/1", "--", "true")
        try rig.daemon.stop()
        var bytes = Array(contents(rig.daemon.dataPath + "/log").utf8)
        try rig.daemon.folder.write("torn", Array(bytes.dropLast(9)))
        #expect(try rig.run("history", "--log", rig.daemon.folder("torn")).output.contains("granted"))
        bytes[bytes.count / 2] ^= 1
        try rig.daemon.folder.write("flipped", bytes)
        let damaged = try rig.run("history", "--log", rig.daemon.folder("flipped"))
        #expect(damaged.code == 65 && damaged.errors.contains("is damaged at line "))
        #expect(try rig.run("history", "--log", rig.daemon.folder("none")).code == 66)
    }
}

// `lease history --log` over what a daemon's own memory never has: another boot, a compacted state, and
// records that can't follow from each other.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct LogHistoryTests {
    /// As the definition says it, one bit at a time.
    private func crc32c(_ bytes: String.UTF8View) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
        }
    }

    /// What `lease history` tells of a log with these lines, to which their checksums are added.
    private func events(_ lines: [String], _ words: String...) throws -> [[String: Any]] {
        let ended = try read(lines, ["history", "--json", "--log"], words)
        #expect(ended.code == 0, "\(ended.errors)")
        return try #require(ended.json as? [[String: Any]])
    }

    private func read(_ lines: [String], _ verb: [String], _ words: [String] = []) throws -> Ended {
        let folder = try TemporaryFolder()
        let text = lines.map { line in
            let sum = String(crc32c(line.utf8), radix: 16)
            return String(repeating: "0", count: 8 - sum.count) + sum + " " + line + "\n"
        }
        try folder.write("log", Array(text.joined().utf8))
        let reading = try Running(
            [lease] + verb + [folder("log")] + words,
            environment: ["PATH=/usr/bin:/bin"], in: folder, name: "history")
        return reading.end()
    }

    /// As a daemon's start does, both say where that is.
    @Test func recordsThatCannotFollowEachOtherAreDamage() throws {
        let lines = [
            "0 900.000000000 log format=2 clock=system compacted=no",
            "1 900.000000000 started boot=one shift=0ns last-token=0 synced=0 wall=1767268800000",
            "2 901.000000000 granted token=1 key=user/1 owner=a uid=1 pid=1 ttl=600000ms",
            "3 902.000000000 released token=1", "4 903.000000000 renewed token=1 ttl=5000ms",
            "5 904.000000000 advanced",
        ]
        let byte = lines[..<4].reduce(0) { $0 + $1.utf8.count + 10 }
        let place = "is damaged at line 5"
        let verified = try read(lines, ["log", "verify"])
        #expect(verified.code == 65)
        #expect(verified.output.contains("\(place) (byte \(byte)): token 1 is not held"))
        let fields = try read(lines, ["log", "verify", "--json"]).fields
        #expect(fields["end"] as? String == "damaged" && fields["line"] as? Int == 5)
        #expect(fields["records"] as? Int == 3 && fields["last"] as? Int == 3)
        let history = try read(lines, ["history", "--log"])
        #expect(history.code == 65 && history.errors.contains("\(place): token 1 is not held"))
    }

    private func told(_ events: [[String: Any]]) -> [String] {
        events.map { event in
            let held = (event["held_ms"] as? Int).map { " held \($0)" } ?? ""
            return "\(event["seq"] ?? "") \(event["event"] ?? "") \(event["token"] ?? "")\(held)"
        }
    }

    /// The clock begins anew, and a lease of before is held as long as it was.
    @Test func overAReboot() throws {
        let who = "uid=1000 pid=3312"
        let found = try events([
            "0 900.000000000 log format=2 clock=system compacted=no",
            "1 900.000000000 started boot=one shift=0ns last-token=0 synced=0 wall=1767268800000",
            "2 901.000000000 granted token=1 key=user/1 owner=a \(who) ttl=600000ms synced=1 "
                + "wall=1767268801000",
            "3 901.500000000 granted token=2 key=user/2 owner=b \(who) ttl=600000ms synced=2 "
                + "wall=1767268801500",
            "300 7.250000000 started boot=two shift=-913750000000ns last-token=65536 synced=3 "
                + "wall=1767268821250",
            "301 7.250000000 resumed grace=5000ms restart=yes",
            "302 8.250000000 released token=1 synced=301 wall=1767268822250",
            "303 9.250000000 granted token=65537 key=user/1 owner=c \(who) ttl=600000ms synced=302 "
                + "wall=1767268823250",
            "304 10.000000000 released token=2 synced=303 wall=1767268824000",
            "305 11.000000000 released token=65537 synced=304 wall=1767268825000",
        ])
        #expect(
            told(found) == [
                "2 granted 1", "3 granted 2", "302 released 1 held 21000", "303 granted 65537",
                "304 released 2 held 22250", "305 released 65537 held 1750",
            ])
        #expect(found.map { $0["wall_ms"] as? Int } == [801_000, 801_500, 822_250, 823_250, 824_000, 825_000]
            .map { 1_767_268_000_000 + $0 })
    }

    /// What stood when the log was compacted is no event, and those of later know of it.
    @Test func overACompactedState() throws {
        let who = "uid=1000 pid=5120"
        let lines = [
            "20 1204.000000000 log format=2 clock=system compacted=yes",
            "20 1204.000000000 started boot=one shift=0ns last-token=5 synced=20 wall=1767269092796",
            "20 1204.000000000 held token=5 key=user/42,user/43 owner=tab-B \(who) ttl=30000ms "
                + "since=1190.500000000 own-until=1220.500000000 until=1220.500000000",
            "20 1204.000000000 remembered token=4 why=expired at=1190.499000000 key=user/9 uid=1000 newest=4",
            "20 1204.000000000 result token=3 key=user/7,user/8 owner=tab-A \(who) keep=300000ms "
                + "result=photo-98.jpg at=1150.000000000",
            "21 1204.010000000 renewed token=5 ttl=40000ms",
            "22 1204.012000000 compacted lines=3",
            "23 1210.000000000 released token=5 synced=22 wall=1767269098796",
            "24 1211.000000000 forgotten token=3 key=user/7 why=asked synced=23 wall=1767269099796",
            "25 1450.000000000 forgotten token=3 why=expired synced=24 wall=1767269338796",
        ]
        let found = try events(lines)
        #expect(
            told(found) == [
                "21 renewed 5", "23 released 5 held 19500", "24 forgotten 3", "25 forgotten 3",
            ])
        let keys = [["user/42", "user/43"], ["user/42", "user/43"], ["user/7"], ["user/8"]]
        #expect(found.map { $0["keys"] as? [String] } == keys)
        #expect(found.map { $0["owner"] as? String } == ["tab-B", "tab-B", "tab-A", "tab-A"])
        #expect(told(try events(lines, "user/8")) == ["25 forgotten 3"])
        #expect(try events(lines, "user/9").isEmpty)
    }

    /// From a daemon that compacts amid the work: its memory tells the same as the log from there on.
    @Test func aCompactedLogAgreesWithTheDaemon() throws {
        let rig = try Rig(["--clock=manual"])
        let client = try rig.daemon.connect()
        for key in 1...4 { #expect(client.ask("acquire user/\(key) ttl=1h")?.hasPrefix("OK") == true) }
        #expect(client.ask("release 1 result=x keep=1h")?.hasPrefix("OK") == true)
        #expect(client.ask("clock advance=90s")?.hasPrefix("OK") == true)
        #expect(client.ask("compact")?.hasPrefix("OK") == true)
        for line in ["renew 2 ttl=2h", "release 3", "forget user/1", "acquire user/1", "evict 4 note=x"] {
            #expect(client.ask(line)?.hasPrefix("OK") == true)
        }
        let told = try #require(try rig.run("history", "--json").json as? [[String: Any]])
        try rig.daemon.stop()
        let ended = try rig.run("history", "--json", "--log", rig.daemon.dataPath)
        let read = try #require(ended.json as? [[String: Any]], "\(ended.errors)")
        #expect(read.count == 5 && told.count == 11)
        for (one, other) in zip(told.suffix(5), read) {
            let left = one.filter { $0.key != "ago_ms" } as NSDictionary
            let right = other.filter { $0.key != "wall_ms" } as NSDictionary
            #expect(left == right)
        }
    }
}

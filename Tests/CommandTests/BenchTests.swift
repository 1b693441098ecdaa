// `lease bench`: what it counts, what it draws, and that it leaves nothing behind.

import Foundation
import Glibc
import TestSupport
import Testing

@testable import lease

@Suite struct BenchTests {
    @Test func itCountsWhatTheDaemonCounts() throws {
        let rig = try Rig(["--memory"])
        let ended = try rig.run(
            "bench", "--kind=user", "-c", "3", "-i", "4", "--keys=50", "--contended=20", "--renewals=2",
            "--waiters=5", "--duration=300ms", "--json")
        #expect(ended.code == 0 && ended.errors == "", "\(ended.errors)")
        let fields = ended.fields
        let counts = ["granted", "busy", "renewed", "released", "handed_over"].map { fields[$0] as? Int ?? 0 }
        #expect(counts.allSatisfy { $0 > 0 }, "\(ended.output)")
        let latency = try #require(fields["latency"] as? [String: Any])
        let shares = ["p50_ns", "p99_ns", "p999_ns", "max_ns"].compactMap { latency[$0] as? Int }
        #expect(shares.count == 4 && shares == shares.sorted() && shares[0] > 0)
        let rows = try #require(latency["histogram"] as? [[String: Int]])
        let waits = try #require(fields["waits"] as? [String: Any])
        let waited = (waits["histogram"] as? [[String: Int]] ?? []).compactMap { $0["count"] }.reduce(0, +)
        #expect(waited == counts[4])
        #expect(rows.compactMap { $0["count"] }.reduce(0, +) == counts[0...3].reduce(0, +) - waited)
        // What was begun before the end is answered behind it, so the daemon has counted a little more.
        let stats = try rig.ask("stats")
        #expect(stats.contains(" leases=0 waiting=0 "), "\(stats)")
        let daemon = try #require(
            try rig.run("stats", "--json").fields["all"] as? [String: [String: Int]])["counts"] ?? [:]
        let atMost = 3 * 4 + 5 + 1
        for (name, count) in zip(["granted", "renewed"], counts[0...0] + counts[2...2]) {
            #expect((count...count + atMost).contains(daemon[name] ?? 0), "\(name)")
        }
        #expect(daemon["granted"] == daemon["released"])
    }

    @Test func itDrawsWithoutColourAwayFromATerminal() throws {
        let rig = try Rig(["--memory"])
        let words = ["bench", "--kind=user", "-c1", "-i1", "-d100ms"]
        let plain = try rig.start(words).end()
        #expect(plain.code == 0 && plain.output.contains(" requests a second, over 1"))
        #expect(plain.output.contains("latency: p50 ") && plain.output.contains("%  #"))
        #expect(plain.output.utf8.allSatisfy { $0 < 0x80 && $0 != 0x1B })
        rig.environment.append("LANG=C.UTF-8")
        #expect(try rig.start(words).end().output.contains("\u{2588}"))
        let terminal = try rig.terminal(lease, "bench", "--kind=user", "-c1", "-i1", "-d100ms")
        #expect(terminal.shows("\u{1B}[32m"))
    }

    @Test func mistakesAreSaidBeforeTheLoadBegins() throws {
        let rig = try Rig(["--memory"])
        for (words, sentence) in [
            ([], "the policy has no kind bench with one part behind it"),
            (["--kind=species"], "add \"kind species id\" to it"),
            (["--kind=user/4"], "--kind wants the kind of a key"),
            (["--kind=user", "--keys=63"], "need 64 keys or more, and --keys is 63"),
            (["--connections=0"], "--connections wants a whole number from 1 to 10000"),
            (["--contended=101"], "from 0 to 100"), (["-d", "5"], "did you mean 5s?"),
            (["--kind=user", "--ttl=4000d"], "at most 3650d"),
        ] {
            let ended = try rig.start(["bench"] + words).end()
            #expect(ended.code == 64 && ended.output == "", "\(words)")
            #expect(ended.errors.contains(sentence) && ended.errors.hasPrefix("lease: "), "\(ended.errors)")
            #expect(ended.errors.split(separator: "\n").count == 1)
        }
        #expect(try rig.ask("stats").contains(" leases=0 "))
    }

    @Test func whatIsRefusedAmidTheLoadEndsIt() throws {
        let rig = try Rig(["--memory", "--leases-max=20", "--leases-per-user-max=20"])
        let ended = try rig.run("bench", "--kind=user", "-c2", "-i20", "-d10s")
        #expect(ended.code == 75 && ended.errors.contains("20 leases"), "\(ended.errors)")
        #expect(try rig.ask("stats").contains(" leases=0 "))
        let lost = try rig.start("bench", "--kind=user", "-c2", "-i2", "-d30s")
        #expect(holds { (try? rig.ask("stats"))?.contains(" connections=3 ") == true })
        rig.daemon.kill()
        let alone = lost.end()
        #expect(alone.code == 69 && alone.errors.contains("has closed the connection"), "\(alone.errors)")
    }

    @Test func aSignalEndsItEarlyAndLeavesNothing() throws {
        let rig = try Rig(["--memory"])
        let running = try rig.start("bench", "--kind=user", "--waiters=100", "--duration=1m")
        #expect(holds { (try? rig.ask("stats"))?.contains(" connections=10 ") == true })
        running.program.signal(SIGTERM)
        let ended = running.end()
        #expect(ended.code == 128 + SIGTERM && ended.output.contains("grants a second to those in line"))
        #expect(try rig.ask("stats").contains(" leases=0 waiting=0 "))
    }

    @Test func latenciesKeepTheirShares() {
        var latencies = Latencies()
        #expect(latencies.rows == [] && latencies.nanoseconds(at: 0.5) == 0)
        for time in 1...10_000 { latencies.add(Int64(time) * 1_000) }
        for share in [0.01, 0.5, 0.99, 0.999] {
            let exact = share * 10_000_000
            #expect(abs(Double(latencies.nanoseconds(at: share)) - exact) < exact / 50 + 1_000)
        }
        #expect(latencies.longest == 10_000_000 && latencies.nanoseconds(at: 1) == 10_000_000)
        #expect(latencies.rows.map(\.count).reduce(0, +) == 10_000)
        for time: Int64 in [-1, 0, .max] { latencies.add(time) }
        #expect(latencies.rows.map(\.count).reduce(0, +) == 10_003)
    }
}

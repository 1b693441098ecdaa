// Lines that come in pieces, in thousands, or too many words long, and replies that come at the last moment.

import Glibc
import SeededRandom
import TestSupport
import Testing

@Suite struct WireTests {
    /// Every kind of line: good, wrong, too long, empty, tagged, with either end.
    private static let talk: [String] = [
        "ping", "#a ping\r", "", "   ", "\r", "aquire user/1", "acquire user",
        "acquire user/1 ttl=1s ttl=2s",
        "check 99", "get user/1", "#b get user/%31", "list", "list species/", "whoami",
        "help acquire",
        "policy species/1/image", "renew 0", "release 18446744073709551616", "cancel x", "#c cancel c",
        "#\u{e9} ping", "ping\u{0}", "\u{1b}[31m", "# ping", "acquire user/caf\u{e9}",
        String(repeating: "x", count: 8_192), "#t " + String(repeating: "y", count: 9_000), "clock",
        "evict 7", "ping",
    ]

    @Test func noSplitMakesADifference() throws {
        var random = SeededRandom(seed: seed("splits"))
        let daemon = try Daemon()
        try daemon.start(["--memory", "--clock=manual"])
        let bytes = Array(WireTests.talk.map { $0 + "\n" }.joined().utf8)
        func replies(_ pieces: [[UInt8]]) throws -> [UInt8] {
            let client = try daemon.connect()
            for piece in pieces { client.send(piece) }
            client.endInput()
            var all: [UInt8] = []
            while case .line(let line) = client.next() { all += line + [UInt8(ascii: "\n")] }
            return all
        }
        let whole = try replies([bytes])
        #expect(whole.count { $0 == UInt8(ascii: "\n") } > 30)
        #expect(try replies(bytes.map { [$0] }) == whole)
        let points = (1..<bytes.count).filter {
            // Within two long words one place is like the next.
            isFullSweep && ($0 < 700 || $0 % 50 == 0) || Int.random(in: 0..<400, using: &random) == 0
        }
        for point in points + [1, 8_193] {
            #expect(try replies([Array(bytes[..<point]), Array(bytes[point...])]) == whole, "at \(point)")
        }
        try daemon.stop()
    }

    @Test func thousandsInOneWriteAreAnsweredInOrderAndHoldNobodyUp() throws {
        let daemon = try Daemon()
        try daemon.start()
        let (busy, other) = (try daemon.connect(), try daemon.connect())
        busy.send((0..<10_000).map { "#t\($0) ping" })
        #expect(other.ask("ping") == "OK")
        for number in 0..<10_000 { #expect(busy.line() == "#t\(number) OK") }
        try daemon.stop()
    }

    /// While one half of so many lines is read, the other half of the first comes.
    @Test func halvesOfTheLinesOfACrowdFindEachOther() throws {
        var random = SeededRandom(seed: seed("halves"))
        let daemon = try Daemon()
        try daemon.start(["--memory"])
        let crowd = try (0..<200).map { _ throws(Failure) in try daemon.connect() }
        for round in 0..<(isFullSweep ? 2_000 : 100) {
            daemon.program?.pause()
            for client in crowd { client.send(Array("#t\(round) pi".utf8)) }
            daemon.program?.signal(SIGCONT)
            usleep(UInt32.random(in: 0...300, using: &random))
            for client in crowd { client.send(Array("ng\n".utf8)) }
            for client in crowd { #expect(client.line() == "#t\(round) OK") }
        }
        try daemon.stop()
    }

    /// Values that look like lines, fields and records: the same bytes come back, also out of the log.
    @Test func noValueForgesALine() throws {
        let daemon = try Daemon()
        try daemon.start()
        var client = try daemon.connect()
        let all = (0..<256).map { byte -> String in
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + String(repeating: "0", count: 2 - digits.count) + digits
        }
        let hostile = [
            "x%0A0a1b2c3d%209%209.000000000%20released%20token=1%0A", "x%20token=9%20synced=9%20wall=9",
            "%0D%0A*%20seq=9%20released%20key=user/0", "%1B]0;x%07%9B%E2%80%AE", "OK%0AGONE%20token=1",
        ]
        let notes = stride(from: 0, to: 256, by: 64).map { all[$0..<($0 + 64)].joined() } + hostile
        for (number, note) in notes.enumerated() {
            let owner = number < 4 ? "o\(number)" : note
            let words = "owner=\(owner) request=\(owner) note=\(note)"
            let reply = client.ask("acquire user/\(number) ttl=1h \(words)")
            #expect(tokenGranted(reply) == UInt64(number + 1), "\(reply ?? "nothing")")
        }
        func said(_ client: Client) -> [String] {
            notes.indices.map { number in
                let words = client.ask("check \(number + 1)")?.split(separator: " ") ?? []
                return words.filter { $0.hasPrefix("owner=") || $0.hasPrefix("note=") }.joined(separator: " ")
            }
        }
        let before = said(client)
        for number in 4..<notes.count {
            #expect(before[number] == "owner=\(notes[number]) note=\(notes[number])")
        }
        daemon.kill()
        let log = bytes(of: daemon.dataPath + "/log")
        #expect(log.count { $0 == UInt8(ascii: "\n") } == notes.count + 2)
        #expect(log.allSatisfy { $0 == 10 || (0x20...0x7E).contains($0) })
        try daemon.start()
        client = try daemon.connect()
        #expect(said(client) == before)
        try daemon.stop()
    }

    @Test func aHugeReplyThatNobodyReadsHoldsNobodyUp() throws {
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let (reader, other) = (try daemon.connect(), try daemon.connect())
        other.send((0..<4_000).map { "acquire user/\($0) ttl=1h note=\(String(repeating: "n", count: 100))" })
        for _ in 0..<4_000 { #expect(tokenGranted(other.line()) != nil) }
        reader.send(Array(repeating: "list limit=10000", count: 10))
        for _ in 0..<20 { #expect(other.ask("ping") == "OK") }
        var lines = 0
        while lines < 10 * 4_001, reader.line() != nil { lines += 1 }
        #expect(lines == 10 * 4_001)
        try daemon.stop()
    }

    @Test func wordsWithoutNumberAreRefused() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        let many = (0..<1_500).map { "a\($0)=b" }.joined(separator: " ")
        #expect(client.ask("acquire user/1 " + many.prefix(8_000))?.hasPrefix("ERR unknown-option ") == true)
        let keys = (0..<1_000).map { "a/\($0)" }.joined(separator: " ")
        #expect(client.ask("acquire " + keys.prefix(8_000))?.hasPrefix("ERR too-many-keys max=16 ") == true)
        #expect(client.ask(String(repeating: " ", count: 1_000_000))?.hasPrefix("ERR line-too-long ") == true)
        #expect(client.ask("ping") == "OK")
        try daemon.stop()
    }

    /// A renewal at the deadline: renewed, and nobody else has it, or gone, and the next has a greater token.
    @Test func aRenewalAtTheDeadlineIsOneOrTheOther() throws {
        var random = SeededRandom(seed: seed("renewals"))
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let (holder, next) = (try daemon.connect(), try daemon.connect())
        var outcomes = (renewed: 0, gone: 0)
        for round in 0..<(isFullSweep ? 1_000 : 60) {
            let token = try #require(tokenGranted(holder.ask("acquire user/\(round) ttl=20ms")))
            next.send("acquire user/\(round) ttl=1h wait=1h")
            usleep(UInt32.random(in: 16_000...22_000, using: &random))
            let reply = holder.ask("renew \(token) ttl=1h") ?? "nothing"
            if reply.hasPrefix("OK token=\(token) ") {
                outcomes.renewed += 1
                #expect(next.waiting().isEmpty)
                #expect(holder.ask("release \(token)")?.hasPrefix("OK") == true)
            } else {
                outcomes.gone += 1
                #expect(reply.hasPrefix("GONE token=\(token) why=expired"), "\(reply)")
            }
            #expect(tokenGranted(next.line()) ?? 0 > token, "round \(round)")
        }
        print("renewals at the deadline: \(outcomes.renewed) renewed, \(outcomes.gone) gone")
        try daemon.stop()
    }

    @Test func whatEndsAllAtOnceHoldsNobodyUp() throws {
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let (many, other) = (try daemon.connect(), try daemon.connect())
        many.send((0..<3_000).map { "acquire user/\($0) ttl=3s" })
        for _ in 0..<3_000 { #expect(tokenGranted(many.line()) != nil) }
        eventually("all of them end") {
            #expect(other.ask("ping") == "OK")
            return other.firstLine(of: "list limit=1") == "OK lines=0"
        }
        try daemon.stop()
    }

    /// One release lets thousands in: others are answered before all of them are.
    @Test func whoIsLetInTogetherHoldsNobodyUp() throws {
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let (many, holder) = (try daemon.connect(), try daemon.connect())
        let token = try #require(tokenGranted(holder.ask("acquire user/1 ttl=1h")))
        many.send((0..<3_000).map { "#w\($0) acquire user/1 shared ttl=1h wait=forever" } + ["ping"])
        #expect(many.line() == "OK")
        holder.send(["release \(token)", "get user/1 limit=1"])
        #expect(holder.line()?.hasPrefix("OK token=") == true)
        let told = holder.line() ?? ""
        #expect(told.contains(" holders=1000 waiting=2000 "), "\(told)")
        let first = token + 1
        for number in 0..<3_000 {
            let line = many.line() ?? ""
            #expect(line.hasPrefix("#w\(number) OK token=\(first + UInt64(number)) "), "\(line)")
        }
        try daemon.stop()
    }

    /// What stands behind a request that waits is taken in up to the bound, and all of it is answered later.
    @Test func whatStandsBehindAWaitIsBounded() throws {
        let daemon = try Daemon()
        try daemon.start(["--held-input-bytes-max=16384"])
        let (holder, client) = (try daemon.connect(), try daemon.connect())
        #expect(tokenGranted(holder.ask("acquire user/1 ttl=1h")) == 1)
        client.send("acquire user/1 ttl=1h wait=1h")
        _ = fcntl(client.descriptor, F_SETFL, O_NONBLOCK)
        let line = Array("ping\n".utf8)
        var sent = 0
        var stuck = 0
        while stuck < 20, sent < 8 << 20 {
            let isTaken = Glibc.send(client.descriptor, line, line.count, 0) == line.count
            sent += isTaken ? line.count : 0
            stuck = isTaken ? 0 : stuck + 1
            if !isTaken { usleep(5_000) }
        }
        // The bound, one read beyond, and what the kernel keeps.
        #expect(sent < 2 << 20)
        _ = fcntl(client.descriptor, F_SETFL, 0)
        #expect(holder.ask("release 1")?.hasPrefix("OK") == true)
        #expect(tokenGranted(client.line()) == 2)
        for _ in 0..<(sent / line.count) { #expect(client.line() == "OK") }
        try daemon.stop()
    }
}

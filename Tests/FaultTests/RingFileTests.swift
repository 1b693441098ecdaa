// The log's ring beside the real daemon: what only it has is brought back, and nothing else is.

import Glibc
import TestSupport
import Testing

@Suite struct RingFileTests {
    /// A daemon that was killed when its ring was in use, on a disk with room.
    private struct Crashed {
        let daemon: Daemon
        var book = Book()
        /// The log when five leases were in it.
        let early: [UInt8]

        init(rounds: Int = 20) throws {
            daemon = try Daemon()
            try daemon.start()
            let client = try daemon.connect()
            for _ in 0..<5 { book.acquire(1, client) }
            early = bytes(of: daemon.dataPath + "/log")
            for _ in 0..<rounds {
                book.acquire(1, client)
                book.acquire(1, client)
                book.release(1, client)
            }
            #expect(book.others == [])
            daemon.kill()
            #expect(names(in: daemon.dataPath) == ["log", "log.ring", "numbers", "numbers.spare"])
        }

        var log: String { daemon.dataPath + "/log" }
        var ring: String { daemon.dataPath + "/log.ring" }

        /// Takes the last lines of the log away, as a power cut may.
        func cutLog(lines: Int) throws {
            let log = bytes(of: log)
            let ends = log.indices.filter { log[$0] == 10 }
            guard truncate(self.log, off_t(ends[ends.count - 1 - lines] + 1)) == 0 else {
                throw Failure("no cut")
            }
        }

        mutating func restart(expecting said: String?) throws {
            try daemon.start()
            if let said { #expect(daemon.messages(ofLast: 400).contains(said)) }
            #expect(!names(in: daemon.dataPath).contains("log.ring"))
        }
    }

    @Test(arguments: [1, 2, 9, 20], [false, true])
    func whatOnlyTheRingHasIsBroughtBack(_ lines: Int, _ isTorn: Bool) throws {
        var crashed = try Crashed()
        try crashed.cutLog(lines: lines)
        if isTorn {
            let log = open(crashed.log, O_WRONLY | O_APPEND)
            write(log, "0a1b2c3d 99 17.00", 17)
            close(log)
        }
        for turn in 0..<2 {
            try crashed.restart(expecting: turn == 0 ? "written back from log.ring" : nil)
            crashed.book.check(try crashed.daemon.connect(), "start \(turn)")
            crashed.daemon.kill()
        }
        #expect(crashed.book.faults == [])
    }

    @Test func aRingThatTheLogHasAllOfChangesNothing() throws {
        var crashed = try Crashed()
        try crashed.restart(expecting: nil)
        #expect(!crashed.daemon.messages(ofLast: 400).contains("written back"))
        crashed.book.check(try crashed.daemon.connect(), "after the start")
        #expect(crashed.book.faults == [])
        try crashed.daemon.stop()
    }

    /// A frame that a later one says was on the disk can't be missed in silence.
    @Test func aDamagedFrameThatOnlyTheRingHasStopsTheStart() throws {
        let crashed = try Crashed()
        let all = bytes(of: crashed.log)
        try crashed.cutLog(lines: 6)
        var ring = bytes(of: crashed.ring)
        // The first record that the log lacks, where it stands in the ring.
        let lacking = Array(all[bytes(of: crashed.log).count...].prefix { $0 != 10 })
        let place = try #require((0..<ring.count - lacking.count).first { ring[$0...].starts(with: lacking) })
        ring[place + 12] ^= 1
        try put(ring, to: crashed.ring)
        let before = bytes(of: crashed.log)
        #expect(try !crashed.daemon.serves())
        #expect(crashed.daemon.exitCode() == 65)
        #expect(crashed.daemon.messages(ofLast: 400).contains("log.ring is damaged"))
        #expect(bytes(of: crashed.log) == before)
        #expect(bytes(of: crashed.ring) == ring)
    }

    /// The log ends before its last release, which the ring has twice.
    @Test func recordsThatOnlyTheRingHasMayBeImpossible() throws {
        let crashed = try Crashed()
        try crashed.cutLog(lines: 1)
        let log = bytes(of: crashed.log)
        let number = log.count { $0 == 10 }
        let last = try #require(log.dropLast().split(separator: 10).last)
        let time = String(decoding: last.split(separator: 32)[2], as: UTF8.self)
        let token = crashed.book.greatest
        let records = (0..<2).flatMap { line("\(number + $0) \(time) released token=\(token)") }
        let rest = " first=\(digits(number, 20)) last=\(digits(number + 1, 20))"
            + " bytes=\(digits(records.count, 10)) synced=\(digits(number - 1, 20))\n"
        let framed = Array(rest.utf8) + records
        let ring = Array(hex(crc32c(framed)).utf8) + framed
        try put(ring, to: crashed.ring)
        #expect(try !crashed.daemon.serves())
        #expect(crashed.daemon.exitCode() == 65)
        let said = crashed.daemon.messages(ofLast: 400)
        #expect(said.contains("log.ring is damaged: ") && said.contains("token \(token) is not held"))
        #expect(bytes(of: crashed.log) == log && bytes(of: crashed.ring) == ring)
    }

    private func digits(_ number: Int, _ count: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: count - digits.count) + digits
    }

    /// Somebody has moved the log away, or put an older copy in its place: the ring is not of that.
    @Test(arguments: [false, true])
    func theRingOfAnotherLogIsLeftAside(_ hasOldCopy: Bool) throws {
        var crashed = try Crashed()
        unlink(crashed.log)
        if hasOldCopy { try put(crashed.early, to: crashed.log) }
        try crashed.restart(
            expecting: hasOldCopy ? "this is an older copy" : "there is no log, though tokens")
        let client = try crashed.daemon.connect()
        #expect(client.ask("stats")?.contains(" leases=\(hasOldCopy ? 5 : 0) ") == true)
        let other = try crashed.daemon.connect()
        let token = try #require(tokenGranted(other.ask("acquire user/new ttl=1h")))
        #expect(token > crashed.book.greatest)
        try crashed.daemon.stop()
    }

    /// Then nothing tells which tokens were used.
    @Test func whereTheNumbersWereTakenAwayTooItIsSaid() throws {
        var crashed = try Crashed()
        unlink(crashed.log)
        unlink(crashed.daemon.dataPath + "/numbers")
        try crashed.restart(expecting: "neither log nor numbers")
        #expect(try crashed.daemon.connect().ask("acquire user/new ttl=1h") == "OK token=1 ttl=3600000ms")
        try crashed.daemon.stop()
    }

    /// The numbers of two directories are the same, and so are their tokens; their records are not.
    @Test(arguments: [false, true])
    func theRingOfAnotherDirectoryIsNoPartOfThisLog(_ isTorn: Bool) throws {
        var crashed = try Crashed()
        let other = try Crashed(rounds: 25)
        try put(bytes(of: other.ring), to: crashed.ring)
        withExtendedLifetime(other) {}
        guard isTorn else {
            try crashed.restart(expecting: "log.ring is of another log")
            crashed.book.check(try crashed.daemon.connect(), "after the start")
            #expect(crashed.book.faults == [])
            return try crashed.daemon.stop()
        }
        // The ring that would tell what was lost is not there.
        try put(Array(bytes(of: crashed.log).dropLast(5)), to: crashed.log)
        #expect(try !crashed.daemon.serves())
        #expect(crashed.daemon.exitCode() == 65)
        #expect(crashed.daemon.messages(ofLast: 400).contains("log.ring is damaged"))
    }

    /// Where the log is torn before what the ring goes on behind, that was lost.
    @Test func aLogThatIsTornBeforeTheRingsBeginningStopsTheStart() throws {
        let crashed = try Crashed()
        try put(Array(crashed.early.dropLast(5)), to: crashed.log)
        let before = bytes(of: crashed.log)
        #expect(try !crashed.daemon.serves())
        #expect(crashed.daemon.exitCode() == 65)
        #expect(crashed.daemon.messages(ofLast: 400).contains("log.ring is damaged"))
        #expect(bytes(of: crashed.log) == before)
    }

    @Test func aRingThatWasTakenAwayIsUsedNoMore() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        var book = Book()
        for _ in 0..<40 { book.acquire(1, client) }
        #expect(unlink(daemon.dataPath + "/log.ring") == 0)
        let end = time(nil) + 20
        while !daemon.messages(ofLast: 400).contains("the log's ring was taken away"), time(nil) < end {
            book.acquire(1, client)
        }
        #expect(daemon.messages(ofLast: 400).contains("the log's ring was taken away"))
        book.acquire(3, client)
        daemon.kill()
        try daemon.start()
        book.check(try daemon.connect(), "after the start")
        #expect(book.faults == [])
        try daemon.stop()
    }

    @Test(arguments: ["--sync=never", "--sync=100ms"])
    func whoDoesNotWaitForTheDiskHasNone(_ flag: String) throws {
        let daemon = try Daemon()
        try daemon.start([flag])
        let client = try daemon.connect()
        var book = Book()
        for _ in 0..<60 { book.acquire(1, client) }
        #expect(!names(in: daemon.dataPath).contains("log.ring"))
        try daemon.stop()
    }

    private func put(_ bytes: [UInt8], to path: String) throws {
        let file = try #require(fopen(path, "w"))
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }
}

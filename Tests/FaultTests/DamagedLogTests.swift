// The daemon on a log that was cut, flipped, padded or exchanged: it takes the whole of what is good, or
// says where the damage is and changes nothing.

import Glibc
import SeededRandom
import TestSupport
import Testing

/// A data directory that a crash left, to be damaged again and again.
final class Specimen {
    let daemon: Daemon
    let log: [UInt8]
    private let numbers: [UInt8]
    /// Where each line begins, and the end.
    let starts: [Int]

    init(leases: Int) throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        for key in 0..<leases { _ = client.ask("acquire user/\(key) ttl=1h owner=o\(key)") }
        daemon.kill()
        self.daemon = daemon
        let log = bytes(of: daemon.dataPath + "/log")
        self.log = log
        numbers = bytes(of: daemon.dataPath + "/numbers")
        starts = [0] + log.enumerated().filter { $0.element == UInt8(ascii: "\n") }.map { $0.offset + 1 }
    }

    var leases: Int { starts.count - 1 - 2 }

    enum Outcome: Equatable {
        /// It serves, with the leases 1 to so many, and grants what is after all of them.
        case serves(leases: Int)
        case refused(code: Int32, message: String)
        case wrong(String)
    }

    /// Puts the files in place. A nil file is none.
    func put(log: [UInt8]?, numbers: [UInt8]? = nil, leavesNumbers: Bool = true) throws {
        for name in names(in: daemon.dataPath) { unlink(daemon.dataPath + "/" + name) }
        try write(log, "log")
        if leavesNumbers { try write(numbers ?? self.numbers, "numbers") }
        unlink(daemon.messagesPath)
    }

    func write(_ bytes: [UInt8]?, _ name: String) throws {
        guard let bytes else { return }
        let file = try #require(fopen(daemon.dataPath + "/" + name, "w"))
        defer { fclose(file) }
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    func outcome(_ flags: [String] = []) throws -> Outcome {
        let before = contents()
        guard try daemon.serves(flags) else {
            let code = daemon.exitCode() ?? -1
            let after = contents()
            guard before == after else { return .wrong("a refused start changed the disk") }
            return .refused(code: code, message: daemon.messages(ofLast: 600))
        }
        defer { daemon.kill() }
        let client = try daemon.connect()
        let first = client.ask("list limit=10000") ?? "nothing"
        guard let count = Int(first.dropFirst("OK lines=".count)) else { return .wrong(first) }
        for token in 0..<count {
            let line = client.line() ?? "nothing"
            guard line.hasPrefix("  token=\(token + 1) key=user/\(token) owner=o\(token) ") else {
                return .wrong(line)
            }
        }
        guard let next = tokenGranted(client.ask("acquire user/next")), next > leases else {
            return .wrong("the next token is not greater")
        }
        return .serves(leases: count)
    }

    private func contents() -> [String: [UInt8]] {
        let all = names(in: daemon.dataPath).map { ($0, bytes(of: daemon.dataPath + "/" + $0)) }
        return Dictionary(uniqueKeysWithValues: all)
    }
}

@Suite struct DamagedLogTests {
    @Test func anyBitOfARecordThatIsNotTheLastOneStopsTheStart() throws {
        let specimen = try Specimen(leases: 8)
        var random = SeededRandom(seed: seed("bits"))
        var tried = 0
        for line in [1, 2, 5] {
            let range = specimen.starts[line - 1]..<specimen.starts[line]
            let all = range.flatMap { byte in (0..<8).map { (byte, $0) } }
            for (byte, bit) in isFullSweep ? all : Array(all.shuffled(using: &random).prefix(12)) {
                var log = specimen.log
                log[byte] ^= 1 << bit
                try specimen.put(log: log)
                let outcome = try specimen.outcome()
                guard case .refused(65, let message) = outcome else {
                    Issue.record("byte \(byte) bit \(bit): \(outcome)")
                    continue
                }
                // A first line of another format is named as such, and has no place.
                let place = "line \(line) (byte \(range.lowerBound))"
                #expect(message.contains(place) || line == 1, "byte \(byte) bit \(bit): \(message)")
                tried += 1
            }
        }
        print("bits: \(tried) flipped, \(tried) detected")
    }

    @Test func anyBitOfTheLastRecordIsCutOff() throws {
        let specimen = try Specimen(leases: 4)
        var random = SeededRandom(seed: seed("last bits"))
        let range = specimen.starts[specimen.starts.count - 2]..<specimen.log.count
        let all = range.flatMap { byte in (0..<8).map { (byte, $0) } }
        for (byte, bit) in isFullSweep ? all : Array(all.shuffled(using: &random).prefix(16)) {
            var log = specimen.log
            log[byte] ^= 1 << bit
            try specimen.put(log: log)
            #expect(try specimen.outcome() == .serves(leases: 3), "byte \(byte) bit \(bit)")
        }
        print("last bits: \(isFullSweep ? all.count : 16) flipped and cut off")
    }

    @Test func aLogThatWasCutAnywhereHasWhatStandsBeforeTheCut() throws {
        let specimen = try Specimen(leases: 6)
        var random = SeededRandom(seed: seed("cuts"))
        let all = Array(1..<specimen.log.count)
        let cuts = isFullSweep ? all : Array(all.shuffled(using: &random).prefix(30))
        for length in cuts {
            try specimen.put(log: Array(specimen.log[..<length]))
            let outcome = try specimen.outcome()
            let lines = specimen.starts.lastIndex { $0 <= length }!
            if lines < 2 {
                guard case .refused(65, _) = outcome else {
                    Issue.record("\(length): \(outcome)")
                    continue
                }
            } else {
                #expect(outcome == .serves(leases: lines - 2), "\(length)")
                let kept = names(in: specimen.daemon.dataPath).contains { $0.hasPrefix("log.torn-") }
                #expect(kept == (length != specimen.starts[lines]), "\(length)")
            }
        }
        print("cuts: \(cuts.count) lengths")
    }

    /// What was cut off stays off, and what comes behind it stays.
    @Test func aTornEndIsMendedForGood() throws {
        let daemon = try Daemon()
        var book = Book()
        for round in 0..<6 {
            try daemon.start()
            book.check(try daemon.connect(), "round \(round)")
            book.acquire(3, try daemon.connect())
            daemon.kill()
            let file = try #require(fopen(daemon.dataPath + "/log", "a"))
            fputs(round % 2 == 0 ? "c0ffee00 7 1.0" : "\0\0\0\0garbage", file)
            fclose(file)
        }
        #expect(book.faults == [])
    }

    @Test(arguments: [1, 7, 511, 4_096, 1 << 20])
    func zerosAtTheEndAreCutOff(_ count: Int) throws {
        let specimen = try Specimen(leases: 3)
        try specimen.put(log: specimen.log + [UInt8](repeating: 0, count: count))
        #expect(try specimen.outcome() == .serves(leases: 3))
    }

    @Test func aRecordBehindGarbageIsNotBroughtBack() throws {
        let specimen = try Specimen(leases: 5)
        var random = SeededRandom(seed: seed("garbage"))
        let copy = specimen.log[specimen.starts[4]..<specimen.starts[5]]
        for length in [1, 60, 4_096] {
            let garbage = (0..<length).map { _ in UInt8.random(in: 128...255, using: &random) }
            try specimen.put(log: specimen.log + garbage)
            #expect(try specimen.outcome() == .serves(leases: 5))
            try specimen.put(log: specimen.log + garbage + [UInt8(ascii: "\n")] + copy)
            try expectDamage(specimen)
        }
        try specimen.put(log: specimen.log + copy)
        try expectDamage(specimen)
    }

    private func expectDamage(_ specimen: Specimen) throws {
        let outcome = try specimen.outcome()
        guard case .refused(65, let message) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(message.contains("is damaged at line"))
    }

    /// Which numbers are right is all that it says, so nothing is guessed.
    @Test func aDamagedFileOfNumbersStopsTheStart() throws {
        let specimen = try Specimen(leases: 2)
        let whole = bytes(of: specimen.daemon.dataPath + "/numbers")
        var random = SeededRandom(seed: seed("numbers"))
        var damaged = (0..<8 * whole.count).map { bit in
            var flipped = whole
            flipped[bit / 8] ^= 1 << (bit % 8)
            return flipped
        }
        damaged += whole.indices.map { Array(whole[..<$0]) }
        damaged.append(whole + whole)
        for numbers in isFullSweep ? damaged : Array(damaged.shuffled(using: &random).prefix(12)) {
            try specimen.put(log: specimen.log, numbers: numbers)
            guard case .refused(65, let message) = try specimen.outcome() else {
                Issue.record("it starts with \(String(decoding: numbers, as: UTF8.self))")
                continue
            }
            #expect(message.contains("numbers is damaged"))
        }
        print("numbers: \(isFullSweep ? damaged.count : 12) damaged, all detected")
    }

    /// Each file taken away or emptied in turn.
    @Test func aMissingOrEmptyFileIsSaid() throws {
        let specimen = try Specimen(leases: 2)
        func expect(_ code: Int32, _ words: String) throws {
            let outcome = try specimen.outcome()
            guard case .refused(code, let message) = outcome, message.contains(words) else {
                Issue.record("\(words): \(outcome)")
                return
            }
        }
        try specimen.put(log: [])
        try expect(65, "is empty")
        try specimen.put(log: specimen.log, numbers: [])
        try expect(65, "numbers is damaged")
        try specimen.put(log: specimen.log, numbers: [UInt8](repeating: 0, count: 16))
        try expect(65, "numbers is damaged")
        try specimen.put(log: specimen.log, leavesNumbers: false)
        try expect(65, "numbers is missing")
        // Nothing of it is needed, and no lease is made up.
        try specimen.put(log: nil)
        #expect(try specimen.outcome() == .serves(leases: 0))
        try specimen.put(log: specimen.log)
        for name in ["numbers.spare", "log.new", "numbers.new", "numbers.spare.new"] {
            try specimen.write([], name)
        }
        #expect(try specimen.outcome() == .serves(leases: 2))
    }

    /// Every line is whole, and what they say can't have happened.
    @Test(arguments: [
        ("renewed token=9 ttl=1000ms", "token 9 was never granted"),
        ("granted token=2 key=user/9 owner=o uid=0 pid=1 ttl=1000ms", "token 2 is granted after 2"),
        ("granted token=3 key=user/9,user/9 owner=o uid=0 pid=1 ttl=1ms", "one key stands there twice"),
        ("forgotten token=2 why=asked", "no result of token 2 is kept"),
        ("released token=1\nreleased token=1", "token 1 is not held"),
        ("released token=1\nrenewed token=1 ttl=1000ms", "token 1 is not held"),
        ("released token=1\nbound token=1", "token 1 is not held"),
        ("expired token=1 rest=5ms,5ms", "`rest` has 2 parts, and token 1 1 keys"),
        ("kept token=1 key=user/1 owner=o uid=0 pid=1 keep=1h", "it is no record of this format"),
        (
            "kept token=1 key=a/1 owner=o uid=0 pid=1 keep=9000ms result=r\n"
                + "kept token=1 key=a/2 owner=o uid=0 pid=1 keep=9000ms result=r",
            "a result of token 1 is kept already"
        ),
        (
            "kept token=1 key=a/1 owner=o uid=0 pid=1 keep=9000ms result=r\n"
                + "forgotten token=1 key=a/2 why=asked",
            "the result of token 1 is not kept for a/2"
        ),
    ])
    func recordsThatCannotFollowEachOtherStopTheStart(_ records: String, _ words: String) throws {
        let specimen = try Specimen(leases: 2)
        let last = String(decoding: specimen.log[specimen.starts[3]...], as: UTF8.self).split(separator: " ")
        var (log, number, start) = (specimen.log, specimen.starts.count - 2, 0)
        for record in records.split(separator: "\n") {
            number += 1
            start = log.count
            log += line("\(number) \(last[2]) \(record)")
        }
        let place = "line \(number + 1) (byte \(start)): "
        // Also where there is more behind it, or what a crash may leave.
        for behind in ["", "0a1b2c3d 99"] {
            try specimen.put(log: log + Array(behind.utf8))
            try specimen.write([0, 0], "log.ring")
            guard case .refused(65, let message) = try specimen.outcome() else {
                Issue.record("it started with \(records)")
                continue
            }
            #expect(message.contains(place) && message.contains(words), "\(message)")
            #expect(message.contains("though its checksum is right. Nothing was changed"))
        }
    }

    @Test func aLogOfANewerFormatIsLeftAlone() throws {
        let specimen = try Specimen(leases: 2)
        let header = specimen.log[..<(specimen.starts[1] - 1)].dropFirst(9)
        let newer = String(decoding: header, as: UTF8.self).replacing("format=2", with: "format=3")
        try specimen.put(log: line(newer) + specimen.log[specimen.starts[1]...])
        guard case .refused(65, let message) = try specimen.outcome() else {
            Issue.record("it started")
            return
        }
        #expect(message.contains("has format 3, and this leased knows 2"))
    }
}

/// The line with its right checksum in front, and an LF behind.
func line(_ rest: String) -> [UInt8] {
    Array((hex(crc32c(Array(rest.utf8))) + " " + rest + "\n").utf8)
}

func hex(_ sum: UInt32) -> String {
    let digits = String(sum, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
}

/// As the definition says it, one bit at a time.
func crc32c(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { crc, byte in
        (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
}

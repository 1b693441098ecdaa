// Damage: cut, flipped, zeroed, deleted and doubled lines, and whether that is called torn or damaged.

import LeaseLog
import LeaseModel
import SeededRandom
import Testing

@Suite struct DamageTests {
    @Test func aWholeLogIsClean() {
        let log = SampleLog.of(20)
        let read = ReadLog(log.bytes)
        #expect(read.end == .clean(size: Int64(log.bytes.count)))
        #expect(read.records == log.records)
        #expect(read.position?.lastSequence == 21)
        #expect(read.position?.greatestToken == 10)
        #expect(read.position?.boot == thisBoot)
        #expect(read.position?.lastTime == log.time)
        #expect(read.position?.lastMark == BatchMark(synced: 20, wallMilliseconds: 1_700_000_000_000))
        #expect(read.position?.lastMarkTime == log.time)
        #expect(read.summary.records == 21)
        #expect(read.summary.firstSequence == 1)
        #expect(read.summary.lastSequence == 21)
        #expect(ReadLog([]).end == .empty)
    }

    /// Whoever applies the records may say that one can't follow from the others: wherever it stands among
    /// those that are handed over together, and whatever stands behind it.
    @Test(arguments: [1, 2, 63, 64, 65, 128, 129, 200], [0, 1, 100])
    func aRecordThatIsRefusedIsDamage(_ bad: Int, _ chunk: Int) {
        let log = SampleLog.of(200)
        for behind in ["", "half a li"] {
            let bytes = log.bytes + Array(behind.utf8)
            let piece = chunk == 0 ? bytes.count : chunk
            var reader = LogReader()
            var (told, applied): ([Record], [Record]) = ([], [])
            for start in stride(from: 0, to: bytes.count, by: piece) {
                let end = min(start + piece, bytes.count)
                reader.feed(bytes.span.extracting(start..<end)) { record, _ in
                    told.append(record)
                } apply: { records throws(ImpossibleRecord) in
                    for (index, record) in records.enumerated() {
                        guard applied.count < bad else { throw ImpossibleRecord(index: index, what: "no") }
                        applied.append(record)
                    }
                }
            }
            let end = reader.finish(currentBoot: thisBoot)
            let place = log.range(ofLine: bad + 2).lowerBound
            #expect(
                end
                    == .damaged(
                        line: bad + 2, offset: Int64(place), what: "no, though its checksum is right"))
            #expect(applied == Array(log.records.prefix(bad)))
            #expect(told.starts(with: applied))
            let summary = reader.summary(of: end)
            #expect(summary.records == bad && summary.lastSequence == UInt64(bad))
        }
    }

    @Test(arguments: [thisBoot, otherBoot])
    func cutAtEveryByte(_ boot: Text) {
        let log = SampleLog.of(12)
        for length in 1..<log.bytes.count {
            let read = ReadLog(Array(log.bytes.prefix(length)), boot: boot)
            let whole = log.starts.lastIndex { $0 <= length }!
            if length < log.starts[2] && length != log.starts[1] {
                #expect(read.damagedLine != nil, "cut at \(length)")
            } else if length == log.starts[whole] {
                #expect(read.end == .clean(size: Int64(length)), "cut at \(length)")
            } else {
                let good = log.starts[whole]
                #expect(
                    read.end
                        == .torn(
                            goodSize: Int64(good), goodLines: whole, droppedBytes: Int64(length - good),
                            lastSequence: Sequence64(whole - 1)), "cut at \(length)")
            }
            #expect(read.records == Array(log.records.prefix(max(0, whole - 1))))
        }
    }

    @Test(arguments: [thisBoot, otherBoot], [4, 12, 13])
    func anyBitOfAMiddleRecordFlipped(_ boot: Text, _ line: Int) {
        let log = SampleLog.of(12)
        for index in log.range(ofLine: line) {
            for bit in 0..<8 {
                var bytes = log.bytes
                bytes[index] ^= 1 << bit
                let read = ReadLog(bytes, boot: boot)
                // An LF in the place of another byte: the line begins where it did all the same.
                #expect(read.damagedLine == line, "byte \(index) bit \(bit): \(read.end)")
                #expect(read.records == Array(log.records.prefix(line - 2)))
            }
        }
    }

    @Test(arguments: [thisBoot, otherBoot])
    func anyBitOfTheLastRecordFlipped(_ boot: Text) {
        let log = SampleLog.of(12)
        for index in log.range(ofLine: 14) {
            for bit in 0..<8 {
                var bytes = log.bytes
                bytes[index] ^= 1 << bit
                let read = ReadLog(bytes, boot: boot)
                #expect(read.isTorn, "byte \(index) bit \(bit): \(read.end)")
                #expect(read.records == Array(log.records.prefix(12)))
            }
        }
    }

    /// Three batches of four records; the last two were never synced.
    private func unsyncedLog() -> SampleLog {
        var log = SampleLog()
        log.add(SampleLog.start(), synced: 0)
        for token in Token(1)...12 {
            log.add(SampleLog.grant(token), synced: token % 4 == 1 ? min(log.sequence, 5) : nil)
        }
        return log
    }

    @Test func aPowerCutMayLosePagesOfWhatWasNotSynced() {
        let log = unsyncedLog()
        for line in 7...14 {
            var bytes = log.bytes
            for index in log.range(ofLine: line) { bytes[index] = 0 }
            let read = ReadLog(bytes, boot: otherBoot)
            #expect(read.isTorn, "\(line): \(read.end)")
            #expect(read.records == Array(log.records.prefix(line - 2)))
            // On the same boot the kernel lost nothing: a good record behind the gap says so.
            #expect(line == 14 || ReadLog(bytes).damagedLine == line)
        }
    }

    @Test func whatWasClaimedAsSyncedIsNeverCutOff() {
        let log = unsyncedLog()
        for line in 3...6 {
            var bytes = log.bytes
            for index in log.range(ofLine: line) { bytes[index] = 0 }
            let read = ReadLog(bytes, boot: otherBoot)
            #expect(read.damagedLine == line)
            #expect(read.damage?.contains("says that it was on the disk") == true)
        }
    }

    @Test(arguments: [thisBoot, otherBoot], [1, 7, 511, 4_096, 16_384, 16_385, 1 << 20])
    func aZeroedTailIsTorn(_ boot: Text, _ count: Int) {
        let log = SampleLog.of(6)
        let read = ReadLog(log.bytes + [UInt8](repeating: 0, count: count), boot: boot)
        #expect(
            read.end
                == .torn(
                    goodSize: Int64(log.bytes.count), goodLines: 8, droppedBytes: Int64(count),
                    lastSequence: 7))
        #expect(read.records == log.records)
    }

    @Test(arguments: [thisBoot, otherBoot])
    func aGarbageTailIsTorn(_ boot: Text) {
        let log = SampleLog.of(6)
        var random = SeededRandom(printing: 5)
        for length in [1, 2, 3, 64, 1_000, 4_096, 40_000] {
            let garbage = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let read = ReadLog(log.bytes + garbage, boot: boot)
            #expect(read.isTorn, "\(length)")
            #expect(read.records == log.records)
        }
    }

    @Test(arguments: ["", "\n"])
    func garbageBeforeAGoodRecordIsDamage(_ between: String) {
        let log = SampleLog.of(6)
        var random = SeededRandom(printing: 6)
        let old = log.bytes[log.range(ofLine: 4)]
        var next = log
        next.add(SampleLog.grant(9), synced: 7)
        let new = next.bytes[next.range(ofLine: 9)]
        for length in [1, 100, 20_000] {
            let garbage = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next() | 0x80) }
            let file = log.bytes + garbage + Array(between.utf8)
            #expect(ReadLog(file + old).damagedLine == 9)
            #expect(ReadLog(file + new).damagedLine == 9)
            #expect(ReadLog(file + old, boot: otherBoot).records == log.records)
            // The new record claims only what stands before the garbage.
            #expect(ReadLog(file + new, boot: otherBoot).isTorn)
        }
    }

    @Test(arguments: [thisBoot, otherBoot], [3, 7, 12, 14])
    func aDoubledLineIsDamage(_ boot: Text, _ line: Int) {
        let log = SampleLog.of(12)
        let copy = log.bytes[log.range(ofLine: line)]
        let near = log.range(ofLine: line).upperBound
        let adjacent = ReadLog(Array(log.bytes[..<near] + copy + log.bytes[near...]), boot: boot)
        #expect(adjacent.damagedLine == line + 1)
        #expect(adjacent.records == Array(log.records.prefix(line - 1)))
        let far = ReadLog(log.bytes + copy, boot: boot)
        #expect(far.damagedLine == 15)
        #expect(far.records == log.records)
    }

    @Test(arguments: [thisBoot, otherBoot])
    func aDeletedLineIsDamage(_ boot: Text) {
        let log = SampleLog.of(12)
        for line in 1...13 {
            var bytes = log.bytes
            bytes.removeSubrange(log.range(ofLine: line))
            // Without its `started`, the file is wrong there; without the first line, at once.
            #expect(ReadLog(bytes, boot: boot).damagedLine == line, "line \(line)")
        }
    }

    @Test func twoBrokenRecordsOnTheSameBootAreDamage() {
        let log = SampleLog.of(12)
        var bytes = log.bytes
        bytes[log.starts[12] + 20] ^= 1
        bytes[log.starts[13] + 20] ^= 1
        #expect(ReadLog(bytes).damage?.contains("line 14 is wrong, too") == true)
        #expect(ReadLog(bytes).damagedLine == 13)
        #expect(ReadLog(bytes, boot: otherBoot).isTorn)
    }

    @Test func aDamagedLineEndHidesNoRecord() {
        let log = SampleLog.of(12)
        var bytes = log.bytes
        bytes[log.range(ofLine: 13).upperBound - 1] = UInt8(ascii: "x")
        #expect(ReadLog(bytes).damagedLine == 13)
        #expect(ReadLog(bytes, boot: otherBoot).damagedLine == 13)
    }

    @Test func chunksMakeNoDifference() {
        var random = SeededRandom(printing: 7)
        let log = SampleLog.of(12)
        for round in 0..<200 {
            var bytes = log.bytes
            for _ in 0..<random.below(3) { bytes[random.below(bytes.count)] ^= UInt8(1 << random.below(8)) }
            let tail = [UInt8](
                repeating: UInt8(random.below(256)), count: round % 10 == 0 ? 50_000 : random.below(50))
            bytes += tail + (random.coin() ? [] : Array(log.bytes[log.range(ofLine: 5)]))
            let whole = ReadLog(bytes)
            #expect(ReadLog(bytes, chunk: 1) == whole)
            #expect(ReadLog(bytes, chunk: 1 + random.below(5_000)) == whole)
        }
    }

    @Test func noInputTraps() {
        var random = SeededRandom(printing: 8)
        let alphabet = Array("0123456789abcdef \n=.-:%/,".utf8)
        for _ in 0..<2_000 {
            var bytes = SampleLog.of(1).bytes
            for _ in 0..<random.below(300) { bytes.append(alphabet[random.below(alphabet.count)]) }
            _ = ReadLog(bytes)
            _ = ReadLog(bytes, boot: nil)
        }
    }
}

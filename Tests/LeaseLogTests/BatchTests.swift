// A batch of records: each line is the same as by itself, whatever stands before it.

import LeaseModel
import SeededRandom
import Testing

@testable import LeaseLog

@Suite struct BatchTests {
    /// Numbers go on by one, over every power of ten; a compacted state repeats them; a start jumps.
    @Test func aLineIsTheSameBehindOthers() {
        var random = SeededRandom(printing: 13)
        var batch = LogBytes()
        var beginning = LineBeginning()
        var alone: [UInt8] = []
        var sequence: Sequence64 = 0
        var at = random.instant()
        for _ in 0..<4_000 {
            switch random.below(16) {
            case 0: sequence = random.number()
            case 1: break
            case 2: at = random.instant()
            default: sequence &+= 1
            }
            var record = random.record()
            (record.sequence, record.at) = (sequence, at)
            let mark = random.mark()
            RecordEncoder.append(record, mark: mark, like: &beginning, to: &batch)
            RecordEncoder.append(record, mark: mark, to: &alone)
        }
        let (whole, first) = (batch.copied(), batch.copied(upTo: 5))
        #expect(whole.elementsEqual(alone))
        #expect(first == Array(alone.prefix(5)))
        var other = LogBytes()
        other.append(Array("before\n".utf8))
        other.append(batch, from: 5)
        other.append([])
        let both = other.copied()
        #expect(both.elementsEqual("before\n".utf8 + alone.dropFirst(5)))
        batch.removeAll()
        let isEmpty = batch.isEmpty
        #expect(isEmpty)
    }

    /// The owner of the line before is taken over where it is the same, and only there.
    @Test func eachLineHasItsOwner() {
        let owners = ["tab-1", "tab-1", "tab-12", "tab-1", "tab-", "tab-1", "sub-1", "%20", "tab-1"]
        var log = SampleLog()
        log.add(SampleLog.start(), synced: 0)
        for (index, owner) in owners.enumerated() {
            let key = Key(printed: Array("user/\(index)".utf8))
            log.add(
                .granted(
                    Grant(
                        token: Token(index + 1), keys: Keys(key), owner: Text(printed: Array(owner.utf8)),
                        uid: 1, pid: 2, ttl: .seconds(30))))
        }
        var reader = LogReader()
        var read: [Record] = []
        reader.feed(log.bytes.span) { record, _ in read.append(record) }
        #expect(read == log.records)
    }

    @Test func everyNumberHasItsDigits() {
        var numbers: [UInt64] = [0, .max]
        var power: UInt64 = 1
        for _ in 0..<20 {
            numbers += [power - 1, power, power + 1]
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
        for number in numbers + (0..<2_000).map({ $0 * 12_345 }) {
            var bytes: [UInt8] = []
            LineOutput.append(to: &bytes) { $0.write(number) }
            #expect(bytes == Array("\(number)".utf8))
        }
    }
}

// The log's ring: what is read back of it, whatever a power cut left of its last frames.

import LeaseLog
import LeaseModel
import SeededRandom
import Testing

@Suite struct RingTests {
    /// Frames of so many records each, as the daemon writes them: the offsets of their ends as well.
    private func ring(_ log: SampleLog, frames: [Int], size: Int = 1 << 14) -> (bytes: [UInt8], ends: [Int]) {
        var bytes = [UInt8](repeating: 0, count: size)
        var (offset, last, ends): (Int, Sequence64, [Int]) = (0, 0, [])
        for count in frames {
            var frame = RingFrame()
            for line in Int(last) + 2..<Int(last) + 2 + count {
                frame.append(log.bytes.span.extracting(log.range(ofLine: line)))
            }
            let write = RingWrite(first: last + 1, last: last + UInt64(count), offset: offset, synced: last)
            let written = frame.take(as: write)
            bytes.replaceSubrange(offset..<offset + written.count, with: written)
            offset += written.count
            last += UInt64(count)
            ends.append(offset)
        }
        return (bytes, ends)
    }

    @Test func whatIsReadBackIsWhatWasWritten() {
        let log = SampleLog.of(9)
        let (bytes, _) = ring(log, frames: [2, 1, 4, 2])
        let contents = RingContents(bytes.span)
        #expect(contents.first == 1)
        #expect(contents.last == 9)
        #expect(contents.synced == 7)
        for known in 0...9 {
            let behind = contents.records(behind: Sequence64(known), in: bytes.span)
            let from = known < 9 ? log.range(ofLine: known + 2).lowerBound : log.range(ofLine: 10).upperBound
            #expect(behind == Array(log.bytes[from..<log.range(ofLine: 10).upperBound]))
        }
    }

    /// What tells the ring of another log, whose numbers are the same.
    @Test func aRecordThatAnotherLogHasOtherwiseIsNoticed() {
        let log = SampleLog.of(9)
        let (bytes, _) = ring(log, frames: [2, 1, 4])
        let contents = RingContents(bytes.span)
        for sequence in 1...9 {
            var reader = LogReader()
            reader.feed(log.bytes.span.extracting(0..<log.range(ofLine: sequence + 1).upperBound)) { _, _ in }
            let crc = reader.lastChecksum
            let isSameOther = contents.hasAnother(UInt64(sequence), checksum: crc, in: bytes.span)
            let isOther = contents.hasAnother(UInt64(sequence), checksum: crc ^ 1, in: bytes.span)
            #expect(!isSameOther)
            #expect(isOther == (sequence <= 7))
        }
    }

    @Test func anEmptyRingSaysNothing() {
        for size in [0, 1, RingFrame.headBytes - 1, RingFrame.headBytes, 5_000] {
            let contents = RingContents([UInt8](repeating: 0, count: size).span)
            #expect(contents.records.isEmpty)
            #expect(contents.synced == 0)
        }
    }

    /// A frame is whole or nothing, wherever it is torn; and one behind it still says what was on the disk.
    @Test func aTornFrameEndsTheChainAndALaterOneTellsOfIt() {
        let log = SampleLog.of(9)
        let (whole, ends) = ring(log, frames: [2, 3, 3, 1])
        for place in ends[0]..<ends[1] {
            var bytes = whole
            bytes[place] ^= 0x10
            let contents = RingContents(bytes.span)
            #expect(contents.last == 2, "byte \(place)")
            #expect(contents.synced == 8, "byte \(place)")
            #expect(contents.records(behind: 0, in: bytes.span).count == log.range(ofLine: 4).lowerBound
                - log.range(ofLine: 2).lowerBound)
        }
    }

    /// What a former turn left behind the last frame neither goes on with it nor claims anything.
    @Test func framesOfAFormerTurnCountForNothing() {
        let (old, ends) = ring(SampleLog.of(9), frames: [1, 1, 1, 1, 1, 1, 1, 1, 1])
        for length in [ends[0], ends[1] - 7, ends[2] + 50, ends[3] - 107] {
            var frame = RingFrame()
            frame.append([UInt8](repeating: UInt8(ascii: "x"), count: length - RingFrame.headBytes))
            let new = frame.take(as: RingWrite(first: 10, last: 12, offset: 0, synced: 9))
            var bytes = old
            bytes.replaceSubrange(0..<new.count, with: new)
            let contents = RingContents(bytes.span)
            #expect(contents.first == 10)
            #expect(contents.last == 12)
            #expect(contents.synced == 9)
        }
    }

    /// No input traps.
    @Test func itReadsWhateverThereIs() {
        var random = SeededRandom(seed: 17)
        let (whole, ends) = ring(SampleLog.of(9), frames: [2, 3, 3, 1], size: 2_500)
        for _ in 0..<3_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<min(bytes.count, ends[3]), using: &random)
                bytes[place] = [0, 10, 32, 48, 57, UInt8.random(in: 0...255, using: &random)]
                    .randomElement(using: &random)!
            }
            if Bool.random(using: &random) {
                bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            }
            let contents = RingContents(bytes.span)
            #expect(contents.last <= 9)
            #expect(contents.synced <= 8)
        }
        let great = RingFrame.headBytes
        var bytes = Array(whole[..<great])
        for index in bytes.indices where bytes[index] &- 48 < 10 { bytes[index] = 57 }
        #expect(RingContents(bytes.span).records.isEmpty)
    }
}

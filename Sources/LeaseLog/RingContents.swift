// What a crash left in the ring: frames that go on where the one before ended, and what they say of others.

package import LeaseModel

/// The ring, read from its beginning. No input traps.
package struct RingContents {
    /// The places of the records of whole frames from the ring's beginning on, each of which goes on where
    /// the one before it ended.
    package private(set) var records: [Range<Int>] = []
    package private(set) var first: Sequence64 = 0
    package private(set) var last: Sequence64 = 0
    /// Every change up to this one was on the disk, as some whole frame says, wherever it stands. Of frames
    /// of the ring's former turns none says so of a change that is not in the log.
    package private(set) var synced: Sequence64 = 0

    package init(_ ring: Span<UInt8>) {
        var end = 0
        while let frame = RingContents.frame(ring, at: end), records.isEmpty || frame.first == last &+ 1 {
            if records.isEmpty { first = frame.first }
            last = frame.last
            synced = max(synced, frame.synced)
            records.append(frame.records)
            end = frame.records.upperBound
        }
        lookBehind(end, ring)
    }

    /// Whatever stands in front of a frame, its head ends with an LF.
    private mutating func lookBehind(_ end: Int, _ ring: Span<UInt8>) {
        var next = end
        while let lineEnd = LineSplitter.nextEnd(in: ring, from: next) {
            next = lineEnd + 1
            let start = next - RingFrame.headBytes
            guard start >= 0, let frame = RingContents.frame(ring, at: start) else { continue }
            synced = max(synced, frame.synced)
            next = frame.records.upperBound
        }
    }

    private static func frame(
        _ ring: Span<UInt8>, at start: Int
    ) -> (first: Sequence64, last: Sequence64, synced: Sequence64, records: Range<Int>)? {
        var place = start + 8
        func number(_ name: StaticString, digits: Int = 20) -> UInt64? {
            let isNamed = name.withUTF8Buffer { name in
                for index in 0..<name.count where ring[place + index] != name[index] { return false }
                return true
            }
            guard isNamed else { return nil }
            place += name.utf8CodeUnitCount
            var number: UInt64 = 0
            for index in place..<place + digits {
                let digit = UInt64(ring[index] &- UInt8(ascii: "0"))
                let (tens, tooMany) = number.multipliedReportingOverflow(by: 10)
                let (sum, tooGreat) = tens.addingReportingOverflow(digit)
                guard digit < 10, !tooMany, !tooGreat else { return nil }
                number = sum
            }
            place += digits
            return number
        }
        guard start + RingFrame.headBytes <= ring.count, let first = number(" first="),
            let last = number(" last="), let count = number(" bytes=", digits: 10),
            let synced = number(" synced="), first <= last,
            count <= UInt64(ring.count - start - RingFrame.headBytes)
        else { return nil }
        let records = start + RingFrame.headBytes..<start + RingFrame.headBytes + Int(count)
        let line = ring.extracting(start..<records.upperBound)
        guard let written = writtenChecksum(line), ring[place] == UInt8(ascii: "\n"),
            Checksum.of(line.extracting(droppingFirst: 8)) == written
        else { return nil }
        return (first, last, synced, records)
    }

    private static func writtenChecksum(_ line: Span<UInt8>) -> UInt32? {
        var crc: UInt32 = 0
        for index in 0..<8 {
            switch line[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                crc = crc << 4 | UInt32(line[index] - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                crc = crc << 4 | UInt32(line[index] - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return crc
    }
}

extension RingContents {
    /// The records of the ring's chain whose numbers are greater than this one, as they stand in the log.
    package func records(behind known: Sequence64, in ring: Span<UInt8>) -> [UInt8] {
        var found: [UInt8] = []
        forEachRecord(in: ring) { number, line in
            if number > known { line.withUnsafeBufferPointer { found.append(contentsOf: $0) } }
        }
        return found
    }

    /// Whether the ring has the record of that number, with another checksum. A record stands in both to the
    /// byte, so such a ring is of another log.
    package func hasAnother(_ sequence: Sequence64, checksum: UInt32, in ring: Span<UInt8>) -> Bool {
        var isOther = false
        forEachRecord(in: ring) { number, line in
            if number == sequence, RecordDecoder.checksumWritten(in: line) != checksum { isOther = true }
        }
        return isOther
    }

    private func forEachRecord(
        in ring: Span<UInt8>, _ body: (_ sequence: Sequence64, _ line: Span<UInt8>) -> Void
    ) {
        for range in records {
            var start = range.lowerBound
            let frame = ring.extracting(0..<range.upperBound)
            while let end = LineSplitter.nextEnd(in: frame, from: start) {
                var cursor = FieldCursor(at: min(start + RecordDecoder.checksumBytes, end))
                if let number = try? cursor.unsigned(in: frame) {
                    body(number, frame.extracting(start..<(end + 1)))
                }
                start = end + 1
            }
        }
    }
}

// How a log ends: clean, torn or damaged, and the rules that tell the last two apart.

package import LeaseModel

/// What the reader found at the end of a file.
package enum LogEnd: Equatable, Sendable {
    /// No byte at all.
    case empty
    /// Every line is good.
    case clean(size: Int64)
    /// The end was cut off by a crash. The first `goodLines` lines (the header included) in the first
    /// `goodSize` bytes are all that was kept; what follows holds nothing that was acknowledged.
    case torn(goodSize: Int64, goodLines: Int, droppedBytes: Int64, lastSequence: Sequence64)
    /// No crash leaves such a file: the line (from 1) that begins at `offset` is wrong, and why nothing may
    /// be cut off is part of `what`.
    case damaged(line: Int, offset: Int64, what: String)
    /// Written by a newer program. Nothing but the format's number was read.
    case newerFormat(UInt64)
}

/// The first line that is no good, and what stands behind it. Nothing behind it is applied.
struct BadTail {
    let line: Int
    let offset: Int64
    let what: String
    /// The line has the right checksum: a crash does not write that.
    let isIntact: Bool
    /// The number that the record should have had.
    let expected: Sequence64

    /// The first line from here on that claims `expected` as synced.
    private(set) var claimingLine: Int?
    /// The first good record behind the bad line, even if bytes without an LF stand before it on its line.
    private(set) var goodLine: Int?
    /// The second line of those that are bad, end in LF and look like records.
    private(set) var secondBadLine: Int?
    private var hasBadLineOfForm = false

    init(line: Int, offset: Int64, what: String, isIntact: Bool, expected: Sequence64) {
        self.line = line
        self.offset = offset
        self.what = what
        self.isIntact = isIntact
        self.expected = expected
    }

    /// Looks at the bad line itself or at one behind it.
    mutating func look(at bytes: Span<UInt8>, _ place: LinePlace, line: Int) {
        guard place.hasEnd else { return }
        if let found = BadTail.lastRecord(in: bytes, place) {
            if let mark = found.mark, mark.synced >= expected, claimingLine == nil { claimingLine = line }
            if goodLine == nil { goodLine = line }
        } else if !place.isTooLong, RecordDecoder.hasOutwardForm(bytes) {
            if hasBadLineOfForm, secondBadLine == nil { secondBadLine = line }
            hasBadLineOfForm = true
        }
    }

    /// Why this is damage, or nil where a crash explains it. On the same boot the kernel kept all that it was
    /// given, so only what was being written last can be torn. After a power cut any page of what was not
    /// synced can be missing, and a good record behind the gap proves nothing unless it claims the gap as
    /// synced.
    func damage(onSameBoot: Bool) -> String? {
        if isIntact { return BadTail.thoughIntact(what) }
        if let claimingLine { return "\(what), and line \(claimingLine) says that it was on the disk" }
        guard onSameBoot else { return nil }
        if let goodLine { return "\(what), and a good record follows on line \(goodLine)" }
        if let secondBadLine { return "\(what), and line \(secondBadLine) is wrong, too" }
        return nil
    }

    /// What is wrong with a line that was written as it stands there.
    static func thoughIntact(_ what: String) -> String { "\(what), though its checksum is right" }

    /// The good record that this line is, or ends with: an LF that was damaged glues two lines into one, and
    /// so do garbage or zeros before a record. Only the last few places where one could begin are tried (in a
    /// record there are at most two), so that no input makes this slow.
    private static func lastRecord(in bytes: Span<UInt8>, _ place: LinePlace) -> MarkedRecord? {
        var tries = 4
        var start = bytes.count - RecordDecoder.checksumBytes
        while start >= 0, tries > 0 {
            let line = bytes.extracting(start..<bytes.count)
            if RecordDecoder.hasOutwardForm(line) {
                tries -= 1
                if let record = goodRecord(line) { return record }
            }
            start -= 1
        }
        return nil
    }

    private static func goodRecord(_ line: Span<UInt8>) -> MarkedRecord? {
        guard RecordDecoder.checksumMatches(line) else { return nil }
        var cursor = FieldCursor(at: RecordDecoder.checksumBytes)
        return try? RecordDecoder.record(line, &cursor)
    }
}

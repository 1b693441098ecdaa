// Reads a log: bytes in, records out, and at the end how it ended. Rules 1 to 4 of `protocol/LOG.md`.

package import LeaseModel

/// Reads one file from its beginning, fed with chunks of any size. It keeps a line or two in memory, never
/// the file, and no input traps.
package struct LogReader {
    /// What has been read, up to the first line that is no good.
    private var rules: LogRules?
    private var newerFormat: UInt64?
    private var tail: BadTail?
    private var refused: RefusedRecord?
    private var splitter = LineSplitter()
    private var linesSeen = 0
    private var goodLines = 0
    private var firstSequence: Sequence64?
    private var synced = SyncedPrefix()
    private var lastOwner = Text(printed: [])
    /// As it stands before the last good record: what tells that from another log's of the same number.
    package private(set) var lastChecksum: UInt32 = 0

    package init() {}

    /// nil before the first line was read, and if it is no good.
    package var header: LogHeader? { rules?.header }
    /// What recovery goes on from: the state after the last good record. nil without a good first line.
    package var position: LogPosition? { rules?.position }
    /// All before this byte is on the disk, as the good records say. Of what stands behind it a reader can't
    /// know: a kernel takes for clean, and shows, what it once failed to write.
    /// A compacted state that is still being read counts as well: it was synced before it was called the log,
    /// and where it is not complete that is damage.
    package var bytesSynced: Int64 { rules?.isInState == true ? splitter.offset : synced.bytes }

    /// Reads on. Each good record is handed out once, in order; behind a bad line none is.
    package mutating func feed(_ chunk: Span<UInt8>, each: (Record, BatchMark?) -> Void) {
        read(chunk) { record, mark, _ in each(record, mark) }
    }

    /// Reads on, and applies the good records, some at a time. `apply` throws at one that can't follow from
    /// those before it, whatever its checksum: that line is damage, and nothing behind it is applied. By
    /// then `each` has had it, and up to 63 behind it: to hand out only what was applied, every record would
    /// have to be looked at once more.
    package mutating func feed(
        _ chunk: Span<UInt8>, each: (Record, BatchMark?) -> Void,
        apply: ([Record]) throws(ImpossibleRecord) -> Void
    ) {
        var ahead = RecordsAhead()
        ahead.refused = refused
        read(chunk) { record, mark, place in
            guard ahead.refused == nil else { return }
            each(record, mark)
            ahead.append(record, place)
            if ahead.isFull { ahead.takeAll(apply) }
        }
        ahead.takeAll(apply)
        refused = ahead.refused
    }

    private mutating func read(_ chunk: Span<UInt8>, _ each: (Record, BatchMark?, RecordPlace) -> Void) {
        var splitter = LineSplitter()
        swap(&splitter, &self.splitter)
        splitter.feed(chunk) { line, place in
            self.take(line, place, each)
        }
        swap(&splitter, &self.splitter)
    }

    /// The file has ended. `currentBoot` is the boot that the machine is in, and nil if it is another one
    /// than any that the log can name. Call it once, after the last chunk.
    package mutating func finish(currentBoot: Text?) -> LogEnd {
        var splitter = LineSplitter()
        swap(&splitter, &self.splitter)
        splitter.finish { line, place in
            self.take(line, place) { _, _, _ in }
        }
        swap(&splitter, &self.splitter)
        return end(currentBoot)
    }

    /// Goes on behind the last good line, which ends at this byte, whatever stood there: call it after
    /// `finish` gave a clean or a torn end.
    package mutating func goOn(at size: Int64) {
        tail = nil
        linesSeen = goodLines
        splitter = LineSplitter(at: size)
    }

    /// What `verify` tells. Call it after `finish`, with what that gave.
    package func summary(of end: LogEnd) -> LogSummary {
        let lastSequence = refused?.place.lastSequence ?? position?.lastSequence
        let goodLines = refused.map { $0.place.line - 1 } ?? goodLines
        return LogSummary(
            header: header, records: max(0, goodLines - 1), bytes: splitter.bytesFed,
            firstSequence: firstSequence, lastSequence: firstSequence.flatMap { _ in lastSequence }, end: end)
    }

    private mutating func take(
        _ line: Span<UInt8>, _ place: LinePlace, _ each: (Record, BatchMark?, RecordPlace) -> Void
    ) {
        linesSeen += 1
        guard newerFormat == nil, refused == nil else { return }
        if tail != nil {
            tail?.look(at: line, place, line: linesSeen)
            return
        }
        var isIntact = false
        do {
            let checksum = try LogReader.checked(line, place)
            isIntact = true
            var cursor = FieldCursor(at: RecordDecoder.checksumBytes, lastOwner: lastOwner)
            defer { lastOwner = cursor.lastOwner }
            if rules == nil {
                try takeFirst(line, &cursor)
            } else {
                try takeRecord(line, place, &cursor, each)
                lastChecksum = checksum
            }
        } catch {
            beginTail(what: error.what, isIntact: isIntact, line, place)
        }
    }

    /// Rules 1 and 2. Gives the checksum.
    private static func checked(_ line: Span<UInt8>, _ place: LinePlace) throws(BadLine) -> UInt32 {
        guard !place.isTooLong else {
            throw BadLine("the line is longer than \(LogFormat.lineBytesMax) bytes")
        }
        guard place.hasEnd else { throw BadLine("the line has no end") }
        guard let written = RecordDecoder.checksumWritten(in: line) else {
            throw BadLine("the line does not begin with a checksum")
        }
        guard written == RecordDecoder.checksumMade(of: line) else {
            throw BadLine("the checksum does not match")
        }
        return written
    }

    /// Rule 4.
    private mutating func takeFirst(_ line: Span<UInt8>, _ cursor: inout FieldCursor) throws(BadLine) {
        guard let first = try? FirstLine.read(line, &cursor) else {
            throw BadLine("the first line is not that of a log (column \(cursor.at + 1))")
        }
        switch first {
        case .header(let header): rules = LogRules(header: header)
        case .newer(let number): newerFormat = number
        }
        goodLines = 1
    }

    /// Rule 3, and those between records.
    private mutating func takeRecord(
        _ line: Span<UInt8>, _ place: LinePlace, _ cursor: inout FieldCursor,
        _ each: (Record, BatchMark?, RecordPlace) -> Void
    ) throws(BadLine) {
        guard let entry = try? RecordDecoder.record(line, &cursor) else {
            throw BadLine("it is no record of this format from column \(cursor.at + 1) on")
        }
        let (last, wasInState) = (position?.lastSequence ?? 0, rules?.isInState == true)
        if let wrong = rules?.take(entry) { throw BadLine(wrong) }
        if let mark = entry.mark { synced.batchBegins(at: place.offset, after: last, synced: mark.synced) }
        if wasInState, rules?.isInState == false { synced.stateEnds(at: place.offset + Int64(place.length)) }
        goodLines += 1
        if firstSequence == nil { firstSequence = entry.record.sequence }
        each(
            entry.record, entry.mark,
            RecordPlace(line: linesSeen, offset: place.offset, lastSequence: last))
    }

    private mutating func beginTail(what: String, isIntact: Bool, _ line: Span<UInt8>, _ place: LinePlace) {
        var tail = BadTail(
            line: linesSeen, offset: place.offset, what: what, isIntact: isIntact,
            expected: rules?.nextSequence ?? 0)
        tail.look(at: line, place, line: linesSeen)
        self.tail = tail
    }

    private func end(_ currentBoot: Text?) -> LogEnd {
        let size = splitter.bytesFed
        if size == 0 { return .empty }
        if let newerFormat { return .newerFormat(newerFormat) }
        if let refused {
            let (line, offset) = (refused.place.line, refused.place.offset)
            return .damaged(line: line, offset: offset, what: BadTail.thoughIntact(refused.what))
        }
        guard let tail else { return endWithoutTail(size) }
        if let what = damage(in: tail, currentBoot) {
            return .damaged(line: tail.line, offset: tail.offset, what: what)
        }
        return .torn(
            goodSize: tail.offset, goodLines: goodLines, droppedBytes: size - tail.offset,
            lastSequence: position?.lastSequence ?? 0)
    }

    /// A file is renamed into place only when it is complete up to here, so what is missing was not torn off.
    private func endWithoutTail(_ size: Int64) -> LogEnd {
        guard let rules, rules.isInState else { return .clean(size: size) }
        return .damaged(
            line: goodLines + 1, offset: size, what: "the compacted state ends without `compacted`")
    }

    private func damage(in tail: BadTail, _ currentBoot: Text?) -> String? {
        guard let rules else { return tail.what }
        guard let boot = rules.position.boot else { return "\(tail.what), before the first `started`" }
        if rules.isInState { return "\(tail.what), inside a compacted state" }
        return tail.damage(onSameBoot: boot == currentBoot)
    }
}

/// Where a record stands.
private struct RecordPlace {
    let line: Int
    let offset: Int64
    /// The number of the record before, or of the header.
    let lastSequence: Sequence64
}

/// A record that is good in itself, and can't follow from those before it.
private struct RefusedRecord {
    let place: RecordPlace
    let what: String
}

/// So many are read before they are applied: what they will look for can be reached for together, and is
/// still near when its turn comes.
private struct RecordsAhead {
    private static let count = 64
    private var records: [Record] = []
    private var places: [RecordPlace] = []
    /// The first that was refused.
    var refused: RefusedRecord?

    init() {
        records.reserveCapacity(Self.count)
        places.reserveCapacity(Self.count)
    }

    var isFull: Bool { records.count == Self.count }

    mutating func append(_ record: Record, _ place: RecordPlace) {
        records.append(record)
        places.append(place)
    }

    mutating func takeAll(_ apply: ([Record]) throws(ImpossibleRecord) -> Void) {
        guard refused == nil, !records.isEmpty else { return }
        do throws(ImpossibleRecord) {
            try apply(records)
        } catch {
            refused = RefusedRecord(place: places[error.index], what: error.what)
        }
        records.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
    }
}

/// Why a line is no good.
private struct BadLine: Error {
    let what: String

    init(_ what: String) {
        self.what = what
    }
}

/// A file in a few numbers.
package struct LogSummary: Equatable, Sendable {
    package let header: LogHeader?
    /// The good ones, without the first line.
    package let records: Int
    package let bytes: Int64
    /// nil without records.
    package let firstSequence: Sequence64?
    package let lastSequence: Sequence64?
    package let end: LogEnd
}

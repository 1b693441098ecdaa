// The first line of a log: which format follows, on which clock, and whether the file was compacted.

package import LeaseModel

/// The clock of a data directory. It never changes.
package enum LogClock: Equatable, Sendable {
    case system, manual
}

/// What the first line of a file says.
package struct LogHeader: Equatable, Sendable {
    package var format: UInt64
    /// The number of the last change before the file.
    package var sequence: Sequence64
    /// The instant of that change; of a log that is new, when it was begun.
    package var at: Instant
    package var clock: LogClock
    /// The file begins with the state of when it was written, up to a `compacted` record.
    package var isCompacted: Bool

    package init(
        format: UInt64 = LogFormat.number, sequence: Sequence64, at: Instant, clock: LogClock,
        isCompacted: Bool
    ) {
        self.format = format
        self.sequence = sequence
        self.at = at
        self.clock = clock
        self.isCompacted = isCompacted
    }
}

/// What a first line turned out to be.
enum FirstLine {
    case header(LogHeader)
    /// A format that only a newer program knows.
    case newer(UInt64)
}

extension FirstLine {
    /// Reads a first line whose checksum is right, from behind the checksum. Only the beginning, up to the
    /// format's number, is the same in every format there will be.
    static func read(_ line: Span<UInt8>, _ cursor: inout FieldCursor) throws(Unreadable) -> FirstLine {
        let sequence = try cursor.unsigned(in: line)
        try cursor.skip(" ", in: line)
        let at = try cursor.instant(in: line)
        try cursor.skip(Word.log, in: line)
        try cursor.skip(Field.format, in: line)
        let format = try cursor.unsigned(in: line)
        guard format <= LogFormat.number else { return .newer(format) }
        guard format >= LogFormat.oldest else { throw Unreadable() }
        let clock: LogClock
        if cursor.take(Field.clockManual, in: line) {
            clock = .manual
        } else {
            try cursor.skip(Field.clockSystem, in: line)
            clock = .system
        }
        let isCompacted = cursor.take(Field.compactedYes, in: line)
        if !isCompacted { try cursor.skip(Field.compactedNo, in: line) }
        guard cursor.at == line.count else { throw Unreadable() }
        return .header(
            LogHeader(format: format, sequence: sequence, at: at, clock: clock, isCompacted: isCompacted))
    }
}

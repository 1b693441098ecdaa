// Lines to records: takes exactly what `RecordEncoder` writes, so encoding the record gives the line again.

import LeaseModel

/// A record as it stands in the file.
struct MarkedRecord {
    var record: Record
    var mark: BatchMark?
}

enum RecordDecoder {
    /// The bytes of a line before its first field: eight hex digits and a space.
    static let checksumBytes = 9

    /// The checksum that the line carries, or nil if it doesn't begin with one.
    static func checksumWritten(in line: Span<UInt8>) -> UInt32? {
        guard line.count > checksumBytes, line[8] == UInt8(ascii: " ") else { return nil }
        var crc: UInt32 = 0
        for index in 0..<8 {
            let byte = line[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): crc = crc << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): crc = crc << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return crc
    }

    /// Whether the line begins as every record does: a checksum, a space, a digit.
    static func hasOutwardForm(_ line: Span<UInt8>) -> Bool {
        guard checksumWritten(in: line) != nil else { return false }
        return line[checksumBytes] &- UInt8(ascii: "0") < 10
    }

    /// The checksum that a line with room for one should carry.
    static func checksumMade(of line: Span<UInt8>) -> UInt32 {
        Checksum.of(line.extracting(droppingFirst: checksumBytes))
    }

    static func checksumMatches(_ line: Span<UInt8>) -> Bool {
        guard let written = checksumWritten(in: line) else { return false }
        return written == checksumMade(of: line)
    }

    /// Reads a line without its LF, whose checksum is right.
    static func record(_ line: Span<UInt8>, _ cursor: inout FieldCursor) throws(Unreadable) -> MarkedRecord {
        let sequence = try cursor.unsigned(in: line)
        try cursor.skip(" ", in: line)
        let at = try cursor.instant(in: line)
        let change = try change(line, &cursor)
        let mark = try mark(line, &cursor)
        guard cursor.at == line.count else { throw Unreadable() }
        return MarkedRecord(record: Record(sequence: sequence, at: at, change: change), mark: mark)
    }

    private static func mark(_ line: Span<UInt8>, _ cursor: inout FieldCursor) throws(Unreadable)
        -> BatchMark?
    {
        guard cursor.take(Field.synced, in: line) else { return nil }
        let synced = try cursor.unsigned(in: line)
        try cursor.skip(Field.wall, in: line)
        return BatchMark(synced: synced, wallMilliseconds: try cursor.signed(in: line))
    }

    /// The frequent words come first.
    private static func change(_ line: Span<UInt8>, _ cursor: inout FieldCursor) throws(Unreadable) -> Change
    {
        if cursor.take(Word.granted, in: line) { return .granted(try grant(line, &cursor)) }
        if cursor.take(Word.held, in: line) { return .held(try heldLease(line, &cursor)) }
        if cursor.take(Word.renewed, in: line) { return .renewed(try renewal(line, &cursor)) }
        if let reason = endReason(line, &cursor) { return .ended(try ending(reason, line, &cursor)) }
        if cursor.take(Word.remembered, in: line) { return .remembered(try endedLease(line, &cursor)) }
        if let change = try resultChange(line, &cursor) { return change }
        if cursor.take(Word.resting, in: line) { return .resting(try rest(line, &cursor)) }
        if cursor.take(Word.bound, in: line) { return .bound(try cursor.token(Field.token, in: line)) }
        if cursor.take(Word.resumed, in: line) {
            let grace = try cursor.duration(Field.grace, in: line)
            return .resumed(grace: grace, afterRestart: cursor.take(Field.restart, in: line))
        }
        if cursor.take(Word.advanced, in: line) { return .advanced }
        if cursor.take(Word.started, in: line) { return .started(try start(line, &cursor)) }
        if cursor.take(Word.stopped, in: line) { return .stopped }
        if cursor.take(Word.compacted, in: line) {
            try cursor.skip(Field.lines, in: line)
            return .compacted(lines: try cursor.unsigned(in: line))
        }
        throw Unreadable()
    }

    private static func resultChange(
        _ line: Span<UInt8>, _ cursor: inout FieldCursor
    ) throws(Unreadable) -> Change? {
        if cursor.take(Word.kept, in: line) { return .kept(try keptResult(line, &cursor)) }
        if cursor.take(Word.forgotten, in: line) { return .forgotten(try forgetting(line, &cursor)) }
        guard cursor.take(Word.result, in: line) else { return nil }
        let kept = try keptResult(line, &cursor)
        try cursor.skip(Field.at, in: line)
        return .result(StandingResult(kept: kept, at: try cursor.instant(in: line)))
    }

    private static func keptResult(
        _ line: Span<UInt8>, _ cursor: inout FieldCursor
    ) throws(Unreadable) -> KeptResult {
        let token = try cursor.token(Field.token, in: line)
        let keys = try cursor.keys(in: line)
        let owner = try cursor.owner(in: line)
        try cursor.skip(Field.uid, in: line)
        let uid = try cursor.uid(in: line)
        try cursor.skip(Field.pid, in: line)
        let pid = try cursor.pid(in: line)
        let keep = try cursor.duration(Field.keep, in: line)
        let value = try cursor.text(Field.result, bytesMax: Limits.resultBytesMax, in: line)
        return KeptResult(
            token: token, keys: keys, owner: owner, uid: uid, pid: pid, keep: keep, value: value)
    }

    private static func forgetting(
        _ line: Span<UInt8>, _ cursor: inout FieldCursor
    ) throws(Unreadable) -> Forgetting {
        let token = try cursor.token(Field.token, in: line)
        let key = try cursor.keyIfThere(in: line)
        try cursor.skip(Field.why, in: line)
        for reason in ForgetReason.allCases where cursor.take(reason.word, in: line) {
            return Forgetting(token: token, key: key, reason: reason)
        }
        throw Unreadable()
    }

    private static func endReason(_ line: Span<UInt8>, _ cursor: inout FieldCursor) -> EndReason? {
        for reason in EndReason.allCases where cursor.take(Word.of(reason), in: line) {
            return reason
        }
        return nil
    }

    private static func grant(_ line: Span<UInt8>, _ cursor: inout FieldCursor) throws(Unreadable) -> Grant {
        let token = try cursor.token(Field.token, in: line)
        let keys = try cursor.keys(in: line)
        let owner = try cursor.owner(in: line)
        try cursor.skip(Field.uid, in: line)
        let uid = try cursor.uid(in: line)
        try cursor.skip(Field.pid, in: line)
        let pid = try cursor.pid(in: line)
        let ttl = try cursor.duration(Field.ttl, in: line)
        let maxHold = try cursor.durationIfThere(Field.maxHold, in: line)
        let isShared = cursor.take(Field.shared, in: line)
        let isEphemeral = cursor.take(Field.ephemeral, in: line)
        let process = try cursor.processIfThere(in: line)
        let request = try cursor.textIfThere(Field.request, in: line)
        let note = try cursor.textIfThere(Field.note, in: line)
        return Grant(
            token: token, keys: keys, owner: owner, uid: uid, pid: pid, ttl: ttl, maxHold: maxHold,
            isShared: isShared, isEphemeral: isEphemeral, process: process, request: request, note: note)
    }

    private static func renewal(_ line: Span<UInt8>, _ cursor: inout FieldCursor) throws(Unreadable)
        -> Renewal
    {
        let token = try cursor.token(Field.token, in: line)
        let ttl = try cursor.duration(Field.ttl, in: line)
        let bindsConnection = cursor.take(Field.ephemeral, in: line)
        let process = try cursor.processIfThere(in: line)
        return Renewal(token: token, ttl: ttl, bindsConnection: bindsConnection, process: process)
    }

    private static func ending(
        _ reason: EndReason, _ line: Span<UInt8>, _ cursor: inout FieldCursor
    ) throws(Unreadable) -> Ending {
        let token = try cursor.token(Field.token, in: line)
        let isTakenBack = cursor.take(Field.takenBack, in: line)
        let note = try cursor.textIfThere(Field.note, in: line)
        return Ending(
            token: token, reason: reason, isTakenBack: isTakenBack, note: note,
            rests: try rests(line, &cursor))
    }

    /// One for each key, and not all of them zero: then the field is not there.
    private static func rests(_ line: Span<UInt8>, _ cursor: inout FieldCursor) throws(Unreadable)
        -> [Duration]
    {
        guard let first = try cursor.durationIfThere(Field.rest, in: line) else { return [] }
        var rests = [first]
        while let next = try cursor.durationIfThere(",", in: line) {
            rests.append(next)
        }
        guard rests.count <= Limits.keysPerRequestMax, rests.contains(where: { $0 > .zero }) else {
            throw Unreadable()
        }
        return rests
    }

    private static func rest(_ line: Span<UInt8>, _ cursor: inout FieldCursor) throws(Unreadable) -> Rest {
        let token = try cursor.token(Field.token, in: line)
        let keys = try cursor.keys(in: line)
        guard keys.others.isEmpty else { throw Unreadable() }
        try cursor.skip(Field.uid, in: line)
        let uid = try cursor.uid(in: line)
        try cursor.skip(Field.until, in: line)
        return Rest(token: token, key: keys.first, uid: uid, until: try cursor.instant(in: line))
    }

    private static func start(_ line: Span<UInt8>, _ cursor: inout FieldCursor) throws(Unreadable) -> Start {
        let boot = try cursor.text(Field.boot, in: line)
        try cursor.skip(Field.shift, in: line)
        let shift = try cursor.signed(in: line)
        try cursor.skip(Field.nanoseconds, in: line)
        try cursor.skip(Field.lastToken, in: line)
        return Start(boot: boot, shift: shift, lastToken: try cursor.unsigned(in: line))
    }

    private static func heldLease(
        _ line: Span<UInt8>, _ cursor: inout FieldCursor
    ) throws(Unreadable) -> HeldLease {
        let grant = try grant(line, &cursor)
        try cursor.skip(Field.since, in: line)
        let grantedAt = try cursor.instant(in: line)
        try cursor.skip(Field.ownUntil, in: line)
        let ownDeadline = try cursor.instant(in: line)
        try cursor.skip(Field.until, in: line)
        let deadline = try cursor.instant(in: line)
        let isOrphaned = cursor.take(Field.orphaned, in: line)
        let orphanedAt = isOrphaned ? try cursor.instant(in: line) : nil
        return HeldLease(
            grant: grant, grantedAt: grantedAt, ownDeadline: ownDeadline, deadline: deadline,
            orphanedAt: orphanedAt)
    }

    private static func endedLease(
        _ line: Span<UInt8>, _ cursor: inout FieldCursor
    ) throws(Unreadable) -> EndedLease {
        let token = try cursor.token(Field.token, in: line)
        let reason = try why(line, &cursor)
        try cursor.skip(Field.at, in: line)
        let endedAt = try cursor.instant(in: line)
        let keys = try cursor.keys(in: line)
        try cursor.skip(Field.uid, in: line)
        let uid = try cursor.uid(in: line)
        let isShared = cursor.take(Field.shared, in: line)
        let request = try cursor.textIfThere(Field.request, in: line)
        let newestThen = try cursor.token(Field.newest, in: line)
        return EndedLease(
            token: token, reason: reason, endedAt: endedAt, keys: keys, isShared: isShared, uid: uid,
            request: request, newestThen: newestThen)
    }

    private static func why(_ line: Span<UInt8>, _ cursor: inout FieldCursor) throws(Unreadable) -> EndReason
    {
        try cursor.skip(Field.why, in: line)
        for reason in EndReason.allCases where cursor.take(reason.word, in: line) {
            return reason
        }
        throw Unreadable()
    }
}

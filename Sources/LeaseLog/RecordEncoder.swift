// Records to lines. What is written here is what `RecordDecoder` takes, to the byte.

package import LeaseModel

/// What the first record of each batch carries, at its end.
package struct BatchMark: Equatable, Sendable {
    /// Everything up to this number was known to be on the disk when the batch was written.
    package var synced: Sequence64
    /// The wall clock when the batch was written, in milliseconds since 1970: over a reboot, nothing else
    /// tells how much time has passed.
    package var wallMilliseconds: Int64

    package init(synced: Sequence64, wallMilliseconds: Int64) {
        self.synced = synced
        self.wallMilliseconds = wallMilliseconds
    }
}

/// Writes records as lines. Durations must not be negative, which `Duration` promises.
package enum RecordEncoder {
    /// Appends one line, with its LF. `mark` goes with the first record of a batch, and with no other.
    package static func append(_ record: Record, mark: BatchMark?, to bytes: inout [UInt8]) {
        var beginning = LineBeginning()
        LineOutput.append(to: &bytes) { line in
            write(record, mark: mark, like: &beginning, to: &line)
        }
    }

    /// The same for one of many. `beginning` is what the one before has left there.
    package static func append(
        _ record: borrowing Record, mark: BatchMark?, like beginning: inout LineBeginning,
        to bytes: inout LogBytes
    ) {
        var line = bytes.line()
        write(record, mark: mark, like: &beginning, to: &line)
        bytes.take(line)
    }

    /// The same of changes whose events say all: the lines are those that their records would give. `mark`
    /// goes with the first.
    package static func append(
        _ changes: ToldChanges, mark: BatchMark?, like beginning: inout LineBeginning,
        to bytes: inout LogBytes
    ) {
        guard let first = changes.entries.baseAddress else { return }
        var entry = first
        while entry < first + changes.entries.count {
            var line = bytes.line()
            write(entry, changes.names(of: entry), like: &beginning, to: &line)
            if entry == first, let mark { line.apart { write(mark, to: &$0) } }
            end(&line)
            bytes.take(line)
            entry += 1
        }
    }

    @inline(__always)
    private static func write(
        _ entry: UnsafePointer<EventEntry>, _ names: EventNames, like beginning: inout LineBeginning,
        to line: inout LineOutput
    ) {
        line.begin(entry.pointee.sequence, entry.pointee.at, like: &beginning)
        switch entry.pointee.what {
        case .granted(let ttl, _):
            var names = names
            line.write(Word.grantedToken)
            line.write(entry.pointee.token)
            line.write(Field.key)
            line.write(names.next())
            line.write(Field.owner)
            line.write(names.next())
            line.write(entry.pointee.uid, entry.pointee.pid, ttl, like: &beginning.grantEnd)
            if entry.pointee.isShared { line.write(Field.shared) }
        case .renewed(let ttl, _, _):
            let renewal = Renewal(token: entry.pointee.token, ttl: ttl)
            line.apart { write(renewal, to: &$0) }
        case .ended(let reason, _):
            if reason == .released {
                line.write(Word.releasedToken)
            } else {
                line.apart { write(reason, to: &$0) }
            }
            line.write(entry.pointee.token)
        case .kept, .forgotten, .queued, .left: preconditionFailure("their events don't say all")
        }
    }

    private static func write(
        _ record: borrowing Record, mark: BatchMark?, like beginning: inout LineBeginning,
        to line: inout LineOutput
    ) {
        line.begin(record.sequence, record.at, like: &beginning)
        write(record.change, to: &line)
        if let mark { write(mark, to: &line) }
        end(&line)
    }

    private static func write(_ mark: BatchMark, to line: inout LineOutput) {
        line.write(Field.synced)
        line.write(mark.synced)
        line.write(Field.wall)
        line.write(mark.wallMilliseconds)
    }

    /// Appends the first line of a file.
    package static func append(_ header: LogHeader, to bytes: inout [UInt8]) {
        LineOutput.append(to: &bytes) { write(header, to: &$0) }
    }

    package static func append(_ header: LogHeader, to bytes: inout LogBytes) {
        var line = bytes.line()
        write(header, to: &line)
        bytes.take(line)
    }

    private static func write(_ header: LogHeader, to line: inout LineOutput) {
        var beginning = LineBeginning()
        line.begin(header.sequence, header.at, like: &beginning)
        line.write(Word.log)
        line.write(Field.format)
        line.write(header.format)
        line.write(header.clock == .system ? Field.clockSystem : Field.clockManual)
        line.write(header.isCompacted ? Field.compactedYes : Field.compactedNo)
        end(&line)
    }

    @inline(__always)
    private static func end(_ line: inout LineOutput) {
        let crc = Checksum.of(line.written(from: 9))
        line.writeHex(crc, at: 0)
        line.append(UInt8(ascii: "\n"))
    }

    private static func write(_ change: Change, to line: inout LineOutput) {
        switch change {
        case .granted(let grant):
            line.write(Word.granted)
            write(grant, to: &line)
        case .renewed(let renewal):
            write(renewal, to: &line)
        case .ended(let ending):
            write(ending, to: &line)
        case .bound(let token):
            line.write(Word.bound)
            line.write(Field.token)
            line.write(token)
        case .resumed(let grace, let afterRestart):
            line.write(Word.resumed)
            line.write(Field.grace)
            line.write(grace)
            if afterRestart { line.write(Field.restart) }
        case .advanced:
            line.write(Word.advanced)
        case .started(let start):
            write(start, to: &line)
        case .stopped:
            line.write(Word.stopped)
        case .compacted(let lines):
            line.write(Word.compacted)
            line.write(Field.lines)
            line.write(lines)
        case .kept(let result):
            line.write(Word.kept)
            write(result, to: &line)
        case .forgotten(let forgetting):
            write(forgetting, to: &line)
        case .result(let standing):
            line.write(Word.result)
            write(standing.kept, to: &line)
            line.write(Field.at)
            line.write(standing.at)
        case .held(let lease):
            write(lease, to: &line)
        case .remembered(let lease):
            write(lease, to: &line)
        case .resting(let rest):
            write(rest, to: &line)
        }
    }

    private static func write(_ grant: Grant, to line: inout LineOutput) {
        write(grant.token, grant.keys, grant.owner, grant.uid, grant.pid, to: &line)
        line.write(Field.ttl)
        line.write(grant.ttl)
        if let longest = grant.maxHold {
            line.write(Field.maxHold)
            line.write(longest)
        }
        if grant.isShared { line.write(Field.shared) }
        if grant.isEphemeral { line.write(Field.ephemeral) }
        write(grant.process, to: &line)
        write(Field.request, grant.request, to: &line)
        write(Field.note, grant.note, to: &line)
    }

    /// Which lease, and whose.
    private static func write(
        _ token: Token, _ keys: Keys, _ owner: Text, _ uid: UInt32, _ pid: Int32, to line: inout LineOutput
    ) {
        line.write(Field.token)
        line.write(token)
        line.write(Field.key)
        line.write(keys)
        line.write(Field.owner)
        line.write(owner.bytes)
        line.write(uid, pid)
    }

    private static func write(_ renewal: Renewal, to line: inout LineOutput) {
        line.write(Word.renewed)
        line.write(Field.token)
        line.write(renewal.token)
        line.write(Field.ttl)
        line.write(renewal.ttl)
        if renewal.bindsConnection { line.write(Field.ephemeral) }
        write(renewal.process, to: &line)
    }

    @inline(never)
    private static func write(_ reason: EndReason, to line: inout LineOutput) {
        line.write(Word.of(reason))
        line.write(Field.token)
    }

    private static func write(_ ending: Ending, to line: inout LineOutput) {
        write(ending.reason, to: &line)
        line.write(ending.token)
        if ending.isTakenBack { line.write(Field.takenBack) }
        write(Field.note, ending.note, to: &line)
        for (index, rest) in ending.rests.enumerated() {
            line.write(index == 0 ? Field.rest : ",")
            line.write(rest)
        }
    }

    private static func write(_ start: Start, to line: inout LineOutput) {
        line.write(Word.started)
        line.write(Field.boot)
        line.write(start.boot.bytes)
        line.write(Field.shift)
        line.write(start.shift)
        line.write(Field.nanoseconds)
        line.write(Field.lastToken)
        line.write(start.lastToken)
    }

    private static func write(_ result: KeptResult, to line: inout LineOutput) {
        write(result.token, result.keys, result.owner, result.uid, result.pid, to: &line)
        line.write(Field.keep)
        line.write(result.keep)
        line.write(Field.result)
        line.write(result.value.bytes)
    }

    private static func write(_ forgetting: Forgetting, to line: inout LineOutput) {
        line.write(Word.forgotten)
        line.write(Field.token)
        line.write(forgetting.token)
        if let key = forgetting.key {
            line.write(Field.key)
            line.write(key.bytes)
        }
        line.write(Field.why)
        line.write(forgetting.reason.word)
    }

    private static func write(_ lease: HeldLease, to line: inout LineOutput) {
        line.write(Word.held)
        write(lease.grant, to: &line)
        line.write(Field.since)
        line.write(lease.grantedAt)
        line.write(Field.ownUntil)
        line.write(lease.ownDeadline)
        line.write(Field.until)
        line.write(lease.deadline)
        if let orphanedAt = lease.orphanedAt {
            line.write(Field.orphaned)
            line.write(orphanedAt)
        }
    }

    private static func write(_ lease: EndedLease, to line: inout LineOutput) {
        line.write(Word.remembered)
        line.write(Field.token)
        line.write(lease.token)
        line.write(Field.why)
        line.write(lease.reason.word)
        line.write(Field.at)
        line.write(lease.endedAt)
        line.write(Field.key)
        line.write(lease.keys)
        line.write(Field.uid)
        line.write(UInt64(lease.uid))
        if lease.isShared { line.write(Field.shared) }
        write(Field.request, lease.request, to: &line)
        line.write(Field.newest)
        line.write(lease.newestThen)
    }

    private static func write(_ rest: Rest, to line: inout LineOutput) {
        line.write(Word.resting)
        line.write(Field.token)
        line.write(rest.token)
        line.write(Field.key)
        line.write(rest.key.bytes)
        line.write(Field.uid)
        line.write(UInt64(rest.uid))
        line.write(Field.until)
        line.write(rest.until)
    }

    private static func write(_ process: ProcessIdentity?, to line: inout LineOutput) {
        guard let process else { return }
        line.write(Field.process)
        line.write(process)
    }

    private static func write(_ name: StaticString, _ text: Text?, to line: inout LineOutput) {
        guard let text else { return }
        line.write(name)
        line.write(text.bytes)
    }
}

// From the bytes of a log to a server that goes on where the last one stopped.

internal import LeaseCore
internal import LeaseLog
package import LeaseModel

/// What the end of the log was like.
package enum LogVerdict: Equatable, Sendable {
    /// There is no log yet.
    case fresh
    case good
    /// A crash cut the end off: everything from `size` on is to be kept aside and cut, durably, before
    /// `begin`.
    case torn(size: Int64, droppedBytes: Int64, lastSequence: Sequence64)
    /// Nothing may be changed: the file is not what a crash leaves behind.
    case damaged(line: Int, offset: Int64, what: String)
    case newerFormat(UInt64)
    /// The directory belongs to the other clock.
    case otherClock(isManual: Bool)
}

/// What the ring has that the log has not.
package enum RingVerdict: Equatable, Sendable {
    case nothing
    /// It is of another log, or of a later state of this one, and says nothing of it.
    case ofAnotherLog
    /// These bytes belong behind the log's end, and are to be there, synced, before `begin`.
    case behind([UInt8])
    /// Nothing may be begun: what was acknowledged is lost.
    case damaged(String)
}

/// When and where the daemon starts.
package struct Moment: Sendable {
    package var boot: Text
    package var now: Instant
    package var wallMilliseconds: Int64

    package init(boot: Text, now: Instant, wallMilliseconds: Int64) {
        self.boot = boot
        self.now = now
        self.wallMilliseconds = wallMilliseconds
    }
}

extension Server {
    /// Bytes of the log, in order.
    package mutating func recover(_ chunk: Span<UInt8>) {
        // Out of `self` while it is fed, since what it reads goes into `self`.
        var reader = LogReader()
        swap(&reader, &self.reader)
        reader.feed(chunk, each: { _, _ in }) { records throws(ImpossibleRecord) in
            try machine.recover(records, into: &effects.recent)
        }
        swap(&reader, &self.reader)
        log.size += chunk.count
    }

    /// The log ends here.
    package mutating func endRecovery(at moment: Moment) -> LogVerdict {
        let isOtherBoot = isRebooted(moment)
        let end = reader.finish(currentBoot: isOtherBoot ? nil : moment.boot)
        if let header = reader.header, header.clock != clockName {
            return .otherClock(isManual: header.clock == .manual)
        }
        switch end {
        case .empty: return .fresh
        case .clean: return .good
        case .torn(let size, _, let dropped, let sequence):
            log.size = Int(size)
            return .torn(size: size, droppedBytes: dropped, lastSequence: sequence)
        case .damaged(let line, let offset, let what):
            return .damaged(line: line, offset: offset, what: what)
        case .newerFormat(let number): return .newerFormat(number)
        }
    }

    /// The ring beside a log that `endRecovery` has found good, or torn: what a power cut took from the log's
    /// end is recovered from it.
    /// - Parameter isTorn: what `endRecovery` found.
    package mutating func recover(ring: Span<UInt8>, isTorn: Bool) -> RingVerdict {
        guard let position = reader.position, !position.isStopped else { return .nothing }
        let contents = RingContents(ring)
        // A log that was put in this place, an older copy for instance: the ring says nothing of it. But
        // where the log is torn it proves that what its first frame goes on behind was on the disk once.
        let isAhead = !contents.records.isEmpty && contents.first > position.lastSequence &+ 1
        // And so does a ring that has what is the log's last record there otherwise.
        let isOfAnother = contents.hasAnother(
            position.lastSequence, checksum: reader.lastChecksum, in: ring)
        if !isTorn, isAhead || isOfAnother { return .ofAnotherLog }
        guard !isOfAnother else { return .damaged("it is of another log, and the end of this one is torn") }
        guard contents.synced <= max(position.lastSequence, contents.last) else {
            return .damaged("changes up to \(contents.synced) were on the disk, as it says itself")
        }
        let records = contents.records(behind: position.lastSequence, in: ring)
        if records.isEmpty { return .nothing }
        reader.goOn(at: Int64(log.size))
        recover(records.span)
        switch reader.finish(currentBoot: nil) {
        case .clean: return .behind(records)
        case .damaged(_, _, let what): return .damaged("its records don't go on where the log ends: \(what)")
        case .empty, .torn, .newerFormat: return .damaged("its records don't go on where the log ends")
        }
    }

    /// Another boot; so is the same one where its clock is behind the log's last instant.
    private func isRebooted(_ moment: Moment) -> Bool {
        guard let position = reader.position, let boot = position.boot else { return false }
        if boot != moment.boot { return true }
        return !options.hasManualClock && moment.now < position.lastTime
    }

    /// Whether the log has records, so that there must be a file of reserved numbers beside it.
    package var hasRecords: Bool { reader.position?.boot != nil }

    /// Everything in the log before this byte is known to be on the disk, since a later record says so.
    package var bytesSynced: Int64 { reader.bytesSynced }

    /// Begins to serve: the first changes are in the batch, which has to be logged and synced before anybody
    /// is served. All that was read of the log must be on the disk by now.
    /// - Parameter reserved: the numbers that the file of reserved numbers names; nil: there is none.
    package mutating func begin(at moment: Moment, reserved: Numbers?) {
        wallMilliseconds = moment.wallMilliseconds
        passBeganAt = moment.now
        boot = moment.boot
        numbers = reserved ?? Numbers(token: 0, sequence: 0)
        let position = reader.position
        // After a clean stop both say the same. After an unclean one the end of the log may be lost, with
        // numbers that were given to somebody; and the log may have been taken away, or an old one put back.
        let lastToken = max(machine.lastToken, numbers.token)
        let lastSequence = max(machine.sequence, numbers.sequence)
        let rebooted = isRebooted(moment)
        let now = options.hasManualClock ? machine.lastInstant : moment.now
        machine.finishRecovery(lastSequence: lastSequence)
        counting.startedAt = now
        counting.startedMilliseconds = moment.wallMilliseconds
        // A compacted log begins with what there was: how that came about is not known.
        effects.recent.raiseFloor(to: reader.header?.sequence ?? lastSequence)
        log.synced = max(log.synced, position?.lastSequence ?? 0)
        log.acknowledged = log.synced
        if position == nil, options.hasLog {
            appendHeader(sequence: lastSequence, at: now)
        }
        let shift = rebooted ? shift(to: moment) : 0
        effects.recent.shift(by: shift)
        let start = Start(boot: moment.boot, shift: shift, lastToken: lastToken)
        machine.begin(start, rebooted: rebooted, grace: options.grace, at: now, into: &effects)
        settle()
        _ = machine.advance(to: now, budget: .max, into: &effects)
        settle()
        reader = LogReader()
    }

    private mutating func appendHeader(sequence: Sequence64, at now: Instant) {
        let header = LogHeader(sequence: sequence, at: now, clock: clockName, isCompacted: false)
        RecordEncoder.append(header, to: &log.batch)
        log.hasHeaderInBatch = true
    }

    /// By how much the instants of the boot before are moved, so that leases go on by the wall clock. A
    /// downtime that would be negative, because the clock was set back, counts as none.
    private func shift(to moment: Moment) -> Int64 {
        guard !options.hasManualClock, let position = reader.position else { return 0 }
        var downtime: Int64 = 0
        if let wall = position.wallMilliseconds {
            let (since, overflow) = moment.wallMilliseconds.subtractingReportingOverflow(wall)
            downtime = overflow ? 0 : max(0, since)
        }
        let target = moment.now - .milliseconds(downtime)
        let (shift, overflow) = target.nanoseconds.subtractingReportingOverflow(position.lastTime.nanoseconds)
        return overflow ? 0 : shift
    }
}

// Writing the log anew, a slice with each pass, while the service goes on.

internal import LeaseCore
internal import LeaseLog
package import LeaseModel

/// How far a compaction is. The new file gets the lines of the picture and every batch that is written
/// meanwhile, so that it is complete when the picture is.
struct Compaction: ~Copyable {
    enum Phase {
        case none
        /// Lines are drawn, a slice with each pass. Goes on to `syncing`.
        case drawing
        /// The picture is on its way to the disk, so that little is left to sync at the end. Goes on to
        /// `installing`.
        case syncing
        /// `compacted` is written, and the file is put in the log's place.
        case installing
    }

    var phase = Phase.none
    /// Bytes for the new file.
    var batch = LogBytes()
    /// Bytes for it that can't come yet, since what is remembered stands before them.
    var heldBack = LogBytes()
    /// How the last line began: those of a slice begin alike.
    var beginning = LineBeginning()
    /// How much of the log's batch the new file has, or has in its picture.
    var copied = 0
    /// Number and instant of the last change before the picture: the lines of what is remembered repeat them.
    var firstSequence: Sequence64 = 0
    var firstInstant = Instant.zero
    /// Number and instant of the last change in the new file, which the other lines of the picture repeat.
    var lastSequence: Sequence64 = 0
    var lastInstant = Instant.zero
    /// The closing `compacted` is among the bytes handed over.
    var isClosed = false
    /// The sync or the installing that ends this phase was asked for.
    var isAsked = false
    /// Lines of the picture that are to be written next.
    var lines: [Change] = []
    var remembered: [Change] = []
    /// How many lines of the picture were written.
    var lineCount: UInt64 = 0
    var size = 0
    var sizeBefore = 0

    /// What was held back goes to the new file.
    mutating func letGo() {
        if batch.isEmpty {
            swap(&batch, &heldBack)
        } else {
            batch.append(heldBack)
            heldBack.removeAll()
        }
    }
}

extension Server {
    package var isCompacting: Bool { compaction.phase != .none }

    /// The log's file is lost: everything that is known is written anew.
    package mutating func rewriteLog() {
        abandonCompaction()
        beginCompaction()
    }

    mutating func compactIfGrown() {
        guard options.hasLog, compaction.phase == .none, !isStopping else { return }
        if log.size > max(options.compactionBytesMin, 4 * aliveBytes, log.sizeToGrowTo) { beginCompaction() }
    }

    /// On a disk that is nearly full a log is compacted sooner: while there is room for it.
    mutating func compactIfTight() {
        guard space.isTight, compaction.phase == .none, !isStopping else { return }
        let alive = max(aliveBytes, log.sizeToGrowTo / 4)
        if log.size > alive + alive / 2 + (64 << 10), log.size > log.sizeToCompactAgain { beginCompaction() }
    }

    mutating func beginCompaction() {
        guard compaction.phase == .none else { return }
        compaction = Compaction()
        compaction.phase = .drawing
        compaction.sizeBefore = log.size + log.batch.count
        // The picture begins behind this pass's changes: they must not come again after it.
        compaction.copied = log.batch.count
        compaction.batch.append(beginningOfCompacted(boot: boot, wallMilliseconds: wallNow))
        machine.beginSnapshot()
        (compaction.firstSequence, compaction.firstInstant) = (machine.sequence, machine.lastInstant)
        (compaction.lastSequence, compaction.lastInstant) = (machine.sequence, machine.lastInstant)
        directives.append(.beginCompaction)
    }

    /// A compacted log begins as every log: with a start, whose number is that of the last change in the
    /// picture.
    func beginningOfCompacted(boot: Text, wallMilliseconds: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        let header = LogHeader(
            sequence: machine.sequence, at: machine.lastInstant, clock: clockName, isCompacted: true)
        RecordEncoder.append(header, to: &bytes)
        let start = Start(boot: boot, shift: 0, lastToken: machine.lastToken)
        RecordEncoder.append(
            Record(sequence: machine.sequence, at: machine.lastInstant, change: .started(start)),
            mark: BatchMark(synced: machine.sequence, wallMilliseconds: wallMilliseconds), to: &bytes)
        return bytes
    }

    /// Draws a slice, and hands the new file what the log gets.
    mutating func continueCompaction(leases: Int) {
        compactIfGrown()
        guard compaction.phase != .none else { return }
        var isDrawn = false
        if compaction.phase == .installing { compaction.isClosed = true }
        if compaction.phase == .drawing {
            isDrawn = machine.drawSnapshot(count: leases)
        }
        copyToCompaction()
        if isDrawn {
            compaction.phase = .syncing
        }
        askWhenWritten()
    }

    /// The picture's lines stand before the changes of the pass: each shows a lease as it was before them.
    mutating func copyToCompaction() {
        machine.takeSnapshotLines(into: &compaction.lines, remembered: &compaction.remembered)
        compaction.lineCount += UInt64(compaction.lines.count + compaction.remembered.count)
        for line in compaction.remembered {
            let record = Record(
                sequence: compaction.firstSequence, at: compaction.firstInstant, change: line)
            RecordEncoder.append(record, mark: nil, like: &compaction.beginning, to: &compaction.batch)
        }
        for line in compaction.lines {
            let record = Record(
                sequence: compaction.lastSequence, at: compaction.lastInstant, change: line)
            RecordEncoder.append(record, mark: nil, like: &compaction.beginning, to: &compaction.heldBack)
        }
        compaction.heldBack.append(log.batch, from: compaction.copied)
        if !machine.isDrawingRemembered { compaction.letGo() }
        compaction.copied = log.batch.count
        compaction.lastSequence = machine.sequence
        compaction.lastInstant = machine.lastInstant
    }

    /// Bytes to be written to the new file now.
    package var hasCompactionBatch: Bool { !compaction.batch.isEmpty }

    package func withCompactionBatch<Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        try compaction.batch.withSpan(body)
    }

    /// What was written to the old log alone, since the new file had no room for it. Once that is the log it
    /// goes there first: a sync of it acknowledges what was written to either.
    package var whatTheNewLogLacks: [UInt8] {
        compaction.batch.copied(upTo: bytesTheNewLogLacks)
    }

    private var bytesTheNewLogLacks: Int { compaction.batch.count - compaction.copied }

    package mutating func compactionBatchWritten() {
        compaction.size += compaction.batch.count
        compaction.batch.removeAll()
        noteCaughtUp()
        askWhenWritten()
    }

    /// Asks for the next step once the file has every byte of this one.
    private mutating func askWhenWritten() {
        guard !compaction.isAsked, compaction.batch.isEmpty else { return }
        if compaction.phase == .syncing {
            compaction.isAsked = true
            // What may still come before the file is in its place is no more than what the log has room for.
            let coming = max(0, space.reservedBytes - log.size)
            let owed = max(coming, machine.owedBytes) + 2 * RecordSize.ownRecords
            directives.append(.syncCompaction(size: compaction.size + owed))
        } else if compaction.phase == .installing, compaction.isClosed {
            compaction.isAsked = true
            directives.append(.installCompaction)
        }
    }

    /// The picture is on the disk: one record closes it, and the file can take the log's place.
    package mutating func compactionSynced() {
        guard compaction.phase == .syncing else { return }
        compaction.phase = .installing
        compaction.isAsked = false
        machine.noteCompaction(lines: compaction.lineCount, into: &effects)
        settle()
    }

    /// The new file is the log.
    package mutating func compactionInstalled() {
        let before = compaction.sizeBefore
        log.size = compaction.size + bytesTheNewLogLacks
        log.sizeToGrowTo = 4 * log.size
        log.sizeToCompactAgain = 0
        space.reservedBytes = log.size
        counting.compactions += 1
        compaction = Compaction()
        noteCaughtUp()
        updateRoom()
        finishCompactionRequests(.compacted(bytesBefore: before, bytesAfter: log.size))
    }

    /// It could not be done; the log goes on as it is.
    package mutating func compactionFailed(_ refusal: Refusal) {
        guard compaction.phase != .none else { return }
        machine.abandonSnapshot()
        compaction = Compaction()
        // What the new file had no room for is of no use now: the log has it.
        noteCaughtUp()
        // Not again with every pass.
        log.sizeToCompactAgain = log.size + log.size / 8 + (16 << 10)
        log.sizeToGrowTo = max(log.sizeToGrowTo, log.sizeToCompactAgain)
        finishCompactionRequests(.refused(refusal))
    }

    /// Gives up a compaction that is not yet being installed.
    mutating func abandonCompaction() {
        guard compaction.phase == .drawing || compaction.phase == .syncing else { return }
        compactionFailed(.compactionStopped)
        directives.append(.dropCompaction)
    }

    private mutating func finishCompactionRequests(_ reply: Reply) {
        for other in takeOthers(where: { if case .compaction = $0 { true } else { false } }) {
            finish(other, with: reply)
        }
    }
}

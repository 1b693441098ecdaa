// The log's side of the server: batches, what of them is kept, and what is set aside ahead.

internal import LeaseCore
internal import LeaseLog
package import LeaseModel

/// How the log stands.
struct LogState: ~Copyable {
    private let inPlace = InPlace()

    /// Records of this pass, encoded.
    var batch = LogBytes()
    /// How the last record began.
    var beginning = LineBeginning()
    /// Nothing but the first line of a new file is in the batch yet.
    var hasHeaderInBatch = false
    /// Bytes of the file, with all batches that were handed over.
    var size = 0
    /// A multiple of what the last compaction left: what is alive is estimated, and that is known.
    var sizeToGrowTo = 0
    /// After a compaction that failed: not before the log has this size.
    var sizeToCompactAgain = 0
    /// Changes up to here count as logged: their replies may go.
    var acknowledged: Sequence64 = 0
    /// Changes up to here are on the disk.
    var synced: Sequence64 = 0
    /// The disk had no room for the batch, whatever was set aside for it.
    var isRefused = false
}

/// What is set aside in the file.
struct SpaceState {
    /// The file may grow to so many bytes without asking the disk.
    var reservedBytes = 0
    var isReserving = false
    /// The last try did not get what was needed: the disk is full.
    var isExhausted = false
    /// The last try got less than was wanted: the disk is nearly full.
    var isTight = false
    /// The disk was too full for the file of numbers.
    var areNumbersRefused = false
}

extension Server {
    mutating func appendToBatch(_ record: borrowing Record) {
        guard options.hasLog else { return }
        RecordEncoder.append(record, mark: takeMark(), like: &log.beginning, to: &log.batch)
    }

    /// The same of changes whose events say all that their records would.
    mutating func appendToBatch(_ changes: ToldChanges) {
        guard options.hasLog else { return }
        RecordEncoder.append(changes, mark: takeMark(), like: &log.beginning, to: &log.batch)
    }

    /// What the next record of the batch carries, if it is the first.
    private mutating func takeMark() -> BatchMark? {
        guard log.batch.isEmpty || log.hasHeaderInBatch else { return nil }
        log.hasHeaderInBatch = false
        return BatchMark(synced: log.synced, wallMilliseconds: wallNow)
    }

    /// The wall clock at the instant that was reached: what was read late in a pass is of later than its
    /// beginning, and over a reboot would seem to be longer ago than it is.
    var wallNow: Int64 {
        guard !options.hasManualClock else { return wallMilliseconds }
        return wallMilliseconds + max(0, passBeganAt.until(machine.clock).wholeMilliseconds)
    }

    /// Bytes to be written to the log now. Empty: nothing happened.
    package var batch: [UInt8] { log.batch.copied() }
    /// Bytes of the log, with those that are to be written now.
    var logBytes: Int { log.size + log.batch.count }
    package var hasBatch: Bool { !log.batch.isEmpty }

    /// Shows the batch where it stands: a copy of the array would make the next pass fill a new one.
    package func withBatch<Failure: Error>(_ body: (Span<UInt8>) throws(Failure) -> Void) throws(Failure) {
        try log.batch.withSpan(body)
    }

    package var lastSequence: Sequence64 { machine.sequence }

    /// The batch was handed over to the log file. (Whether it is kept is said by `acknowledge`.)
    package mutating func batchWritten() {
        // A compaction can begin in the middle of a pass, behind the end of which nothing else hands it the
        // rest.
        if compaction.phase != .none { copyToCompaction() }
        let wasRefused = log.isRefused
        log.isRefused = false
        log.size += log.batch.count
        log.batch.removeAll()
        compaction.copied = 0
        if wasRefused { updateRoom() }
    }

    /// The file takes no more, though room was set aside: the batch stays to be written, and until it is,
    /// nothing is granted or renewed.
    /// - Returns: whether that is new.
    package mutating func batchRefused() -> Bool {
        let isNew = !log.isRefused
        log.isRefused = true
        updateRoom()
        return isNew
    }

    /// Nothing is owed to a file any more but a batch that may wait: if none does, service goes on.
    mutating func noteCaughtUp() {
        guard log.isRefused, log.batch.isEmpty else { return }
        log.isRefused = false
        updateRoom()
    }

    /// Changes up to this number count as logged.
    package mutating func acknowledge(upTo sequence: Sequence64, synced: Bool) {
        log.acknowledged = max(log.acknowledged, sequence)
        if synced {
            log.synced = max(log.synced, sequence)
        }
        releaseGates()
    }

    /// Counts anew what may be used: after each batch the true sizes are known.
    mutating func updateRoom() {
        guard options.hasLog else { return }
        let owed = machine.owedBytes + RecordSize.ownRecords
        // On a full disk nothing more is granted or renewed, be it ever so small: what little is left is for
        // ends.
        let isFull = space.isExhausted || log.isRefused
        let left = isFull ? 0 : space.reservedBytes - log.size - log.batch.count - owed
        machine.room.logBytes = max(0, left)
        machine.room.tokens = numbers.token - min(numbers.token, machine.lastToken)
        let sequences = numbers.sequence - min(numbers.sequence, machine.sequence)
        let ends = machine.owedSequences + 64
        machine.room.sequences = sequences - min(sequences, ends)
    }

    /// Whether the next grant or renewal may not fit into what is set aside, while more may be had.
    var mustWaitForRoom: Bool {
        guard options.hasLog else { return false }
        if machine.room.tokens < 2 || machine.room.sequences < 4 { return !space.areNumbersRefused }
        return machine.room.logBytes < Server.requestBytesMax && !space.isExhausted && !log.isRefused
    }

    /// Whether one grant at least would fit.
    var hasRoomForAny: Bool {
        !options.hasLog
            || machine.room.logBytes >= Server.requestBytesMax && machine.room.tokens >= 2
                && machine.room.sequences >= 4
    }

    /// Whether room that is missing now may soon be had.
    var mayGetRoom: Bool { options.hasLog && !isOutOfSpace && !log.isRefused }

    /// More than the log of any one request but for those that it lets through.
    private static var requestBytesMax: Int { 16 << 10 }

    /// Numbers to be written down before the first batch is.
    package var numbersToBeginWith: Numbers {
        let ends = machine.owedSequences
        return Numbers(
            token: machine.lastToken + options.numbersAhead,
            sequence: machine.sequence + ends + 4 * options.numbersAhead)
    }

    mutating func wantSpaceAndNumbers() {
        guard options.hasLog else { return }
        updateRoom()
        // A change takes less than was set aside for it, so now there may be room for what had to wait.
        while !parked.isEmpty || !looksToComeBackTo.isEmpty, !mustWaitForRoom {
            unpark()
            updateRoom()
        }
        let isSpaceLow = machine.room.logBytes < options.spaceAhead / 2
        // What is set aside in the file that is to take the log's place was measured by the log's.
        let isBound = compaction.phase == .syncing || compaction.phase == .installing
        if isSpaceLow, !isBound, !space.isReserving, !space.isExhausted, !(space.isTight && !needsSpaceNow) {
            wantSpace()
        }
        let areTokensLow = machine.room.tokens < options.numbersAhead / 2
        let areSequencesLow = machine.room.sequences < options.numbersAhead / 2
        if areTokensLow || areSequencesLow, !isReservingNumbers, !space.areNumbersRefused {
            isReservingNumbers = true
            let ends = machine.owedSequences
            // A busy daemon uses up a block while the next one is being synced: ahead of the numbers it has,
            // too.
            var wanted = numbers
            if areTokensLow { wanted.token = max(numbers.token, machine.lastToken) + options.numbersAhead }
            if areSequencesLow {
                wanted.sequence = max(numbers.sequence, machine.sequence + ends) + 4 * options.numbersAhead
            }
            directives.append(.reserveNumbers(wanted))
        }
    }

    private var needsSpaceNow: Bool {
        machine.room.logBytes < Server.requestBytesMax
    }

    private mutating func wantSpace() {
        space.isReserving = true
        let owed = machine.owedBytes + RecordSize.ownRecords
        let base = log.size + log.batch.count + owed
        directives.append(
            .reserveSpace(wanted: base + options.spaceAhead, least: base + Server.requestBytesMax))
    }

    /// The file may grow to so many bytes. Less than what was needed: the disk is full.
    package mutating func spaceReserved(bytes: Int, wanted: Int, least: Int) {
        space.isReserving = false
        space.reservedBytes = max(space.reservedBytes, bytes)
        space.isTight = bytes < wanted
        space.isExhausted = bytes < least
        updateRoom()
        compactIfTight()
        grantStarved()
        unpark()
    }

    /// Whether the disk is to be asked again after a while, because somebody may be waiting for it.
    package var isOutOfSpace: Bool { space.isExhausted || space.areNumbersRefused }

    /// Asks the disk again.
    package mutating func retrySpace() {
        space.areNumbersRefused = false
        guard space.isExhausted, !space.isReserving else { return }
        wantSpace()
    }

    /// The file of numbers could not be written for want of space.
    package mutating func numbersRefused() {
        isReservingNumbers = false
        space.areNumbersRefused = true
        unpark()
    }

    package mutating func numbersReserved(_ numbers: Numbers) {
        self.numbers = numbers
        isReservingNumbers = false
        space.areNumbersRefused = false
        updateRoom()
        grantStarved()
        unpark()
    }

    private mutating func unpark() {
        let looks = looksToComeBackTo
        looksToComeBackTo.removeAll(keepingCapacity: true)
        for look in looks { inspected(ticket: look.ticket, look.report) }
        let waiting = parked
        parked.removeAll(keepingCapacity: true)
        for id in waiting {
            guard let index = index(id) else { continue }
            connections[index].isParked = false
            makeReady(index)
        }
        serveReady()
    }

    /// What a compaction may need on the disk beside the log.
    package var bytesToCompact: Int {
        let alive = max(aliveBytes, log.sizeToGrowTo / 4)
        return alive + alive / 4 + machine.owedBytes + (64 << 10)
    }

    /// What the log would have if it were written anew: an estimate.
    var aliveBytes: Int {
        machine.leaseCount * 200 + machine.rememberedCount * 130 + machine.keptBytes
            + machine.restCount * 90
    }
}

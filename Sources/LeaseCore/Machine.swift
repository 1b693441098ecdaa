// The meaning of requests: turns a request and an instant into changes, replies and directives.

package import LeaseModel

/// Decides. It reads no clock, draws nothing at random and does nothing by itself: time comes in as an
/// argument, and everything it brings about goes out through `Effects`. What lasts moves only by `emit`
/// and its like, which apply a change; the lines, which a restart forgets, move with the requests.
package struct Machine: ~Copyable {
    var ledger: Ledger
    var waiters: Waiters
    var rates = Rates()
    let limits: Limits
    /// The manual clock stands still between the deadlines that it passes; the system's does not.
    package let hasManualClock: Bool
    /// What a user says of itself is for nobody else but administrators.
    let isPrivate: Bool

    /// The instant as of which requests are decided.
    package internal(set) var clock = Instant.zero
    /// The number of the last change.
    package private(set) var sequence: Sequence64 = 0
    /// What was set aside ahead and may still be used.
    package var room = Room.unlimited
    /// Pictures of the leases that watchers are shown.
    var pictures: [Picture] = []
    /// Lists that are being made.
    var listings: [Listing] = []
    /// Nothing is granted any more.
    package internal(set) var isDraining = false

    /// Tokens of the ephemeral leases of each connection.
    var boundLeases: [ConnectionID: Set<Token>] = [:]
    /// Tokens of the leases of which each connection is told.
    var subscriptions: [ConnectionID: Set<Token>] = [:]
    /// When those are to be told that their lease is about to end.
    var warnings = DeadlineHeap()
    /// Keys from whose lines somebody has gone in this step.
    var shortened: [Slot] = []
    var processes: [ProcessIdentity: ProcessBonds] = [:]
    /// Waiters whose turn has come while there was no room to write it down.
    var starved: [WaiterID] = []

    /// Keys whose lines let in more than one pass may, in the order in which they began.
    var lettingIn: [Slot] = []
    /// How many more may be let in before others are to be answered.
    var lettingInLeft = Int.max

    package init(
        policy: Policy, limits: Limits, hasManualClock: Bool, isPrivate: Bool = false, seed: UInt64
    ) {
        ledger = Ledger(policy: policy, seed: seed)
        waiters = Waiters(seed: seed)
        self.limits = limits
        self.hasManualClock = hasManualClock
        self.isPrivate = isPrivate
    }

    package var leaseCount: Int { ledger.leaseCount }
    package var waiterCount: Int { waiters.count }
    /// Ended leases that are still known.
    package var rememberedCount: Int { ledger.ended.count }
    package var keptCount: Int { ledger.results.count }
    /// Slots that rest.
    package var restCount: Int { ledger.rests.count }
    /// What the kept results would have in a log that is written anew: an estimate.
    package var keptBytes: Int { ledger.results.bytes }
    package var lastToken: Token { ledger.lastToken }
    package var lastInstant: Instant { ledger.lastInstant }
}

// Recovery: the changes of a log, through the one function.
extension Machine {
    /// The next records, as a reader hands them out: each by itself, and its place among the others, is as
    /// `protocol/LOG.md` has it. The events that tell of them are for those who will ask what they missed.
    /// Throws at the first that can't follow from those before it; then there is nothing to go on with.
    package mutating func recover(
        _ records: [Record], into recent: inout RecentEvents
    ) throws(ImpossibleRecord) {
        ledger.reach(for: records)
        for index in records.indices {
            do throws(ImpossibleChange) {
                try recover(records[index], into: &recent)
            } catch {
                throw ImpossibleRecord(index: index, what: error.what)
            }
        }
    }

    private mutating func recover(
        _ record: Record, into recent: inout RecentEvents
    ) throws(ImpossibleChange) {
        sequence = record.sequence
        clock = record.at
        switch record.change {
        case .granted:
            try ledger.apply(record.change, at: clock)
            _ = tellGranted(ledger.newest, waited: nil, into: &recent)
        case .renewed(let renewal):
            let slot = try ledger.liveSlot(renewal.token)
            _ = tellRenewed(slot, renewal, into: &recent)
            ledger.renew(slot, by: renewal, at: clock)
        case .ended(let ending):
            let slot = try ledger.liveSlot(of: ending)
            _ = tellEnded(slot, ending, into: &recent)
            ledger.end(slot, by: ending, at: clock)
        case .forgotten(let forgetting):
            // It is told of while the result is there.
            try ledger.requireKept(forgetting)
            _ = tell(record.change, into: &recent)
            try ledger.apply(record.change, at: clock)
        default:
            try ledger.apply(record.change, at: clock)
            _ = tell(record.change, into: &recent)
        }
        recent.noteAllTold()
        if case .started(let start) = record.change { recent.shift(by: start.shift) }
        ledger.removeRests(overAt: record.at)
    }

    /// The log was read to its end; its numbers may have been used up to `lastSequence`.
    package mutating func finishRecovery(lastSequence: Sequence64) {
        ledger.restoreOrder()
        sequence = max(sequence, lastSequence)
    }

    /// Begins to serve. After a reboot, what was bound to a process or a connection has ended with them.
    package mutating func begin(
        _ start: Start, rebooted: Bool, grace: Duration, at now: Instant, into effects: inout Effects
    ) {
        clock = now
        emit(.started(start), into: &effects)
        ledger.removeRests(overAt: now)
        if rebooted {
            endWhatARebootEnds(into: &effects)
        }
        if leaseCount > 0 {
            emit(.resumed(grace: grace, afterRestart: true), into: &effects)
        }
        for slot in ledger.slotsInOrder() {
            guard let process = ledger.leases[slot].details?.process else { continue }
            bind(process, to: ledger.leases[slot].token, into: &effects)
        }
    }

    private mutating func endWhatARebootEnds(into effects: inout Effects) {
        for slot in ledger.slotsInOrder() {
            if ledger.leases[slot].details?.process != nil {
                endLease(slot, .processEnded, into: &effects)
            } else if ledger.leases[slot].isEphemeral {
                endLease(slot, .disconnected, into: &effects)
            }
        }
    }

    /// The daemon was not there for its holders for a while: they get time to renew.
    package mutating func resume(grace: Duration, at now: Instant, into effects: inout Effects) {
        clock = max(clock, now)
        guard leaseCount > 0 else { return }
        let before = subscribedEnds
        emit(.resumed(grace: grace, afterRestart: false), into: &effects)
        armAgain(before, into: &effects)
    }

    package mutating func stop(into effects: inout Effects) {
        emit(.stopped, into: &effects)
    }
}

// The gate through which what lasts moves.
extension Machine {
    /// Applies a change, tells of it, and hands it to the log: all but what happens to one lease, which is
    /// below.
    mutating func emit(_ change: consuming Change, into effects: inout Effects) {
        sequence += 1
        if tell(change, into: &effects.recent) { effects.tellChange() }
        do throws(ImpossibleChange) {
            try ledger.apply(change, at: clock)
        } catch {
            preconditionFailure(error.what)
        }
        effects.write(Record(sequence: sequence, at: clock, change: change))
    }

    /// The same for a grant: of the lease as it is to stand among the others. It is told of once it does.
    @inline(__always)
    mutating func emitGranted(_ lease: consuming Lease, waited: Duration?, into effects: inout Effects) {
        sequence += 1
        ledger.grant(lease, at: clock)
        let eventSaysAll = tellGranted(ledger.newest, waited: waited, into: &effects.recent)
        effects.tellChange()
        if !listings.isEmpty { enterLists() }
        if !eventSaysAll { writeNewest(into: &effects) }
    }

    @inline(never)
    private func writeNewest(into effects: inout Effects) {
        write(.granted(ledger.grantView(ledger.newest)), into: &effects)
    }

    /// The same for a renewal of the lease in this slot.
    mutating func emitRenewed(_ slot: Slot, _ renewal: Renewal, into effects: inout Effects) {
        sequence += 1
        if !pictures.isEmpty { show(slot, isEnding: false, into: &effects) }
        let eventSaysAll = tellRenewed(slot, renewal, into: &effects.recent)
        effects.tellChange()
        ledger.renew(slot, by: renewal, at: clock)
        if !eventSaysAll { write(.renewed(renewal), into: &effects) }
    }

    /// The same for the end of the lease in this slot, which is told of while it is still there.
    @inline(__always)
    mutating func emitEnded(_ slot: Slot, _ ending: Ending, into effects: inout Effects) {
        sequence += 1
        if !pictures.isEmpty { show(slot, isEnding: true, into: &effects) }
        if !listings.isEmpty { leaveLists(slot) }
        let eventSaysAll = tellEnded(slot, ending, into: &effects.recent)
        effects.tellChange()
        ledger.end(slot, by: ending, at: clock)
        if !eventSaysAll { write(.ended(ending), into: &effects) }
    }

    @inline(never)
    private func write(_ change: consuming Change, into effects: inout Effects) {
        effects.write(Record(sequence: sequence, at: clock, change: change))
    }
}

// Time.
extension Machine {
    /// The system's clock has moved on: what is decided before `advance` (hang-ups come first) is decided as
    /// of now as well. A lease granted as of the last pass would have lost the time since.
    package mutating func tick(to now: Instant) {
        guard !hasManualClock else { return }
        clock = max(clock, now)
    }

    /// Brings the machine to `now`: what was due is dealt with one at a time, each followed by the grants
    /// that it makes possible. At most `budget` deadlines, so that others are answered in between where very
    /// many are due.
    /// - Parameter waitsForRoom: not past an instant at which somebody's turn has come while there was no
    ///   room to write it down: it is to be granted then, and not as of later.
    /// - Returns: whether all is dealt with.
    package mutating func advance(
        to now: Instant, budget: Int, waitsForRoom: Bool = false, into effects: inout Effects
    ) -> Bool {
        tick(to: now)
        var left = budget
        // The manual clock waits for all whose turn has come, too.
        while !(waitsForRoom && hasStarved || hasManualClock && mayLetMoreIn) {
            guard let due = nextDeadline, due <= now else {
                clock = max(clock, now)
                return true
            }
            guard left > 0 else { return false }
            left -= 1
            clock = max(clock, due)
            endWhatIsDue(into: &effects)
        }
        return false
    }

    /// Notes that the manual clock was moved. What was due on the way is dealt with before.
    package mutating func noteAdvance(into effects: inout Effects) {
        emit(.advanced, into: &effects)
    }
}

// The compaction's picture.
extension Machine {
    package mutating func beginSnapshot() {
        ledger.beginSnapshot()
    }

    /// Draws up to so many leases more.
    /// - Returns: whether the picture is complete.
    package mutating func drawSnapshot(count: Int) -> Bool {
        ledger.drawSnapshot(count: count)
        return ledger.snapshot.isDrawn
    }

    package mutating func abandonSnapshot() {
        ledger.abandonSnapshot()
    }

    /// The lines drawn since the last call. They stand before the changes that have been emitted since; those
    /// of what is remembered stand before all others, and before all changes since the beginning.
    package mutating func takeSnapshotLines(into lines: inout [Change], remembered: inout [Change]) {
        lines.removeAll(keepingCapacity: true)
        swap(&lines, &ledger.snapshot.lines)
        remembered.removeAll(keepingCapacity: true)
        swap(&remembered, &ledger.snapshot.remembered)
    }

    /// Whether more lines of what is remembered are to come.
    package var isDrawingRemembered: Bool { ledger.snapshot.endedLeft > 0 }

    package mutating func noteCompaction(lines: UInt64, into effects: inout Effects) {
        emit(.compacted(lines: lines), into: &effects)
    }
}

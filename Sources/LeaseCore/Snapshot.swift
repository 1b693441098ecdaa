// A compaction's picture of the leases, drawn in slices while they go on changing.

internal import LeaseModel

/// How far a compaction has come. The leases of its beginning are written in the order of their tokens, some
/// at a time; one that is about to change before its turn is written first, so the picture is that of one
/// moment, and the changes that come between its lines fit onto what stands before them. What is remembered
/// comes first, in slices as well, and before all changes: it is a ring whose order counts, and what ends
/// meanwhile stands behind it there.
struct Snapshot {
    var isDrawn = true
    /// Which compaction this is; leases keep the number of the last one that wrote them.
    var number: UInt8 = 0
    /// Only leases up to this token belong to the picture.
    var lastToken: Token = 0
    /// The next of the ended leases to be written, and how many there are.
    var endedCursor: Slot = 0
    var endedLeft = 0
    /// Their lines that are written and not yet taken.
    var remembered: [Change] = []
    /// The next to be written.
    var cursor: Slot = .none
    /// Behind the last result that was written; nil: the leases come first.
    var resultCursor: Order?
    /// The next slot of `rests` to be looked at, and the last rest that belongs to the picture.
    var restCursor: Slot = 0
    var lastRest: UInt64 = 0
    /// The other lines that are written and not yet taken.
    var lines: [Change] = []

    /// A lease leaves the order: the cursor must not stand on it.
    mutating func leave(_ slot: Slot, next: Slot) {
        if cursor == slot {
            cursor = next
        }
    }
}

extension Ledger {
    /// Begins a picture of what there is now.
    mutating func beginSnapshot() {
        let isAnew = snapshot.number == .max
        let number = isAnew ? 1 : snapshot.number + 1
        if isAnew {
            // The numbers begin anew: no lease may still bear one of them.
            forEachLease { ledger, slot in ledger.leases[slot].snapshot = 0 }
            for slot in resultsInOrder() { results.slab[slot].snapshot = 0 }
        }
        snapshot = Snapshot()
        snapshot.number = number
        snapshot.isDrawn = false
        snapshot.lastToken = lastToken
        snapshot.cursor = oldest
        snapshot.lastRest = lastRest
        snapshot.endedCursor = oldestEnded
        snapshot.endedLeft = ended.count
    }

    /// Gives up a picture that is not complete.
    mutating func abandonSnapshot() {
        let number = snapshot.number
        snapshot = Snapshot()
        snapshot.number = number
    }

    /// Writes up to `count` leases and rests more, and then results, which are larger. Before them what is
    /// remembered, which lies about in memory.
    mutating func drawSnapshot(count: Int) {
        guard !snapshot.isDrawn else { return }
        drawEnded(count: max(1, count / 4))
        guard snapshot.endedLeft == 0 else { return }
        if snapshot.resultCursor == nil { drawLeases(count: count) }
        if snapshot.resultCursor != nil { drawResults(count: max(1, count / 16)) }
    }

    private mutating func drawEnded(count: Int) {
        for _ in 0..<min(count, snapshot.endedLeft) {
            snapshot.remembered.append(.remembered(endedView(snapshot.endedCursor)))
            snapshot.endedCursor = placeInRing(after: snapshot.endedCursor)
            snapshot.endedLeft -= 1
        }
    }

    /// Another lease takes this one's place in the ring: where it belongs to the picture, it is written
    /// first. They go in the order in which they are drawn.
    @inline(__always)
    mutating func writeToSnapshotBefore(forgetting slot: Slot) {
        if snapshot.endedLeft > 0, snapshot.endedCursor == slot { drawEnded(count: 1) }
    }

    private mutating func drawLeases(count: Int) {
        for _ in 0..<count {
            let slot = snapshot.cursor
            guard slot != .none, leases[slot].token <= snapshot.lastToken else {
                if drawNextRest() { continue }
                snapshot.resultCursor = Order(instant: .min, number: 0)
                return
            }
            snapshot.cursor = leases[slot].next
            writeToSnapshotBefore(changing: slot)
        }
    }

    /// Rests don't change, so each is written in its turn; one that is over by then says nothing any more.
    private mutating func drawNextRest() -> Bool {
        guard snapshot.restCursor < Slot(rests.slotCount) else { return false }
        let rest = rests[snapshot.restCursor]
        snapshot.restCursor += 1
        if rest.token != 0, rest.number <= snapshot.lastRest {
            snapshot.lines.append(.resting(restView(rest)))
        }
        return true
    }

    /// Results come and go meanwhile: the next is the first behind the last one's place.
    private mutating func drawResults(count: Int) {
        // One turn more than results are drawn finds that there are none left.
        for _ in 0...count {
            let rank = results.trees.before(results.all, snapshot.resultCursor!).all
            guard rank < results.count else {
                snapshot.isDrawn = true
                return
            }
            let slot = results.trees.item(results.all, at: rank)
            let order = results.slab[slot].order
            snapshot.resultCursor = Order(instant: order.instant, number: order.number + 1)
            writeResultToSnapshotBefore(changing: slot)
        }
    }

    /// A result is about to lose a key: where it belongs to the picture, it is written first.
    mutating func writeResultToSnapshotBefore(changing slot: Slot) {
        guard !snapshot.isDrawn, results.slab[slot].snapshot != snapshot.number else { return }
        results.slab[slot].snapshot = snapshot.number
        snapshot.lines.append(.result(standingView(slot)))
    }

    /// A lease is about to change or end: where it belongs to the picture, it is written first.
    @inline(__always)
    mutating func writeToSnapshotBefore(changing slot: Slot) {
        if !snapshot.isDrawn { writeToSnapshot(slot) }
    }

    @inline(never)
    private mutating func writeToSnapshot(_ slot: Slot) {
        guard leases[slot].token <= snapshot.lastToken, leases[slot].snapshot != snapshot.number
        else { return }
        leases[slot].snapshot = snapshot.number
        snapshot.lines.append(.held(heldView(slot)))
    }

    func grantView(_ slot: Slot) -> Grant {
        let details = leases[slot].details
        return Grant(
            token: leases[slot].token, keys: keys(of: slot, ended: false), owner: leases[slot].owner,
            uid: leases[slot].uid, pid: leases[slot].pid, ttl: leases[slot].ttl, maxHold: details?.maxHold,
            isShared: leases[slot].isShared, isEphemeral: leases[slot].isEphemeral, process: details?.process,
            request: details?.request, note: details?.note)
    }

    func heldView(_ slot: Slot) -> HeldLease {
        HeldLease(
            grant: grantView(slot), grantedAt: leases[slot].grantedAt, ownDeadline: leases[slot].ownDeadline,
            deadline: leases[slot].deadline, orphanedAt: leases[slot].details?.orphanedAt)
    }

    func endedView(_ slot: Slot) -> EndedLease {
        EndedLease(
            token: ended[slot].token, reason: ended[slot].reason, endedAt: ended[slot].endedAt,
            keys: keys(of: slot, ended: true), isShared: ended[slot].isShared, uid: ended[slot].uid,
            request: ended[slot].request, newestThen: ended[slot].newestThen)
    }
}

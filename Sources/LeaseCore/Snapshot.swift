// A compaction's picture of the leases, drawn in slices while they go on changing.

internal import LeaseModel

/// How far a compaction has come. The leases of its beginning are written in the order of their tokens, some
/// at a time; one that is about to change before its turn is written first, so the picture is that of one
/// moment, and the changes that come between its lines fit onto what stands before them.
struct Snapshot {
    var isDrawn = true
    /// Which compaction this is; leases keep the number of the last one that wrote them.
    var number: UInt8 = 0
    /// Only leases up to this token belong to the picture.
    var lastToken: Token = 0
    /// The next to be written.
    var cursor: Slot = .none
    var endedCursor = 0
    /// Lines that are written and not yet taken.
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
        let number = snapshot.number == .max ? 1 : snapshot.number + 1
        if number == 1 {
            // The numbers begin anew: no lease may still bear one of them.
            var slot = oldest
            while slot != .none {
                leases[slot].snapshot = 0
                slot = leases[slot].next
            }
        }
        snapshot = Snapshot()
        snapshot.number = number
        snapshot.isDrawn = false
        snapshot.lastToken = lastToken
        snapshot.cursor = oldest
        // What is remembered is written at once: it is bounded, and it is a ring whose order counts.
        let full = ended.count == Limits.endedRememberedMax
        for index in 0..<ended.count {
            let slot = full ? (Int(endedNext) + index) % ended.count : index
            snapshot.lines.append(.remembered(endedView(Slot(slot))))
        }
    }

    /// Gives up a picture that is not complete.
    mutating func abandonSnapshot() {
        let number = snapshot.number
        snapshot = Snapshot()
        snapshot.number = number
    }

    /// Writes up to `count` leases more.
    mutating func drawSnapshot(count: Int) {
        guard !snapshot.isDrawn else { return }
        for _ in 0..<count {
            let slot = snapshot.cursor
            guard slot != .none, leases[slot].token <= snapshot.lastToken else {
                snapshot.isDrawn = true
                return
            }
            snapshot.cursor = leases[slot].next
            if leases[slot].snapshot != snapshot.number {
                leases[slot].snapshot = snapshot.number
                snapshot.lines.append(.held(heldView(slot)))
            }
        }
    }

    /// A lease is about to change or end: where it belongs to the picture, it is written first.
    mutating func writeToSnapshotBefore(changing slot: Slot) {
        guard !snapshot.isDrawn, leases[slot].token <= snapshot.lastToken,
            leases[slot].snapshot != snapshot.number
        else { return }
        leases[slot].snapshot = snapshot.number
        snapshot.lines.append(.held(heldView(slot)))
    }

    func grantView(_ slot: Slot) -> Grant {
        let details = leases[slot].details
        return Grant(
            token: leases[slot].token, keys: keys(of: slot, ended: false), owner: leases[slot].owner,
            uid: leases[slot].uid, pid: leases[slot].pid, ttl: leases[slot].ttl,
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

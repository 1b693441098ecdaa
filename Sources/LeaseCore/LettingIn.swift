// Very many who may be granted at once are let in in slices, so that others are answered in between.

extension Machine {
    /// Whether somebody's turn has come who is not granted yet.
    package var hasMoreToLetIn: Bool { !lettingIn.isEmpty }
    /// Whether `letMoreIn` would go on: where others wait for room, these would only come to wait with them,
    /// to be granted all at once when there is some.
    package var mayLetMoreIn: Bool { hasMoreToLetIn && !hasStarved }

    /// How many of these more a line lets in now: one at once, and of further ones no more than a pass may.
    /// Where some are left the line is gone on with by `letMoreIn` alone: who is granted makes way for the
    /// next, and they would all come with this step again.
    mutating func takeTurns(_ key: Slot, _ more: Int) -> Int {
        if ledger.keys[key].isLettingIn { return 0 }
        let now = min(more, max(1, lettingInLeft))
        lettingInLeft -= now
        if now < more {
            ledger.keys[key].isLettingIn = true
            lettingIn.append(key)
        }
        return now
    }

    /// Goes on with the lines that let in more than fitted into a pass.
    /// - Parameter count: so many of them, besides one for each request that makes way.
    package mutating func letMoreIn(count: Int, into effects: inout Effects) {
        lettingInLeft = count
        guard mayLetMoreIn else { return }
        let keys = lettingIn
        lettingIn.removeAll(keepingCapacity: true)
        for (place, key) in keys.enumerated() {
            guard lettingInLeft > 0, !hasStarved else {
                lettingIn += keys[place...]
                return
            }
            ledger.keys[key].isLettingIn = false
            var entrants: [WaiterID] = []
            refreshFrontIfWaitedFor(key, entrants: &entrants)
            promote(entrants, into: &effects)
        }
    }

    /// Grants one whose wait is over, where it only waits because others are let in before it.
    /// - Returns: whether it was.
    mutating func letIn(_ slot: Slot, into effects: inout Effects) -> Bool {
        guard hasMoreToLetIn else { return false }
        let keys = waiters.slab[slot].keySlots
        guard keys.contains(where: { ledger.keys[$0].isLettingIn }), mayBeGranted(slot) else { return false }
        let id = waiters.id(slot)
        var entrants: [WaiterID] = []
        grantWaiter(slot, entrants: &entrants, into: &effects)
        promote(entrants, into: &effects)
        return waiters.slot(id) == .none
    }

    private func mayBeGranted(_ slot: Slot) -> Bool {
        waiters.slab[slot].keySlots.allSatisfy { key in
            obstacle(
                key, isShared: waiters.slab[slot].isShared, joins: waiters.slab[slot].joins,
                order: waiters.slab[slot].order) == nil
        }
    }
}

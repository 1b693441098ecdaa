// What has ended is remembered for a while, for `GONE` and for late retries.

internal import LeaseModel

extension Ledger {
    /// - Returns: where it stands from now on.
    @inline(__always)
    mutating func remember(_ entry: EndedEntry) -> Slot {
        let slot = endedNext
        if ended.count < Limits.endedRememberedMax {
            _ = ended.addRoom()
        } else {
            writeToSnapshotBefore(forgetting: slot)
            forget(slot)
        }
        // Nothing stands there, or nothing that would have to be let go of.
        ended.address(of: slot).initialize(to: entry)
        let former = endedIndex.insert(slot, entry.token)
        if former != .none { endedIndex.insertOlder(former, ended[former].token) }
        endedNext = placeInRing(after: slot)
        return slot
    }

    /// What few have is remembered with it.
    mutating func remember(_ details: EndedDetails, at slot: Slot) {
        ended[slot].details = details
        guard let request = details.request else { return }
        endedRequestIndex.insert(slot, hash: hasher.hash(request.bytes, UInt64(ended[slot].uid)))
    }

    func placeInRing(after slot: Slot) -> Slot {
        slot + 1 == Slot(Limits.endedRememberedMax) ? 0 : slot + 1
    }

    /// Where the oldest of those that are remembered stands.
    var oldestEnded: Slot { ended.count < Limits.endedRememberedMax ? 0 : endedNext }

    /// Lets go of all that the entry refers to.
    @inline(__always)
    private mutating func forget(_ slot: Slot) {
        let entry = ended.address(of: slot)
        endedIndex.remove(slot, entry.pointee.token)
        dropReference(entry.pointee.key)
        if entry.pointee.details != nil { forgetDetails(slot) }
    }

    @inline(never)
    private mutating func forgetDetails(_ slot: Slot) {
        if let request = ended[slot].request {
            let hash = hasher.hash(request.bytes, UInt64(ended[slot].uid))
            endedRequestIndex.remove(slot, hash: hash)
        }
        for key in ended[slot].otherKeys {
            dropReference(key)
        }
        ended[slot].details = nil
    }

    /// A line of a compacted log.
    mutating func remember(_ lease: EndedLease) {
        let first = keySlotMade(lease.keys.first)
        let others = lease.keys.others.map { keySlotMade($0) }
        for key in [first] + others {
            keys[key].newestToken = max(keys[key].newestToken, lease.token)
            keys[key].references += 1
        }
        let place = remember(
            EndedEntry(
                token: lease.token, endedAt: lease.endedAt, newestThen: lease.newestThen, key: first,
                uid: lease.uid, reason: lease.reason, isShared: lease.isShared))
        let details = EndedDetails(otherKeys: others, request: lease.request)
        if let details { remember(details, at: place) }
        lastToken = max(lastToken, lease.newestThen)
    }

    /// Those that are remembered, the oldest first.
    var endedInOrder: [EndedLease] {
        (0..<ended.count).map { endedView(Slot((Int(oldestEnded) + $0) % ended.count)) }
    }

    func endedSlot(_ token: Token) -> Slot {
        endedIndex.find(token) { ended[$0].token }
    }

    /// The one with this request ID: as long as it is remembered, no other lease is granted for that.
    func endedSlot(request: Text, uid: UInt32) -> Slot {
        endedRequestIndex.find(hasher.hash(request.bytes, UInt64(uid))) {
            ended[$0].uid == uid && ended[$0].request == request
        }
    }

    func keys(of slot: Slot, ended isEnded: Bool) -> Keys {
        let (first, others) =
            isEnded
            ? (ended[slot].key, ended[slot].otherKeys)
            : (leases[slot].key, leases[slot].details?.otherKeys ?? [])
        // Mostly one: an empty row need not be walked.
        return others.isEmpty ? Keys(keys[first].name) : Keys(keys[first].name, others.map { keys[$0].name })
    }

    /// The newest token granted since on one of the ended lease's keys; 0 for none.
    func nextToken(afterEnded slot: Slot) -> Token {
        var next = keys[ended[slot].key].newestToken
        for key in ended[slot].otherKeys {
            next = max(next, keys[key].newestToken)
        }
        return next > ended[slot].newestThen ? next : 0
    }
}

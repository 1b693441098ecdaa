// What has ended is remembered for a while, for `GONE` and for late retries.

internal import LeaseModel

extension Ledger {
    mutating func remember(_ entry: consuming EndedEntry) {
        let slot = endedNext
        if ended.count < Limits.endedRememberedMax {
            ended.append(entry)
        } else {
            forget(slot)
            ended[slot] = entry
        }
        endedIndex.insert(slot, hash: hasher.hash(ended[slot].token))
        if let request = ended[slot].request {
            endedRequestIndex.insert(slot, hash: hasher.hash(request.bytes, UInt64(ended[slot].uid)))
        }
        endedNext = (slot + 1) % Slot(Limits.endedRememberedMax)
    }

    mutating func forget(_ slot: Slot) {
        endedIndex.remove(slot)
        if ended[slot].request != nil {
            endedRequestIndex.remove(slot)
        }
        dropReference(ended[slot].key)
        for key in ended[slot].otherKeys {
            dropReference(key)
        }
    }

    /// A line of a compacted log.
    mutating func remember(_ lease: EndedLease) {
        var entry = EndedEntry()
        entry.token = lease.token
        entry.reason = lease.reason
        entry.endedAt = lease.endedAt
        entry.key = keySlotMade(lease.keys.first)
        entry.otherKeys = lease.keys.others.map { keySlotMade($0) }
        entry.isShared = lease.isShared
        entry.uid = lease.uid
        entry.request = lease.request
        entry.newestThen = lease.newestThen
        for key in [entry.key] + entry.otherKeys {
            keys[key].newestToken = max(keys[key].newestToken, lease.token)
            keys[key].references += 1
        }
        remember(entry)
        lastToken = max(lastToken, lease.newestThen)
    }

    /// Those that are remembered, the oldest first.
    var endedInOrder: [EndedLease] {
        let isFull = ended.count == Limits.endedRememberedMax
        return (0..<ended.count).map { index in
            endedView(isFull ? Slot((Int(endedNext) + index) % ended.count) : Slot(index))
        }
    }

    func endedSlot(_ token: Token) -> Slot {
        var slot = endedIndex.first(hasher.hash(token))
        while slot != .none, ended[slot].token != token {
            slot = endedIndex.next(after: slot)
        }
        return slot
    }

    /// The newest with this request ID.
    func endedSlot(request: Text, uid: UInt32) -> Slot {
        var slot = endedRequestIndex.first(hasher.hash(request.bytes, UInt64(uid)))
        while slot != .none, ended[slot].uid != uid || ended[slot].request != request {
            slot = endedRequestIndex.next(after: slot)
        }
        return slot
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

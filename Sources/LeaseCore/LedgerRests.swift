// Slots that rest after a lease that ended without its holder.

internal import LeaseModel

/// A slot of one key that rests. A vacant one has token 0.
struct RestEntry {
    /// Of the lease that ended.
    var token: Token = 0
    var key: Slot = .none
    var uid: UInt32 = 0
    var until = Instant.zero
    /// How many there had been: what a compaction's picture begins with and what came after it.
    var number: UInt64 = 0

    /// Its place among the rests of a key: by end.
    var order: Order { Order(instant: until.nanoseconds, number: token) }
}

// That a rest is over is no change: its end was said by the change that began it.
extension Ledger {
    mutating func insertRest(_ entry: RestEntry) {
        lastRest += 1
        var entry = entry
        entry.number = lastRest
        let slot = rests.insert(entry)
        restDeadlines.insert(slot, at: entry.until, tie: entry.token)
        restIndex.insert(slot, hash: hasher.hash(entry.token))
        holderTrees.insert(slot, order: entry.order, isExclusive: true, into: &keys[entry.key].rests)
        keys[entry.key].references += 1
        user(entry.uid).pointee.leases += 1
    }

    /// Lets go of a rest that is over. The key stays until its reference is dropped.
    mutating func removeRest(_ slot: Slot) {
        let entry = rests[slot]
        restDeadlines.remove(slot)
        restIndex.remove(slot, hash: hasher.hash(entry.token))
        holderTrees.remove(order: entry.order, from: &keys[entry.key].rests)
        user(entry.uid).pointee.leases -= 1
        rests.remove(slot, leaving: RestEntry())
    }

    /// Lets go of all that are over, where nobody waits for them.
    mutating func removeRests(overAt now: Instant) {
        while let first = restDeadlines.first, first.instant <= now {
            let key = rests[first.slot].key
            removeRest(first.slot)
            dropReference(key)
        }
    }

    /// How many slots of a key rest.
    func restCount(_ key: Slot) -> Int {
        holderTrees.count(keys[key].rests)
    }

    /// The rest that ends with so many others before it.
    func rest(_ key: Slot, at rank: Int) -> RestEntry {
        rests[holderTrees.item(keys[key].rests, at: rank)]
    }

    func restView(_ rest: RestEntry) -> Rest {
        Rest(token: rest.token, key: keys[rest.key].name, uid: rest.uid, until: rest.until)
    }

    /// The instants of the boot before, on the clock of this one.
    mutating func shiftRests(by nanoseconds: Int64) {
        for slot in 0..<Slot(rests.slotCount) where rests[slot].token != 0 {
            let key = rests[slot].key
            holderTrees.remove(order: rests[slot].order, from: &keys[key].rests)
            rests[slot].until = rests[slot].until.shifted(by: nanoseconds)
            restDeadlines.move(slot, to: rests[slot].until)
            holderTrees.insert(slot, order: rests[slot].order, isExclusive: true, into: &keys[key].rests)
        }
    }
}

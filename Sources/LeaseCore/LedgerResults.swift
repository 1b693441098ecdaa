// Results that are kept for those who ask later: which key has one, which is the oldest, which ends next.

internal import LeaseModel

/// A kept result. A vacant slot has token 0.
struct ResultEntry {
    /// Of the lease that it was made under: no lease leaves more than one.
    var token: Token = 0
    /// The keys that it still answers for.
    var keys: [Slot] = []
    var owner = Text(printed: [])
    var uid: UInt32 = 0
    var pid: Int32 = 0
    var at = Instant.zero
    var keep = Duration.zero
    var value = Text(printed: [])
    /// The last compaction that has written it, or during which it was made.
    var snapshot: UInt8 = 0

    static var vacant: ResultEntry { ResultEntry() }

    var endsAt: Instant { at + keep }
    /// Its place among all, the oldest first.
    var order: Order { Order(instant: at.nanoseconds, number: token) }
}

struct Results: ~Copyable {
    var slab = Slab<ResultEntry>()
    var tokenIndex = SlotIndex()
    var ends = DeadlineHeap()
    /// By age: all of them, and those of each user (whose roots stand with the users).
    var trees: OrderTrees
    var all: Slot = .none
    /// As `Limits.keptBytesMax` counts them.
    var bytes = 0
    /// A result for two keys counts twice: it can be forgotten for one after the other.
    var keyCount = 0

    init(seed: UInt64) {
        trees = OrderTrees(seed: seed)
    }

    var count: Int { slab.count }
}

extension Ledger {
    func resultSlot(_ token: Token) -> Slot {
        results.tokenIndex.find(hasher.hash(token)) { results.slab[$0].token == token }
    }

    mutating func keep(_ kept: KeptResult, at instant: Instant) {
        var entry = ResultEntry()
        entry.token = kept.token
        entry.owner = kept.owner
        entry.uid = kept.uid
        entry.pid = kept.pid
        entry.at = instant
        entry.keep = kept.keep
        entry.value = kept.value
        entry.snapshot = snapshot.number
        let slot = results.slab.insert(entry)
        for name in kept.keys.all {
            let key = keySlotMade(name)
            // Before the former result lets go of the key, which might be all that holds it.
            keys[key].references += 1
            if keys[key].result != .none { forgetResult(keys[key].result, of: key) }
            keys[key].result = slot
            results.slab[slot].keys.append(key)
        }
        results.tokenIndex.insert(slot, hash: hasher.hash(kept.token))
        results.ends.insert(slot, at: entry.endsAt, tie: kept.token)
        results.keyCount += kept.keys.count
        putInOrder(slot)
        count(bytes: bytesOf(slot), of: user(kept.uid))
    }

    private mutating func putInOrder(_ slot: Slot) {
        let (order, user) = (results.slab[slot].order, user(results.slab[slot].uid))
        results.trees.insert(slot, order: order, isExclusive: false, into: &results.all)
        results.trees.insert(slot, order: order, isExclusive: false, into: &user.pointee.results)
    }

    private mutating func takeOutOfOrder(_ slot: Slot) {
        let (order, user) = (results.slab[slot].order, user(results.slab[slot].uid))
        results.trees.remove(order: order, from: &results.all)
        results.trees.remove(order: order, from: &user.pointee.results)
    }

    mutating func forget(_ forgetting: Forgetting) {
        let slot = resultSlot(forgetting.token)
        precondition(slot != .none, "only a result that is kept is forgotten")
        if let name = forgetting.key {
            forgetResult(slot, of: keySlot(name))
            return
        }
        for key in results.slab[slot].keys {
            forgetResult(slot, of: key)
        }
    }

    /// The result no longer answers for this key; with the last one it is gone.
    private mutating func forgetResult(_ slot: Slot, of key: Slot) {
        writeResultToSnapshotBefore(changing: slot)
        let user = user(results.slab[slot].uid)
        count(bytes: -bytesOf(slot), of: user)
        results.slab[slot].keys.removeAll { $0 == key }
        results.keyCount -= 1
        keys[key].result = .none
        if results.slab[slot].keys.isEmpty {
            takeOutOfOrder(slot)
            results.ends.remove(slot)
            results.tokenIndex.remove(slot, hash: hasher.hash(results.slab[slot].token))
            results.slab.remove(slot, leaving: .vacant)
        } else {
            count(bytes: bytesOf(slot), of: user)
        }
        dropReference(key)
    }

    private func bytesOf(_ slot: Slot) -> Int {
        results.slab[slot].keys.reduce(Limits.keptOverheadBytes + results.slab[slot].value.bytes.count) {
            $0 + keys[$1].name.bytes.count
        }
    }

    private mutating func count(bytes: Int, of user: UnsafeMutablePointer<UserCount>) {
        results.bytes += bytes
        user.pointee.resultBytes += bytes
    }

    /// The instants of the boot before, on the clock of this one.
    mutating func shiftResults(by nanoseconds: Int64) {
        for slot in resultsInOrder() {
            takeOutOfOrder(slot)
            results.slab[slot].at = results.slab[slot].at.shifted(by: nanoseconds)
            results.ends.move(slot, to: results.slab[slot].endsAt)
            putInOrder(slot)
        }
    }

    /// The oldest first.
    func resultsInOrder() -> [Slot] {
        (0..<results.count).map { results.trees.item(results.all, at: $0) }
    }

    func keptView(_ slot: Slot) -> KeptResult {
        let entry = results.slab[slot]
        let names = entry.keys.map { keys[$0].name }
        return KeptResult(
            token: entry.token, keys: Keys(names[0], Array(names.dropFirst())), owner: entry.owner,
            uid: entry.uid, pid: entry.pid, keep: entry.keep, value: entry.value)
    }

    func standingView(_ slot: Slot) -> StandingResult {
        StandingResult(kept: keptView(slot), at: results.slab[slot].at)
    }
}

// How many grants a key has had in its window. They are counted anew after a restart.

internal import LeaseModel

struct CountedGrant {
    let at: Instant
    let token: Token
    let uid: UInt32
}

/// The grants of one key that still count, oldest first. A vacant entry has no key.
struct RateEntry {
    var key: Slot = .none
    var window = Duration.zero
    var grants: [CountedGrant] = []
    /// Where the oldest stands; those before it count no more.
    var first = 0

    var count: Int { grants.count - first }

    /// When the one with so many before it leaves the window.
    func end(at rank: Int) -> Instant { grants[first + rank].at + window }
}

/// The windows of all keys that have a `rate` and were granted lately.
struct Rates: ~Copyable {
    var slab = Slab<RateEntry>()
    /// When the oldest grant of each leaves its window.
    var deadlines = DeadlineHeap()
    /// Grants in all of them.
    var grantCount = 0

    init() {}
}

extension Machine {
    /// How many more grants the key's rate allows now.
    func grantsLeft(_ key: Slot) -> Int {
        guard ledger.keys[key].marks.contains(.rate), let rate = ledger.rules(of: key).rate else {
            return .max
        }
        let entry = ledger.keys[key].rate
        guard entry != .none else { return rate.grants }
        return max(0, rate.grants - rates.slab[entry].count)
    }

    /// When the key's rate allows another grant, where it allows none now.
    func nextGrant(_ key: Slot) -> Instant? {
        guard let rate = ledger.rules(of: key).rate, ledger.keys[key].rate != .none else { return nil }
        let entry = ledger.keys[key].rate
        let surplus = rates.slab[entry].count - rate.grants
        return surplus < 0 ? nil : rates.slab[entry].end(at: surplus)
    }

    /// Counts the newest lease on each of its keys that has a rate.
    @inline(__always)
    mutating func countNewest() {
        let slot = ledger.newest
        let grant = CountedGrant(at: clock, token: ledger.leases[slot].token, uid: ledger.leases[slot].uid)
        for index in 0..<ledger.leases[slot].keyCount {
            let key = ledger.leases[slot].keySlot(index)
            guard ledger.keys[key].marks.contains(.rate), let rate = ledger.rules(of: key).rate else {
                continue
            }
            count(grant, on: key, window: rate.window)
        }
    }

    @inline(never)
    private mutating func count(_ grant: CountedGrant, on key: Slot, window: Duration) {
        if ledger.keys[key].rate == .none {
            let entry = rates.slab.insert(RateEntry(key: key, window: window))
            ledger.keys[key].rate = entry
            rates.deadlines.insert(entry, at: grant.at + window, tie: grant.token)
        }
        rates.slab[ledger.keys[key].rate].grants.append(grant)
        rates.grantCount += 1
        ledger.keys[key].references += 1
        ledger.user(grant.uid).pointee.countedGrants += 1
    }

    /// Drops the oldest grant of an entry. The key stays until its reference is dropped.
    mutating func dropOldestCounted(of entry: Slot) {
        drop(entry, at: rates.slab[entry].first)
    }

    private mutating func drop(_ entry: Slot, at place: Int) {
        let uid = rates.slab[entry].grants[place].uid
        rates.grantCount -= 1
        ledger.user(uid).pointee.countedGrants -= 1
        if place == rates.slab[entry].first {
            rates.slab[entry].first += 1
        } else {
            rates.slab[entry].grants.remove(at: place)
        }
        let first = rates.slab[entry].first
        if first > rates.slab[entry].count {
            rates.slab[entry].grants.removeFirst(first)
            rates.slab[entry].first = 0
        }
        moveDeadline(of: entry)
    }

    /// To when its oldest grant leaves the window; without any the entry goes.
    private mutating func moveDeadline(of entry: Slot) {
        rates.deadlines.remove(entry)
        guard rates.slab[entry].count > 0 else {
            ledger.keys[rates.slab[entry].key].rate = .none
            rates.slab.remove(entry, leaving: RateEntry())
            return
        }
        let oldest = rates.slab[entry].grants[rates.slab[entry].first]
        rates.deadlines.insert(entry, at: oldest.at + rates.slab[entry].window, tie: oldest.token)
    }

    /// The rules have changed: a window has another length, or there is none any more.
    mutating func refreshWindows() {
        for entry in 0..<Slot(rates.slab.slotCount) where rates.slab[entry].key != .none {
            let key = rates.slab[entry].key
            let window = ledger.rules(of: key).rate?.window
            if let window {
                rates.slab[entry].window = window
                moveDeadline(of: entry)
            }
            // A manual clock would leave what is outside of a shorter window there until it is moved.
            while ledger.keys[key].rate != .none, window == nil || rates.slab[entry].end(at: 0) <= clock {
                dropOldestCounted(of: entry)
                ledger.dropReference(key)
            }
        }
    }

    /// A grant was taken back: it is as if it had not been.
    mutating func uncount(_ token: Token, on key: Slot) {
        let entry = ledger.keys[key].rate
        guard entry != .none else { return }
        let grants = rates.slab[entry].grants
        let place = grants.lastIndex { $0.token <= token } ?? 0
        guard place >= rates.slab[entry].first, grants[place].token == token else { return }
        drop(entry, at: place)
        ledger.dropReference(key)
    }
}

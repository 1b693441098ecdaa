// Who holds what: the state that the log keeps. It moves only in `apply`, by changes that have happened.

internal import LeaseModel

/// A connection as the core knows it: a number that is never used again.
package typealias ConnectionID = UInt64

/// What few leases have, kept apart so that the many stay small.
final class LeaseDetails {
    /// The key slots behind the first.
    var otherKeys: [Slot] = []
    var process: ProcessIdentity?
    var request: Text?
    var note: Text?
    /// When an ephemeral lease lost its connection with the daemon that ended, and when that ends it.
    var orphanedAt: Instant?
    var orphanedUntil = Instant.never
    /// The connection of an ephemeral lease; nil for an orphan. Not part of the log.
    var connection: ConnectionID?
}

/// A lease that is alive. A vacant slot has token 0.
struct Lease {
    var token: Token = 0
    var grantedAt = Instant.zero
    /// As last granted or renewed.
    var ownDeadline = Instant.zero
    /// With the grace that it was given since.
    var deadline = Instant.zero
    /// When it ends if nothing else happens: its place in the heap, and among the holders of each key.
    var endsAt = Instant.zero
    var ttl = Duration.zero
    var owner = Text(printed: [])
    var details: LeaseDetails?
    var key: Slot = .none
    var uid: UInt32 = 0
    var pid: Int32 = 0
    /// The leases in the order of their tokens.
    var previous: Slot = .none
    var next: Slot = .none
    var isShared = false
    var isEphemeral = false
    /// The last compaction that has written it.
    var snapshot: UInt8 = 0

    static var vacant: Lease { Lease() }

    var keyCount: Int { 1 + (details?.otherKeys.count ?? 0) }

    func keySlot(_ index: Int) -> Slot {
        index == 0 ? key : details!.otherKeys[index - 1]
    }

    /// When it ends, as its deadline and its want of a connection have it: `endsAt` follows it.
    var due: Instant {
        guard let details, isEphemeral else { return deadline }
        return min(deadline, details.orphanedUntil)
    }

    /// Why it ends then: an orphan that has time left ends for want of a connection.
    var reasonWhenDue: EndReason {
        deadline <= endsAt ? .expired : .disconnected
    }
}

/// A key that is held, waited for, or remembered.
struct KeyEntry {
    var name: Key
    var rules: Slot
    /// Whether the policy has rules for it; a log may hold keys of a kind that is gone.
    var isKnown = true
    var exclusiveHolders: UInt32 = 0
    var sharedHolders: UInt32 = 0
    /// The holder, where there is one; the tree of holders by (deadline, token), where there are more.
    var holder: Slot = .none
    var holders: Slot = .none
    /// The line: a tree of places by (arrival, number).
    var line: Slot = .none
    /// How many at the head of the line stand where this key would let them be granted.
    var front: UInt32 = 0
    var newestToken: Token = 0
    /// Holders, places in line and remembered leases that name it: without any the key is forgotten.
    var references: UInt32 = 0

    var holderCount: Int { Int(exclusiveHolders) + Int(sharedHolders) }
}

/// An ended lease as it is remembered, its keys as slots.
struct EndedEntry {
    var token: Token = 0
    var reason = EndReason.released
    var endedAt = Instant.zero
    /// The newest token of all when it ended: a greater one was granted since.
    var newestThen: Token = 0
    var key: Slot = .none
    var otherKeys: [Slot] = []
    var isShared = false
    var uid: UInt32 = 0
    var request: Text?
}

/// What one user has.
struct UserCount {
    let uid: UInt32
    var leases = 0
    var waiters = 0
}

/// The durable state. Everything in it follows from the changes applied, in their order.
struct Ledger: ~Copyable {
    var policy: Policy
    let hasher: Hasher32

    var keys = Slab<KeyEntry>()
    var keyIndex = SlotIndex()
    /// The different rules in force; keys refer to them by number.
    var rules: [Rules] = []

    var leases = Slab<Lease>()
    var tokenIndex = SlotIndex()
    var oldest: Slot = .none
    var newest: Slot = .none
    /// Set where a compacted log brought leases out of their order.
    var isOutOfOrder = false
    /// By when each lease ends.
    var deadlines = DeadlineHeap()
    var holderTrees: OrderTrees
    /// Leases by the uid and ID of their request.
    var requestIndex = SlotIndex()

    /// A ring: the oldest is where the next goes when it is full.
    var ended = Chunks<EndedEntry>()
    var endedNext: Slot = 0
    var endedIndex = SlotIndex()
    var endedRequestIndex = SlotIndex()

    var users: [UserCount] = []
    var lastToken: Token = 0
    /// The instant of the last change.
    var lastInstant = Instant.zero
    var snapshot = Snapshot()

    init(policy: Policy, seed: UInt64) {
        self.policy = policy
        hasher = Hasher32(seed: seed)
        holderTrees = OrderTrees(seed: seed)
    }

    var leaseCount: Int { leases.count }

    /// The one way in which the state moves.
    mutating func apply(_ change: Change, at instant: Instant) {
        lastInstant = instant
        switch change {
        case .granted(let grant):
            let deadline = instant + grant.ttl
            insert(
                HeldLease(
                    grant: grant, grantedAt: instant, ownDeadline: deadline, deadline: deadline,
                    orphanedAt: nil))
        case .renewed(let renewal):
            renew(renewal, at: instant)
        case .ended(let ending):
            end(ending, at: instant)
        case .bound(let token):
            adopt(token)
        case .resumed(let grace, let afterRestart):
            resume(at: instant, grace: grace, afterRestart: afterRestart)
        case .started(let start):
            lastToken = max(lastToken, start.lastToken)
            shift(by: start.shift)
        case .held(let held):
            insert(held)
        case .remembered(let lease):
            remember(lease)
        case .advanced, .stopped, .compacted:
            break
        }
    }
}

// Leases come, are renewed, and end.
extension Ledger {
    private mutating func insert(_ held: HeldLease) {
        let grant = held.grant
        var lease = Lease()
        lease.token = grant.token
        lease.grantedAt = held.grantedAt
        lease.ownDeadline = held.ownDeadline
        lease.deadline = held.deadline
        lease.ttl = grant.ttl
        lease.owner = grant.owner
        lease.uid = grant.uid
        lease.pid = grant.pid
        lease.isShared = grant.isShared
        lease.isEphemeral = grant.isEphemeral
        lease.key = keySlotMade(grant.keys.first)
        lease.details = makeDetails(held)
        lease.endsAt = lease.due
        let slot = leases.insert(lease)
        tokenIndex.insert(slot, hash: hasher.hash(grant.token))
        if let request = grant.request {
            requestIndex.insert(slot, hash: hasher.hash(request.bytes, UInt64(grant.uid)))
        }
        linkAsNewest(slot)
        deadlines.insert(slot, at: leases[slot].endsAt, tie: grant.token)
        for index in 0..<leases[slot].keyCount {
            addHolder(slot, to: leases[slot].keySlot(index))
        }
        users[user(grant.uid)].leases += 1
        lastToken = max(lastToken, grant.token)
    }

    private mutating func makeDetails(_ held: HeldLease) -> LeaseDetails? {
        let grant = held.grant
        let isPlain = grant.keys.others.isEmpty && grant.process == nil && grant.request == nil
            && grant.note == nil && !grant.isEphemeral
        guard !isPlain else { return nil }
        let details = LeaseDetails()
        for key in grant.keys.others {
            details.otherKeys.append(keySlotMade(key))
        }
        details.process = grant.process
        details.request = grant.request
        details.note = grant.note
        details.orphanedAt = held.orphanedAt
        return details
    }

    private mutating func renew(_ renewal: Renewal, at instant: Instant) {
        let slot = leaseSlot(renewal.token)
        precondition(slot != .none, "only a lease that is alive is renewed")
        writeToSnapshotBefore(changing: slot)
        if renewal.bindsConnection || renewal.process != nil {
            let details = leases[slot].details ?? LeaseDetails()
            leases[slot].details = details
            if renewal.bindsConnection {
                leases[slot].isEphemeral = true
                details.orphanedAt = nil
                details.orphanedUntil = .never
            }
            details.process = renewal.process ?? details.process
        }
        leases[slot].ttl = renewal.ttl
        leases[slot].ownDeadline = instant + renewal.ttl
        setDeadline(slot, instant + renewal.ttl)
    }

    private mutating func adopt(_ token: Token) {
        let slot = leaseSlot(token)
        precondition(slot != .none, "only a lease that is alive is bound")
        writeToSnapshotBefore(changing: slot)
        leases[slot].details?.orphanedAt = nil
        leases[slot].details?.orphanedUntil = .never
        setDeadline(slot, leases[slot].deadline)
    }

    private mutating func end(_ ending: Ending, at instant: Instant) {
        let slot = leaseSlot(ending.token)
        precondition(slot != .none, "only a lease that is alive ends")
        writeToSnapshotBefore(changing: slot)
        var entry = EndedEntry()
        entry.token = ending.token
        entry.reason = ending.reason
        entry.endedAt = instant
        entry.newestThen = lastToken
        entry.key = leases[slot].key
        entry.otherKeys = leases[slot].details?.otherKeys ?? []
        entry.isShared = leases[slot].isShared
        entry.uid = leases[slot].uid
        entry.request = ending.isTakenBack ? nil : leases[slot].details?.request
        remove(slot)
        remember(entry)
    }

    private mutating func remove(_ slot: Slot) {
        for index in 0..<leases[slot].keyCount {
            removeHolder(slot, from: leases[slot].keySlot(index))
        }
        tokenIndex.remove(slot)
        if leases[slot].details?.request != nil {
            requestIndex.remove(slot)
        }
        deadlines.remove(slot)
        unlink(slot)
        users[user(leases[slot].uid)].leases -= 1
        leases.remove(slot, leaving: .vacant)
    }

    /// The instants of the boot before, on the clock of this one.
    private mutating func shift(by nanoseconds: Int64) {
        guard nanoseconds != 0 else { return }
        forEachLease { ledger, slot in
            ledger.leases[slot].grantedAt = ledger.leases[slot].grantedAt.shifted(by: nanoseconds)
            ledger.leases[slot].ownDeadline = ledger.leases[slot].ownDeadline.shifted(by: nanoseconds)
            let deadline = ledger.leases[slot].deadline.shifted(by: nanoseconds)
            ledger.leases[slot].details?.orphanedAt =
                ledger.leases[slot].details?.orphanedAt?.shifted(by: nanoseconds)
            ledger.setDeadline(slot, deadline)
        }
        for slot in 0..<Slot(ended.count) {
            ended[slot].endedAt = ended[slot].endedAt.shifted(by: nanoseconds)
        }
    }

    private mutating func resume(at instant: Instant, grace: Duration, afterRestart: Bool) {
        forEachLease { ledger, slot in
            let own = ledger.leases[slot].ownDeadline
            let deadline = max(own, min(instant + grace, own + grace))
            if afterRestart, ledger.leases[slot].isEphemeral, let details = ledger.leases[slot].details {
                details.connection = nil
                let orphanedAt = details.orphanedAt ?? instant
                details.orphanedAt = orphanedAt
                details.orphanedUntil = orphanedAt + grace
            }
            ledger.setDeadline(slot, deadline)
        }
    }

    private mutating func forEachLease(_ body: (inout Ledger, Slot) -> Void) {
        var slot = oldest
        while slot != .none {
            let next = leases[slot].next
            body(&self, slot)
            slot = next
        }
    }

    /// Sets the deadline wherever it is known: in the heap, and in the order of each key's holders.
    private mutating func setDeadline(_ slot: Slot, _ deadline: Instant) {
        let before = leases[slot].endsAt
        leases[slot].deadline = deadline
        let end = leases[slot].due
        leases[slot].endsAt = end
        deadlines.move(slot, to: end)
        guard before != end else { return }
        let token = leases[slot].token
        for index in 0..<leases[slot].keyCount {
            let key = leases[slot].keySlot(index)
            guard keys[key].holders != .none else { continue }
            holderTrees.remove(
                order: Order(instant: before.nanoseconds, number: token), from: &keys[key].holders)
            holderTrees.insert(
                slot, order: Order(instant: end.nanoseconds, number: token),
                isExclusive: !leases[slot].isShared, into: &keys[key].holders)
        }
    }
}

// Keys, and who holds them.
extension Ledger {
    private mutating func addHolder(_ slot: Slot, to key: Slot) {
        if keys[key].holderCount == 1 {
            // The second one: from now on they stand in a tree.
            insertIntoTree(keys[key].holder, of: key)
            keys[key].holder = .none
        }
        if keys[key].holderCount > 0 {
            insertIntoTree(slot, of: key)
        } else {
            keys[key].holder = slot
        }
        if leases[slot].isShared {
            keys[key].sharedHolders += 1
        } else {
            keys[key].exclusiveHolders += 1
        }
        keys[key].references += 1
        keys[key].newestToken = max(keys[key].newestToken, leases[slot].token)
    }

    private mutating func removeHolder(_ slot: Slot, from key: Slot) {
        if keys[key].holders == .none {
            keys[key].holder = .none
        } else {
            let order = Order(instant: leases[slot].endsAt.nanoseconds, number: leases[slot].token)
            holderTrees.remove(order: order, from: &keys[key].holders)
            if holderTrees.count(keys[key].holders) == 1 {
                let last = holderTrees.item(keys[key].holders, at: 0)
                let lastOrder = Order(instant: leases[last].endsAt.nanoseconds, number: leases[last].token)
                holderTrees.remove(order: lastOrder, from: &keys[key].holders)
                keys[key].holder = last
            }
        }
        if leases[slot].isShared {
            keys[key].sharedHolders -= 1
        } else {
            keys[key].exclusiveHolders -= 1
        }
        // The reference goes on to the remembered lease, and is let go with it.
    }

    private mutating func insertIntoTree(_ slot: Slot, of key: Slot) {
        let order = Order(instant: leases[slot].endsAt.nanoseconds, number: leases[slot].token)
        holderTrees.insert(slot, order: order, isExclusive: !leases[slot].isShared, into: &keys[key].holders)
    }

    /// The holder of a key that ends first, or `.none`.
    func firstToEnd(_ key: Slot) -> Slot {
        keys[key].holders == .none ? keys[key].holder : holderTrees.item(keys[key].holders, at: 0)
    }

    /// The holder with so many before it in the order of their ends.
    func holder(_ key: Slot, at rank: Int) -> Slot {
        keys[key].holders == .none ? keys[key].holder : holderTrees.item(keys[key].holders, at: rank)
    }

    func keySlot(_ name: Key) -> Slot {
        var slot = keyIndex.first(hasher.hash(name.bytes))
        while slot != .none, keys[slot].name != name {
            slot = keyIndex.next(after: slot)
        }
        return slot
    }

    /// The key's slot, made where there is none. A key that the policy no longer knows gets the plain rules.
    private mutating func keySlotMade(_ name: Key) -> Slot {
        let found = keySlot(name)
        guard found == .none else { return found }
        do throws(UnknownKey) {
            return insertKey(name, rules: try policy.rules(for: name))
        } catch {
            let slot = insertKey(name, rules: Rules())
            keys[slot].isKnown = false
            return slot
        }
    }

    /// Makes a key's entry. Until something refers to it, `forgetIfUnused` takes it away again.
    mutating func insertKey(_ name: Key, rules: Rules) -> Slot {
        let slot = keys.insert(KeyEntry(name: name, rules: ruleSlot(rules)))
        keyIndex.insert(slot, hash: hasher.hash(name.bytes))
        return slot
    }

    mutating func dropReference(_ key: Slot) {
        keys[key].references -= 1
        forgetIfUnused(key)
    }

    mutating func forgetIfUnused(_ key: Slot) {
        guard keys[key].references == 0 else { return }
        keyIndex.remove(key)
        keys.remove(key, leaving: KeyEntry(name: Key(printed: []), rules: 0))
    }

    /// Different rules are few: as many as the policy has ways to combine its lines.
    private mutating func ruleSlot(_ wanted: Rules) -> Slot {
        if let index = rules.firstIndex(of: wanted) { return Slot(index) }
        rules.append(wanted)
        return Slot(rules.count - 1)
    }

    func rules(of key: Slot) -> Rules {
        rules[Int(keys[key].rules)]
    }

    /// The user's place in `users`; they are few, and the last one is asked for most.
    mutating func user(_ uid: UInt32) -> Int {
        if let index = users.firstIndex(where: { $0.uid == uid }) { return index }
        users.append(UserCount(uid: uid))
        return users.count - 1
    }
}

// The order of tokens.
extension Ledger {
    func leaseSlot(_ token: Token) -> Slot {
        var slot = tokenIndex.first(hasher.hash(token))
        while slot != .none, leases[slot].token != token {
            slot = tokenIndex.next(after: slot)
        }
        return slot
    }

    func leaseSlot(request: Text, uid: UInt32) -> Slot {
        var slot = requestIndex.first(hasher.hash(request.bytes, UInt64(uid)))
        while slot != .none, leases[slot].uid != uid || leases[slot].details?.request != request {
            slot = requestIndex.next(after: slot)
        }
        return slot
    }

    private mutating func linkAsNewest(_ slot: Slot) {
        if newest == .none {
            oldest = slot
        } else {
            leases[newest].next = slot
            leases[slot].previous = newest
            if leases[newest].token > leases[slot].token {
                isOutOfOrder = true
            }
        }
        newest = slot
    }

    private mutating func unlink(_ slot: Slot) {
        snapshot.leave(slot, next: leases[slot].next)
        let (previous, next) = (leases[slot].previous, leases[slot].next)
        if previous == .none { oldest = next } else { leases[previous].next = next }
        if next == .none { newest = previous } else { leases[next].previous = previous }
    }

    /// All leases, by token.
    func slotsInOrder() -> [Slot] {
        var slots: [Slot] = []
        slots.reserveCapacity(leaseCount)
        var slot = oldest
        while slot != .none {
            slots.append(slot)
            slot = leases[slot].next
        }
        return slots
    }

    /// Puts the leases into the order of their tokens again. A log that was compacted while leases came and
    /// went has lines of leases behind the grants of younger ones.
    mutating func restoreOrder() {
        guard isOutOfOrder else { return }
        isOutOfOrder = false
        var all: [(token: Token, slot: Slot)] = []
        all.reserveCapacity(leaseCount)
        forEachLease { ledger, slot in all.append((ledger.leases[slot].token, slot)) }
        all.sort { $0.token < $1.token }
        oldest = .none
        newest = .none
        for (_, slot) in all {
            leases[slot].previous = .none
            leases[slot].next = .none
            linkAsNewest(slot)
        }
    }
}

// What has ended is remembered for a while.
extension Ledger {
    private mutating func remember(_ entry: EndedEntry) {
        if ended.count < Limits.endedRememberedMax {
            ended.append(entry)
        } else {
            forget(endedNext)
            ended[endedNext] = entry
        }
        endedIndex.insert(endedNext, hash: hasher.hash(entry.token))
        if let request = entry.request {
            endedRequestIndex.insert(endedNext, hash: hasher.hash(request.bytes, UInt64(entry.uid)))
        }
        endedNext = (endedNext + 1) % Slot(Limits.endedRememberedMax)
    }

    private mutating func forget(_ slot: Slot) {
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
    private mutating func remember(_ lease: EndedLease) {
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
        return Keys(keys[first].name, others.map { keys[$0].name })
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

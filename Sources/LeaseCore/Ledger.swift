// Who holds what: the state that the log keeps. It moves only by changes that have happened.

internal import LeaseModel

/// The durable state. Everything in it follows from the changes applied, in their order.
struct Ledger: ~Copyable {
    /// For the machine and the server, too.
    private let inPlace = InPlace()

    var policy: Policy
    let hasher: Hasher32

    var keys = Slab<KeyEntry>()
    var keyIndex = SlotIndex()
    /// What `reach` has read, in a sum that says nothing: kept so that the compiler does not leave out the
    /// reading.
    private var reached = 0
    /// The different rules in force; keys refer to them by number.
    var rules: [Rules] = []
    /// Where those stand that are not among the first few.
    var furtherRules: [Rules: Slot] = [:]

    var leases = Slab<Lease>()
    var tokenIndex: TokenIndex
    var oldest: Slot = .none
    var newest: Slot = .none
    /// Set where a compacted log brought leases out of their order.
    var isOutOfOrder = false
    /// By when each lease ends.
    var deadlines = DeadlineRuns()
    var holderTrees: OrderTrees
    /// Keys of leases behind their first.
    var otherKeyCount = 0
    var rests = Slab<RestEntry>()
    var restDeadlines = DeadlineHeap()
    /// By token.
    var restIndex = SlotIndex()
    var lastRest: UInt64 = 0
    /// Leases by the uid and ID of their request.
    var requestIndex = SlotIndex()

    /// A ring: the oldest is where the next goes when it is full.
    var ended = Chunks<EndedEntry>()
    var endedNext: Slot = 0
    /// By token: nearly all of them are late.
    var endedIndex: TokenIndex
    var endedRequestIndex = SlotIndex()

    var results: Results
    var users = Chunks<UserCount>()
    /// The one that was asked for last.
    var lastUser: UnsafeMutablePointer<UserCount>?
    var lastToken: Token = 0
    /// The instant of the last change.
    var lastInstant = Instant.zero
    var snapshot = Snapshot()

    init(policy: Policy, seed: UInt64) {
        self.policy = policy
        hasher = Hasher32(seed: seed)
        tokenIndex = TokenIndex(hasher, late: 4_096)
        endedIndex = TokenIndex(hasher, late: 16_384)
        holderTrees = OrderTrees(seed: seed)
        results = Results(seed: seed)
    }

    var leaseCount: Int { leases.count }

    /// Brings near what these changes will look for: among a million keys nothing costs a recovery more than
    /// to wait for memory, one key after the other.
    mutating func reach(for records: [Record]) {
        let hashes = records.compactMap { record -> UInt32? in
            switch record.change {
            case .granted(let grant): hasher.hash(grant.keys.first.bytes)
            case .held(let held): hasher.hash(held.grant.keys.first.bytes)
            case .remembered(let ended): hasher.hash(ended.keys.first.bytes)
            default: nil
            }
        }
        reached &+= keyIndex.reach(hashes)
    }

    /// The one way in which the state moves, but for the grant, renewal and end of a lease whose slot is
    /// known: those come by the functions below, to which this one leads, too. It throws where the change
    /// can't follow from those before it; of one that was decided here, that is a mistake of our own.
    mutating func apply(_ change: Change, at instant: Instant) throws(ImpossibleChange) {
        lastInstant = instant
        switch change {
        case .granted(let grant):
            try insert(grant, at: instant)
        case .renewed(let renewal):
            applyRenewal(try liveSlot(renewal.token), renewal, at: instant)
        case .ended(let ending):
            end(try liveSlot(of: ending), by: ending, at: instant)
        case .bound(let token):
            adopt(try liveSlot(token))
        case .kept(let result):
            try requireNoResult(of: result.token)
            keep(result, at: instant)
        case .forgotten(let forgetting):
            try requireKept(forgetting)
            forget(forgetting)
        case .resumed(let grace, let afterRestart):
            resume(at: instant, grace: grace, afterRestart: afterRestart)
        case .started(let start):
            lastToken = max(lastToken, start.lastToken)
            shift(by: start.shift)
        case .held(let held):
            try insert(held)
        case .remembered(let lease):
            try requireNew(lease)
            remember(lease)
        case .result(let standing):
            try requireFree(standing)
            keep(standing.kept, at: standing.at)
        case .resting(let rest):
            try requireNew(rest)
            let key = keySlotMade(rest.key)
            insertRest(RestEntry(token: rest.token, key: key, uid: rest.uid, until: rest.until))
        case .advanced, .stopped, .compacted:
            break
        }
    }
}

// The same for what happens to one lease, which is nearly all: whoever decides it has the lease at hand, and
// need not name it.
extension Ledger {
    /// What `.granted` comes to. The lease is `newest` then.
    @inline(__always)
    mutating func grant(_ lease: consuming Lease, at instant: Instant) {
        lastInstant = instant
        put(lease)
    }

    /// What `.renewed` comes to, of the lease in this slot.
    mutating func renew(_ slot: Slot, by renewal: Renewal, at instant: Instant) {
        lastInstant = instant
        applyRenewal(slot, renewal, at: instant)
    }

    /// What `.ended` comes to, of the lease in this slot.
    @inline(__always)
    mutating func end(_ slot: Slot, by ending: Ending, at instant: Instant) {
        precondition(slot != .none, "only a lease that is alive ends")
        lastInstant = instant
        if leases.address(of: slot).pointee.details == nil, ending.rests.isEmpty {
            _ = takeOut(slot, ending.reason, at: instant)
        } else {
            applyEnd(slot, ending, at: instant)
        }
    }
}

// Leases come, are renewed, and end.
extension Ledger {
    private mutating func insert(_ grant: Grant, at instant: Instant) throws(ImpossibleChange) {
        try requireNew(grant)
        let deadline = instant + grant.firstTTL
        let lease = lease(
            grant, at: instant, ownDeadline: deadline, deadline: deadline, orphanedAt: nil)
        insert(lease)
    }

    private mutating func insert(_ held: HeldLease) throws(ImpossibleChange) {
        try requireNew(held)
        let lease = lease(
            held.grant, at: held.grantedAt, ownDeadline: held.ownDeadline, deadline: held.deadline,
            orphanedAt: held.orphanedAt)
        insert(lease)
    }

    private mutating func lease(
        _ grant: Grant, at instant: Instant, ownDeadline: Instant, deadline: Instant, orphanedAt: Instant?
    ) -> Lease {
        let key = keySlotMade(grant.keys.first)
        let details = LeaseDetails.ifNeeded(
            otherKeys: grant.keys.others.map { keySlotMade($0) }, process: grant.process,
            request: grant.request, note: grant.note, maxHold: grant.maxHold,
            isEphemeral: grant.isEphemeral)
        details?.orphanedAt = orphanedAt
        return Lease(
            token: grant.token, grantedAt: instant, ownDeadline: ownDeadline, deadline: deadline,
            ttl: grant.ttl, owner: grant.owner, details: details, key: key, uid: grant.uid, pid: grant.pid,
            isShared: grant.isShared, isEphemeral: grant.isEphemeral)
    }

    /// The same as `put`, for recovery, which does it in two places.
    @inline(never)
    private mutating func insert(_ lease: consuming Lease) {
        put(lease)
    }

    /// Inlined, so that the lease is made where it stays.
    @inline(__always)
    private mutating func put(_ lease: consuming Lease) {
        let slot = leases.occupy()
        let place = leases.address(of: slot)
        place.initialize(to: lease)
        let token = place.pointee.token
        place.pointee.endsAt = place.pointee.due
        putInIndex(slot, token)
        linkAsNewest(slot)
        deadlines.insert(slot, at: place.pointee.endsAt, tie: token)
        addHolder(slot, to: place.pointee.key)
        if place.pointee.details != nil { insertDetails(slot) }
        user(place.pointee.uid).pointee.leases += 1
        lastToken = max(lastToken, token)
    }

    @inline(__always)
    private mutating func putInIndex(_ slot: Slot, _ token: Token) {
        let former = tokenIndex.insert(slot, token)
        if former != .none { tokenIndex.insertOlder(former, leases[former].token) }
    }

    @inline(never)
    private mutating func insertDetails(_ slot: Slot) {
        guard let details = leases[slot].details else { return }
        if let request = details.request {
            requestIndex.insert(slot, hash: hasher.hash(request.bytes, UInt64(leases[slot].uid)))
        }
        for key in details.otherKeys {
            addHolder(slot, to: key)
        }
        otherKeyCount += details.otherKeys.count
    }

    private mutating func applyRenewal(_ slot: Slot, _ renewal: Renewal, at instant: Instant) {
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
        let deadline = deadline(ofRenewal: renewal.ttl, slot, at: instant)
        leases[slot].ttl = renewal.ttl
        leases[slot].ownDeadline = deadline.own
        setDeadline(slot, deadline.withGrace)
    }

    /// Where a renewal at this instant moves the deadline. One that `max-hold` cuts short takes away nothing
    /// of a grace that goes beyond; and it adds nothing to it, so that restarts don't add up.
    func deadline(
        ofRenewal ttl: Duration, _ slot: Slot, at instant: Instant
    ) -> (own: Instant, withGrace: Instant, isFinal: Bool) {
        let wanted = instant + ttl
        guard let longest = leases[slot].details?.maxHold else { return (wanted, wanted, false) }
        let last = leases[slot].grantedAt + longest
        guard wanted > last else { return (wanted, wanted, false) }
        return (last, max(last, min(wanted, leases[slot].deadline)), true)
    }

    private mutating func adopt(_ slot: Slot) {
        writeToSnapshotBefore(changing: slot)
        leases[slot].details?.orphanedAt = nil
        leases[slot].details?.orphanedUntil = .never
        setDeadline(slot, leases[slot].deadline)
    }

    @inline(never)
    private mutating func applyEnd(_ slot: Slot, _ ending: Ending, at instant: Instant) {
        // While it has its details: `takeOut` would find none of them.
        writeToSnapshotBefore(changing: slot)
        let details = leases[slot].details == nil ? nil : removeDetails(slot, isTakenBack: ending.isTakenBack)
        let place = takeOut(slot, ending.reason, at: instant)
        if let details { remember(details, at: place) }
        for (index, span) in ending.rests.enumerated() where span > .zero {
            let entry = ended[place]
            guard let key = index == 0 ? entry.key : details?.otherKey(index - 1) else { continue }
            insertRest(RestEntry(token: entry.token, key: key, uid: entry.uid, until: instant + span))
        }
    }

    /// - Returns: what is to be remembered of them.
    private mutating func removeDetails(_ slot: Slot, isTakenBack: Bool) -> EndedDetails? {
        guard let details = leases[slot].details else { return nil }
        for key in details.otherKeys {
            removeHolder(slot, from: key)
        }
        otherKeyCount -= details.otherKeys.count
        if let request = details.request {
            requestIndex.remove(slot, hash: hasher.hash(request.bytes, UInt64(leases[slot].uid)))
        }
        leases[slot].details = nil
        return EndedDetails(otherKeys: details.otherKeys, request: isTakenBack ? nil : details.request)
    }

    /// The end of a lease that has no details (any more).
    /// - Returns: where it is remembered.
    @inline(__always)
    private mutating func takeOut(_ slot: Slot, _ reason: EndReason, at instant: Instant) -> Slot {
        writeToSnapshotBefore(changing: slot)
        let lease = leases.address(of: slot)
        let (token, key, uid) = (lease.pointee.token, lease.pointee.key, lease.pointee.uid)
        removeHolder(slot, from: key)
        tokenIndex.remove(slot, token)
        deadlines.remove(slot)
        unlink(slot)
        user(uid).pointee.leases -= 1
        let place = remember(
            EndedEntry(
                token: token, endedAt: instant, newestThen: lastToken, key: key, uid: uid, reason: reason,
                isShared: lease.pointee.isShared))
        lease.pointee.owner = Text(printed: [])
        leases.vacate(slot)
        return place
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
        shiftResults(by: nanoseconds)
        shiftRests(by: nanoseconds)
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

    mutating func forEachLease(_ body: (inout Ledger, Slot) -> Void) {
        var slot = oldest
        while slot != .none {
            let next = leases[slot].next
            body(&self, slot)
            slot = next
        }
    }

    /// Sets the deadline wherever it is known: among all deadlines, and in the order of each key's holders.
    private mutating func setDeadline(_ slot: Slot, _ deadline: Instant) {
        let before = leases[slot].order
        leases[slot].deadline = deadline
        leases[slot].endsAt = leases[slot].due
        deadlines.move(slot, to: leases[slot].endsAt)
        guard before != leases[slot].order else { return }
        for index in 0..<leases[slot].keyCount {
            let key = leases[slot].keySlot(index)
            guard keys[key].holders != .none else { continue }
            holderTrees.remove(order: before, from: &keys[key].holders)
            insertIntoTree(slot, of: key)
        }
    }
}

// What the ledger's tables are made of: leases, keys, what has ended, and what each user has.

internal import LeaseModel

/// What few leases have, kept apart so that the many stay small.
final class LeaseDetails {
    /// The key slots behind the first.
    var otherKeys: [Slot] = []
    var process: ProcessIdentity?
    var request: Text?
    var note: Text?
    /// The longest that the lease may live, from its grant on.
    var maxHold: Duration?
    /// When an ephemeral lease lost its connection with the daemon that ended, and when that ends it.
    var orphanedAt: Instant?
    var orphanedUntil = Instant.never
    /// A retry was told of it. Not part of the log, as little as the connection.
    var isToldAgain = false
    /// The connection of an ephemeral lease; nil for an orphan.
    var connection: ConnectionID?
    /// Who is told of the lease. Not part of the log.
    var subscriber: Subscriber?
    /// Whether a warning is due before its end.
    var isToBeWarned = false

    /// nil: the lease has nothing of that.
    static func ifNeeded(
        otherKeys: [Slot], process: ProcessIdentity?, request: Text?, note: Text?, maxHold: Duration?,
        isEphemeral: Bool
    ) -> LeaseDetails? {
        let isPlain = otherKeys.isEmpty && process == nil && request == nil && note == nil && maxHold == nil
            && !isEphemeral
        guard !isPlain else { return nil }
        let details = LeaseDetails()
        details.otherKeys = otherKeys
        details.process = process
        details.request = request
        details.note = note
        details.maxHold = maxHold
        return details
    }
}

/// A lease that is alive. A vacant slot has no owner and no details; the rest of it means nothing.
struct Lease {
    var token: Token = 0
    var grantedAt = Instant.zero
    /// As last granted or renewed.
    var ownDeadline = Instant.zero
    /// With the grace that it was given since.
    var deadline = Instant.zero
    /// When it ends if nothing else happens: its place among all deadlines, and the holders of each key.
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

    var keyCount: Int { details == nil ? 1 : 1 + details!.otherKeys.count }

    func keySlot(_ index: Int) -> Slot {
        index == 0 ? key : details!.otherKeys[index - 1]
    }

    /// From the grant to the deadline of now: for one that was just granted, all that `max-hold` leaves of
    /// its ttl.
    var span: Duration { grantedAt.until(deadline) }

    /// When it ends, as its deadline and its want of a connection have it: `endsAt` follows it.
    var due: Instant { isEphemeral ? min(deadline, details?.orphanedUntil ?? .never) : deadline }

    /// Its place among the holders of a key: by end.
    var order: Order { Order(instant: endsAt.nanoseconds, number: token) }

    /// Why it ends then: an orphan that has time left ends for want of a connection.
    var reasonWhenDue: EndReason {
        deadline <= endsAt ? .expired : .disconnected
    }
}

extension Lease {
    /// One that is granted now.
    init(
        token: Token, at instant: Instant, ttl: Duration, owner: Text, details: LeaseDetails?, key: Slot,
        uid: UInt32, pid: Int32, isShared: Bool, isEphemeral: Bool
    ) {
        let deadline = instant + min(ttl, details?.maxHold ?? .forever)
        self.init(
            token: token, grantedAt: instant, ownDeadline: deadline, deadline: deadline, ttl: ttl,
            owner: owner, details: details, key: key, uid: uid, pid: pid, isShared: isShared,
            isEphemeral: isEphemeral)
    }
}

/// Which rules a key has at all that a grant or an end has to ask for, but for the default ttl. Most keys
/// have none of these, and need not be asked for them: the short ways of both ask for no other rule.
struct RuleMarks: OptionSet {
    let rawValue: UInt8

    static let maxTTL = RuleMarks(rawValue: 1)
    static let maxHold = RuleMarks(rawValue: 2)
    static let rate = RuleMarks(rawValue: 4)
    static let maxWait = RuleMarks(rawValue: 8)
    static let maxPriority = RuleMarks(rawValue: 16)
    static let lockDelay = RuleMarks(rawValue: 32)

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    init(of rules: Rules) {
        self = []
        if rules.maxTTL != nil { insert(.maxTTL) }
        if rules.maxHold != nil { insert(.maxHold) }
        if rules.rate != nil { insert(.rate) }
        if rules.maxWait != nil { insert(.maxWait) }
        if rules.maxPriority != nil { insert(.maxPriority) }
        if rules.lockDelay != nil { insert(.lockDelay) }
    }
}

/// A key that is held, waited for, or remembered.
struct KeyEntry {
    var name: Key
    var rules: Slot
    /// Whether the policy has rules for it; a log may hold keys of a kind that is gone.
    var isKnown = true
    var marks: RuleMarks = []
    /// Whether more of its line may be granted than `front` says: they are let in in slices.
    var isLettingIn = false
    var exclusiveHolders: UInt32 = 0
    var sharedHolders: UInt32 = 0
    /// The holder, where there is one; the tree of holders by (deadline, token), where there are more.
    var holder: Slot = .none
    var holders: Slot = .none
    /// The line: a tree of places by (arrival, number).
    var line: Slot = .none
    /// Those of the line who wait for the holder's work: a tree as well.
    var joiners: Slot = .none
    /// What is kept for those who ask for the work.
    var result: Slot = .none
    /// The slots that rest: a tree by (end, token).
    var rests: Slot = .none
    /// Its grants that a `rate` still counts, in `Rates`.
    var rate: Slot = .none
    /// How many at the head of the line stand where this key would let them be granted.
    var front: UInt32 = 0
    var newestToken: Token = 0
    /// Holders, rests, counted grants, places in line, remembered leases and kept results that name it:
    /// without any the key is forgotten.
    var references: UInt32 = 0
    /// Where its kind stands in the policy, for the counts. Last: there it makes the entry no larger.
    var kind = EventEntry.unknownKind

    var holderCount: Int { Int(exclusiveHolders) + Int(sharedHolders) }

    /// Nobody holds it or waits for it, none of its slots rests, and no rule bounds who may have it for how
    /// long: nothing is in the way of anyone.
    var isFree: Bool {
        exclusiveHolders == 0 && sharedHolders == 0 && line == .none && rests == .none && marks.isEmpty
    }
}

/// What few of those have that are remembered.
final class EndedDetails {
    let otherKeys: [Slot]
    let request: Text?

    /// nil: there is nothing to remember.
    init?(otherKeys: [Slot], request: Text?) {
        guard !otherKeys.isEmpty || request != nil else { return nil }
        (self.otherKeys, self.request) = (otherKeys, request)
    }

    func otherKey(_ index: Int) -> Slot? { index < otherKeys.count ? otherKeys[index] : nil }
}

/// An ended lease as it is remembered, its keys as slots.
struct EndedEntry {
    let token: Token
    var endedAt: Instant
    /// The newest token of all when it ended: a greater one was granted since.
    let newestThen: Token
    var details: EndedDetails?
    let key: Slot
    let uid: UInt32
    let reason: EndReason
    let isShared: Bool

    var otherKeys: [Slot] { details?.otherKeys ?? [] }
    var request: Text? { details?.request }
}

/// What one user has.
struct UserCount {
    let uid: UInt32
    /// Slots that rest count as well.
    var leases = 0
    var waiters = 0
    var joiners = 0
    /// The tree of its kept results, and their bytes.
    var results: Slot = .none
    var resultBytes = 0
    /// Grants that a `rate` still counts, for each of their keys.
    var countedGrants = 0
}

// What happened: the only way in which the state of the leases moves, and what the log is made of.

/// The number of a lease, and the fencing token to hand to whatever the lease protects. The first is 1.
public typealias Token = UInt64
/// The number of a change. Events carry it, and the log is numbered by it.
public typealias Sequence64 = UInt64

/// A process as the kernel knows it: a pid alone is used again, a pid with its start time is not.
public struct ProcessIdentity: Hashable, Sendable {
    public let pid: Int32
    /// When it started, in the kernel's clock ticks since boot (field 22 of `/proc/PID/stat`, proc(5)).
    public let startTicks: UInt64

    public init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }
}

/// The keys of one request, in its order: at least one. The first stands by itself, so that the usual single
/// key costs no array.
public struct Keys: Hashable, Sendable {
    public let first: Key
    public let others: [Key]

    public init(_ first: Key, _ others: [Key] = []) {
        self.first = first
        self.others = others
    }

    public var count: Int { 1 + others.count }

    public subscript(index: Int) -> Key {
        index == 0 ? first : others[index - 1]
    }

    public var all: [Key] { [first] + others }

    /// The same keys, whatever their order.
    public func names(sameAs other: Keys) -> Bool {
        count == other.count && (self == other || Set(all) == Set(other.all))
    }
}

/// A lease as it was granted. An object, since it is made once and passed on from the decision to the log.
public final class Grant: Sendable {
    public let token: Token
    public let keys: Keys
    public let owner: Text
    public let uid: UInt32
    public let pid: Int32
    public let ttl: Duration
    /// Its whole life from the grant, however often it is renewed: what the policy said then. nil: no bound.
    public let maxHold: Duration?
    public let isShared: Bool
    /// Ends when its connection closes, too.
    public let isEphemeral: Bool
    /// Ends when this process ends, too.
    public let process: ProcessIdentity?
    /// The client's name for the request, by which a retry is known.
    public let request: Text?
    public let note: Text?

    public init(
        token: Token, keys: Keys, owner: Text, uid: UInt32, pid: Int32, ttl: Duration,
        maxHold: Duration? = nil, isShared: Bool = false, isEphemeral: Bool = false,
        process: ProcessIdentity? = nil, request: Text? = nil, note: Text? = nil
    ) {
        self.token = token
        self.keys = keys
        self.owner = owner
        self.uid = uid
        self.pid = pid
        self.ttl = ttl
        self.maxHold = maxHold
        self.isShared = isShared
        self.isEphemeral = isEphemeral
        self.process = process
        self.request = request
        self.note = note
    }

    /// How long it lasts if nobody renews it.
    public var firstTTL: Duration { min(ttl, maxHold ?? .forever) }

    /// The same with what a renewal says.
    public func renewed(by renewal: Renewal) -> Grant {
        Grant(
            token: token, keys: keys, owner: owner, uid: uid, pid: pid, ttl: renewal.ttl, maxHold: maxHold,
            isShared: isShared, isEphemeral: isEphemeral || renewal.bindsConnection,
            process: renewal.process ?? process, request: request, note: note)
    }
}

extension Grant: Equatable {
    public static func == (left: Grant, right: Grant) -> Bool {
        left.token == right.token && left.keys == right.keys && left.owner == right.owner
            && left.uid == right.uid && left.pid == right.pid && left.ttl == right.ttl
            && left.maxHold == right.maxHold && left.isShared == right.isShared
            && left.isEphemeral == right.isEphemeral && left.process == right.process
            && left.request == right.request && left.note == right.note
    }
}

/// A new deadline: the instant of the change plus `ttl`, which is the lease's own from then on. Its `maxHold`
/// may cut it short.
public struct Renewal: Equatable, Sendable {
    public var token: Token
    public var ttl: Duration
    /// It is bound to a connection from now on (also if it was before).
    public var bindsConnection: Bool
    /// It is bound to this process from now on; nil leaves it as it was.
    public var process: ProcessIdentity?

    public init(token: Token, ttl: Duration, bindsConnection: Bool = false, process: ProcessIdentity? = nil) {
        self.token = token
        self.ttl = ttl
        self.bindsConnection = bindsConnection
        self.process = process
    }
}

/// Why a lease ended.
public enum EndReason: UInt8, Equatable, Sendable, CaseIterable {
    case released, expired, evicted, processEnded, disconnected

    public var word: StaticString {
        switch self {
        case .released: "released"
        case .expired: "expired"
        case .evicted: "evicted"
        case .processEnded: "process-ended"
        case .disconnected: "disconnected"
        }
    }
}

/// The end of a lease.
public struct Ending: Equatable, Sendable {
    public var token: Token
    public var reason: EndReason
    /// A grant whose reply could not be handed over: it leaves no trace but its token.
    public var isTakenBack: Bool
    /// What the administrator who evicted it had to say.
    public var note: Text?
    /// How long the slot of each of its keys rests, in their order; empty where none does.
    public var rests: [Duration]

    public init(
        token: Token, reason: EndReason, isTakenBack: Bool = false, note: Text? = nil, rests: [Duration] = []
    ) {
        self.token = token
        self.reason = reason
        self.isTakenBack = isTakenBack
        self.note = note
        self.rests = rests
    }
}

/// A slot that rests after its lease has ended, as a compacted log keeps it.
public struct Rest: Equatable, Sendable {
    /// Of the lease that ended.
    public var token: Token
    public var key: Key
    public var uid: UInt32
    public var until: Instant

    public init(token: Token, key: Key, uid: UInt32, until: Instant) {
        self.token = token
        self.key = key
        self.uid = uid
        self.until = until
    }
}

/// A lease as a compacted log keeps it: its grant and what has become of it since.
public struct HeldLease: Equatable, Sendable {
    /// With the ttl, the process and the binding of the last renewal.
    public var grant: Grant
    public var grantedAt: Instant
    /// As last granted or renewed, before any grace.
    public var ownDeadline: Instant
    /// When it ends, with the grace that it was given.
    public var deadline: Instant
    /// When an ephemeral lease lost its connection with the daemon that ended; nil for all others.
    public var orphanedAt: Instant?

    public init(
        grant: Grant, grantedAt: Instant, ownDeadline: Instant, deadline: Instant, orphanedAt: Instant?
    ) {
        self.grant = grant
        self.grantedAt = grantedAt
        self.ownDeadline = ownDeadline
        self.deadline = deadline
        self.orphanedAt = orphanedAt
    }
}

/// An ended lease as it is remembered.
public struct EndedLease: Equatable, Sendable {
    public var token: Token
    public var reason: EndReason
    public var endedAt: Instant
    public var keys: Keys
    public var isShared: Bool
    public var uid: UInt32
    /// nil also where the grant was taken back: then its ID is free.
    public var request: Text?
    /// The newest token of all when it ended: a greater one on one of its keys was granted since.
    public var newestThen: Token

    public init(
        token: Token, reason: EndReason, endedAt: Instant, keys: Keys, isShared: Bool, uid: UInt32,
        request: Text?, newestThen: Token
    ) {
        self.token = token
        self.reason = reason
        self.endedAt = endedAt
        self.keys = keys
        self.isShared = isShared
        self.uid = uid
        self.request = request
        self.newestThen = newestThen
    }
}

/// The beginning of a daemon's work on a data directory.
public struct Start: Equatable, Sendable {
    /// The boot of the machine, as the kernel names it.
    public var boot: Text
    /// What every instant of before is moved by: not 0 only after a reboot, when the clock began anew.
    public var shift: Int64
    /// The numbers from which this daemon goes on: the last ones that may have been used before.
    public var lastToken: Token

    public init(boot: Text, shift: Int64, lastToken: Token) {
        self.boot = boot
        self.shift = shift
        self.lastToken = lastToken
    }
}

/// One thing that happened.
public enum Change: Equatable, Sendable {
    case granted(Grant)
    case renewed(Renewal)
    case ended(Ending)
    /// An ephemeral lease that had outlived its daemon has a connection again.
    case bound(Token)
    /// A result is kept; for each of its keys it takes the place of the one that was.
    indirect case kept(KeptResult)
    indirect case forgotten(Forgetting)
    /// The daemon (or the machine) had not been there for its holders: each deadline d, as last granted or
    /// renewed, is now the later of d and min(now + grace, d + grace). After a restart, ephemeral leases are
    /// orphans.
    case resumed(grace: Duration, afterRestart: Bool)
    /// The manual clock was moved to the instant of this change.
    case advanced
    indirect case started(Start)
    /// The daemon stopped in order: everything is on the disk, and numbers go on without a gap.
    case stopped
    /// A compacted log is complete up to here, with so many lines of state: they have no numbers of their
    /// own by which a lost one could be told.
    case compacted(lines: UInt64)
    /// Lines of a compacted log: what there was when it was written. They repeat the number of the change
    /// before.
    indirect case held(HeldLease)
    indirect case remembered(EndedLease)
    indirect case result(StandingResult)
    indirect case resting(Rest)
}

/// Why a change can't have happened where a log has it: those before it say otherwise. In words.
package struct ImpossibleChange: Error, Equatable {
    package let what: String

    package init(_ what: String) {
        self.what = what
    }
}

/// The same, of one of several records.
package struct ImpossibleRecord: Error, Equatable {
    /// Its place among them. Those before it were applied.
    package let index: Int
    package let what: String

    package init(index: Int, what: String) {
        self.index = index
        self.what = what
    }
}

/// A change with its place in the order and its instant.
public struct Record: Equatable, Sendable {
    public var sequence: Sequence64
    public var at: Instant
    public var change: Change

    public init(sequence: Sequence64, at: Instant, change: Change) {
        self.sequence = sequence
        self.at = at
        self.change = change
    }
}

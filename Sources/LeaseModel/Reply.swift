// What is answered, as values: the wire gives them their words.

/// A holder as others are told of it.
public struct HolderView: Equatable, Sendable {
    public var token: Token
    /// nil: not to be shown to who asks.
    public var owner: Text?
    public var pid: Int32
    public var uid: UInt32
    public var age: Duration
    public var left: Duration
    public var isShared: Bool

    public init(
        token: Token, owner: Text?, pid: Int32, uid: UInt32, age: Duration, left: Duration, isShared: Bool
    ) {
        self.token = token
        self.owner = owner
        self.pid = pid
        self.uid = uid
        self.age = age
        self.left = left
        self.isShared = isShared
    }
}

/// Why a request was not granted.
public enum BusyReason: UInt8, Equatable, Sendable, CaseIterable {
    case held, limit, resting, rate, queued, queueFull, timeout, cancelled, dropped, superseded, draining

    public var word: StaticString {
        switch self {
        case .held: "held"
        case .limit: "limit"
        case .resting: "resting"
        case .rate: "rate"
        case .queued: "queued"
        case .queueFull: "queue-full"
        case .timeout: "timeout"
        case .cancelled: "cancelled"
        case .dropped: "dropped"
        case .superseded: "superseded"
        case .draining: "draining"
        }
    }
}

/// `BUSY`: the first key in the way, and what stands there.
public struct Busy: Equatable, Sendable {
    public var key: Key
    public var reason: BusyReason
    /// The holder that ends first.
    public var holder: HolderView?
    /// The owner of the first in line, where there is room but others are before.
    public var ahead: Text?
    /// When what is in the way for now will be no more: the rest of a slot, or too many grants in a window.
    public var retry: Duration?
    public var limit: Int
    public var waiting: Int
    /// How long it stood in line; nil if it did not.
    public var waited: Duration?

    public init(
        key: Key, reason: BusyReason, holder: HolderView?, ahead: Text?, retry: Duration? = nil, limit: Int,
        waiting: Int, waited: Duration?
    ) {
        self.key = key
        self.reason = reason
        self.holder = holder
        self.ahead = ahead
        self.retry = retry
        self.limit = limit
        self.waiting = waiting
        self.waited = waited
    }
}

/// `GONE`. Without a reason, the lease is unknown: never granted, or no longer remembered.
public struct Gone: Equatable, Sendable {
    public var token: Token
    public var reason: EndReason?
    public var ago: Duration
    /// The newest token granted on one of its keys since; 0 for none.
    public var next: Token

    public init(token: Token, reason: EndReason?, ago: Duration, next: Token) {
        self.token = token
        self.reason = reason
        self.ago = ago
        self.next = next
    }
}

/// `DONE`: somebody else's result.
public struct Done: Equatable, Sendable {
    public var token: Token
    public var result: Text
    /// How long the request stood in line; nil for a kept result, which answers at once.
    public var waited: Duration?
    /// How old a kept result is.
    public var age: Duration?

    public init(token: Token, result: Text, waited: Duration? = nil, age: Duration? = nil) {
        self.token = token
        self.result = result
        self.waited = waited
        self.age = age
    }
}

/// A kept result as `get` prints it.
public struct KeptView: Equatable, Sendable {
    public var kept: KeptResult
    public var age: Duration
    public var left: Duration
    /// The owner and the result itself are not to be shown to who asks.
    public var isVeiled: Bool

    public init(kept: KeptResult, age: Duration, left: Duration, isVeiled: Bool = false) {
        self.kept = kept
        self.age = age
        self.left = left
        self.isVeiled = isVeiled
    }
}

/// A lease as `list`, `check` and `get` print it.
public struct LeaseView: Equatable, Sendable {
    public var grant: Grant
    public var age: Duration
    public var left: Duration
    /// Owner and note are not to be shown to who asks.
    public var isVeiled: Bool

    public init(grant: Grant, age: Duration, left: Duration, isVeiled: Bool = false) {
        self.grant = grant
        self.age = age
        self.left = left
        self.isVeiled = isVeiled
    }
}

/// A waiter as `list waiting` and `get` print it.
public struct WaiterView: Equatable, Sendable {
    public var keys: Keys
    /// nil: not to be shown to who asks.
    public var owner: Text?
    public var pid: Int32
    public var uid: UInt32
    public var waited: Duration
    /// Until its wait is over; nil: it has no end.
    public var left: Duration?
    public var priority: Int
    public var isShared: Bool
    /// It waits for the work.
    public var joins: Bool
    /// From 1, in the line of the key that was asked for; 0 in `list waiting`.
    public var position: Int

    public init(
        keys: Keys, owner: Text?, pid: Int32, uid: UInt32, waited: Duration, left: Duration?, priority: Int,
        isShared: Bool, joins: Bool = false, position: Int
    ) {
        self.keys = keys
        self.owner = owner
        self.pid = pid
        self.uid = uid
        self.waited = waited
        self.left = left
        self.priority = priority
        self.isShared = isShared
        self.joins = joins
        self.position = position
    }
}

/// A slot that rests, as `get` prints it.
public struct RestView: Equatable, Sendable {
    /// Of the lease that ended.
    public var token: Token
    public var left: Duration

    public init(token: Token, left: Duration) {
        self.token = token
        self.left = left
    }
}

/// `get`.
public struct KeyView: Equatable, Sendable {
    public var key: Key
    public var rules: Rules
    public var holderCount: Int
    public var waiterCount: Int
    public var restCount: Int
    /// When its rate allows another grant, where it allows none now.
    public var nextGrant: Duration?
    public var holders: [LeaseView]
    public var waiters: [WaiterView]
    public var rests: [RestView]
    public var kept: KeptView?
    /// `limit` cut the lines.
    public var hasMore: Bool

    public init(
        key: Key, rules: Rules, holderCount: Int, waiterCount: Int, restCount: Int = 0,
        nextGrant: Duration? = nil, holders: [LeaseView], waiters: [WaiterView], rests: [RestView] = [],
        kept: KeptView? = nil, hasMore: Bool
    ) {
        self.key = key
        self.rules = rules
        self.holderCount = holderCount
        self.waiterCount = waiterCount
        self.restCount = restCount
        self.nextGrant = nextGrant
        self.holders = holders
        self.waiters = waiters
        self.rests = rests
        self.kept = kept
        self.hasMore = hasMore
    }
}

/// Large cases stand apart: every reply that is passed on takes the room of the largest that does not.
public enum Reply: Equatable, Sendable {
    case ok
    case granted(token: Token, ttl: Duration, waited: Duration?, again: Bool)
    /// `isFinal`: its `max-hold` cut it short, and no renewal makes it longer.
    case renewed(token: Token, ttl: Duration, isFinal: Bool = false)
    /// `release` and `evict`. `kept`: how long the result is kept, where it is.
    case released(token: Token, held: Duration, kept: Duration? = nil)
    indirect case done(Done)
    /// `forget`: whose result was dropped, and how old it was.
    case forgotten(token: Token, age: Duration)
    indirect case busy(Busy)
    indirect case gone(Gone)
    indirect case checked(LeaseView)
    indirect case key(KeyView)
    indirect case leases([LeaseView], hasMore: Bool)
    indirect case waiters([WaiterView], hasMore: Bool)
    /// `watch`: the last change before it, and how many leases are shown next; nil where none are asked for.
    case watching(sequence: Sequence64, leases: Int?)
    /// In their order; `hasMore`: older ones were left out.
    indirect case history([Event], now: Instant, hasMore: Bool)
    /// `policy KEY`: each rule with the line of the policy that gave it (0: nowhere, it always holds).
    indirect case rules(Key, [Policy.Origin])
    case policy([Policy.Line])
    indirect case whoami(Peer)
    case help(Verb?)
    indirect case statistics(StatisticsView)
    case clock(now: Instant, isManual: Bool)
    case compacted(bytesBefore: Int, bytesAfter: Int)
    indirect case refused(Refusal)
}

/// `ERR`: the request was wrong, or can't be carried out. The wire makes the code, its fields and the
/// sentence.
public enum Refusal: Error, Equatable, Sendable {
    // The line.
    case lineTooLong
    case lineNotEnded
    case badTag
    case tagInUse([UInt8])
    case noVerb
    case controlCharacter(byte: UInt8, column: Int)
    case unknownVerb([UInt8], meant: Verb?)
    /// A word that is no key, token, flag or option of this verb.
    case unknownWord([UInt8], Verb, meant: String?)
    case unknownOption([UInt8], Verb, meant: String?)
    case givenTwice([UInt8])
    /// What is missing, as in "a key".
    case missing(Verb, what: String)
    case tooManyKeys
    case tooManyPrefixes
    case badKey([UInt8], KeyError)
    case badToken([UInt8])
    /// An option's value, and what to write instead.
    case badValue(option: String, value: [UInt8], want: String)
    // The request.
    case unknownKey(Key, UnknownKey)
    case ttlTooLong(Key, max: Duration)
    case waitTooLong(Key, max: Duration)
    case priorityTooHigh(Key, max: Int)
    case cannotJoin(JoinProblem)
    case requestDiffers(Text)
    case noProcess(Int32)
    case processOfAnother(Int32)
    case forbidden(Token, uid: UInt32)
    case administratorsOnly(Verb)
    case noSuchTag([UInt8])
    /// `watch since=`: the oldest event that is remembered has this number.
    case tooOld(oldest: Sequence64)
    /// `watch since=`: the last change has this number.
    case notYet(newest: Sequence64)
    case nothingKept(Key)
    case keptByAnother(Key, uid: UInt32)
    /// `reload`: the new policy is wrong there, and the old one stays.
    case badPolicy(PolicyError)
    /// `reload`: the file can't be read.
    case noPolicy(String)
    case withdrawn
    case clockNotManual
    // What the daemon can't do.
    case tooManyConnections(max: Int, flag: String)
    case tooManyLeases(max: Int, flag: String)
    case tooManyWaiters(max: Int, flag: String)
    case tooManyCounted(max: Int, flag: String)
    case noSpace
    case storage(String)
    case stopping
    case compactionStopped
}

/// Why a request can't be for the work instead of the key.
public enum JoinProblem: Equatable, Sendable {
    case severalKeys
    case shared
    case severalSlots(Key, limit: Int)
}

// What is asked: the requests that a client can make, as values.

/// Who is at the other end of a connection, as the kernel said when it connected.
public struct Peer: Equatable, Sendable {
    public var uid: UInt32
    public var pid: Int32
    /// The owner of leases that name none: the peer's command and pid, as in `nc:3312`.
    public var defaultOwner: Text
    /// root, or the uid of the daemon itself.
    public var isAdministrator: Bool

    public init(uid: UInt32, pid: Int32, defaultOwner: Text, isAdministrator: Bool) {
        self.uid = uid
        self.pid = pid
        self.defaultOwner = defaultOwner
        self.isAdministrator = isAdministrator
    }
}

/// What was found out about a process that a request names.
public enum ProcessReport: Equatable, Sendable {
    case notLookedAt
    case alive(ProcessIdentity, uid: UInt32)
    case dead
}

/// `acquire`: all the keys or none. It is kept small, since it is passed on and kept several times on its
/// way: what is rarely asked for stands apart, behind one reference.
public struct AcquireRequest: Equatable, Sendable {
    /// nil where nothing of it is asked for. (First, so that the compiler's own initializer is told from
    /// those below. They call it: where the properties of a struct are set one by one, all of it is copied at
    /// the end.)
    public private(set) var rarities: Rarities?
    public var keys: Keys
    /// The owner, where it names one. Apart from whether it does: where an optional text is copied out of
    /// something as large, the compiler looks up how that is done each time.
    public private(set) var named: Text
    /// nil: the policy's.
    public var ttl: Duration?
    // (Here they stand where nothing else fits.)
    public var isShared: Bool
    /// Waits for the holder's work, not for the key.
    public var joins: Bool
    public var isEphemeral: Bool
    /// Its connection is told of what happens to the request and to its lease.
    public var notifies: Bool
    public private(set) var namesOwner: Bool
    /// Zero: answer at once. `.forever`: no end.
    public var wait: Duration
    public var priority: Int

    /// What most requests don't ask for. It never changes: another takes its place.
    public final class Rarities: Sendable {
        public let whilePID: Int32?
        public let request: Text?
        public let note: Text?

        private init(whilePID: Int32?, request: Text?, note: Text?) {
            self.whilePID = whilePID
            self.request = request
            self.note = note
        }

        /// nil where nothing of it is asked for.
        public static func of(_ whilePID: Int32?, _ request: Text?, _ note: Text?) -> Rarities? {
            if whilePID == nil, request == nil, note == nil { return nil }
            return Rarities(whilePID: whilePID, request: request, note: note)
        }
    }
}

extension AcquireRequest {
    public init(
        keys: Keys, owner: Text? = nil, ttl: Duration? = nil, wait: Duration = .zero, priority: Int = 0,
        isShared: Bool = false, joins: Bool = false, isEphemeral: Bool = false, whilePID: Int32? = nil,
        notifies: Bool = false, request: Text? = nil, note: Text? = nil
    ) {
        self.init(
            rarities: Rarities.of(whilePID, request, note), keys: keys, named: owner ?? Text(printed: []),
            ttl: ttl, isShared: isShared, joins: joins, isEphemeral: isEphemeral, notifies: notifies,
            namesOwner: owner != nil, wait: wait, priority: priority)
    }

    /// For who makes very many of them: nothing else is done here.
    public init(
        keys: Keys, named: Text, namesOwner: Bool, ttl: Duration?, wait: Duration, priority: Int,
        isShared: Bool, joins: Bool, isEphemeral: Bool, notifies: Bool, rarities: Rarities?
    ) {
        self.init(
            rarities: rarities, keys: keys, named: named, ttl: ttl, isShared: isShared, joins: joins,
            isEphemeral: isEphemeral, notifies: notifies, namesOwner: namesOwner, wait: wait,
            priority: priority)
    }
}

extension AcquireRequest.Rarities: Equatable {
    public static func == (left: AcquireRequest.Rarities, right: AcquireRequest.Rarities) -> Bool {
        left.whilePID == right.whilePID && left.request == right.request && left.note == right.note
    }
}

extension AcquireRequest {
    /// The pid of `while=`, as written.
    public var whilePID: Int32? {
        get { rarities?.whilePID }
        set { rarities = Rarities.of(newValue, request, note) }
    }

    /// nil: the peer's command and pid.
    public var owner: Text? {
        get { namesOwner ? named : nil }
        set { (named, namesOwner) = (newValue ?? Text(printed: []), newValue != nil) }
    }

    /// The owner that it names, else this one.
    public func owner(orElse usual: Text) -> Text { namesOwner ? named : usual }

    /// By it the same request is known when it comes again.
    public var request: Text? {
        get { if let rarities { rarities.request } else { nil } }
        set { rarities = Rarities.of(whilePID, newValue, note) }
    }

    public var note: Text? {
        get { if let rarities { rarities.note } else { nil } }
        set { rarities = Rarities.of(whilePID, request, newValue) }
    }
}

public struct RenewRequest: Equatable, Sendable {
    public var token: Token
    /// nil: the lease's own.
    public var ttl: Duration?
    public var isEphemeral: Bool
    public var whilePID: Int32?

    public init(token: Token, ttl: Duration? = nil, isEphemeral: Bool = false, whilePID: Int32? = nil) {
        self.token = token
        self.ttl = ttl
        self.isEphemeral = isEphemeral
        self.whilePID = whilePID
    }
}

public struct ReleaseRequest: Equatable, Sendable {
    public var token: Token
    /// What the work came to, for those who joined.
    public var result: Text?
    /// How long the result answers later `join` requests; nil: as long as the policy says.
    public var keep: Duration?

    public init(token: Token, result: Text? = nil, keep: Duration? = nil) {
        self.token = token
        self.result = result
        self.keep = keep
    }
}

public struct ListRequest: Equatable, Sendable {
    public var prefix: KeyPrefix
    /// The waiters instead of the leases.
    public var waiting: Bool
    public var limit: Int
    /// Only leases with a greater token.
    public var after: Token

    public init(prefix: KeyPrefix = .all, waiting: Bool = false, limit: Int = 1_000, after: Token = 0) {
        self.prefix = prefix
        self.waiting = waiting
        self.limit = limit
        self.after = after
    }
}

/// One line of a client.
public enum Request: Equatable, Sendable {
    case acquire(AcquireRequest)
    case renew(RenewRequest)
    case release(ReleaseRequest)
    /// The tag of the request to withdraw.
    case cancel([UInt8])
    case get(Key, limit: Int)
    case check(Token)
    case list(ListRequest)
    /// What happens under these prefixes (none: anywhere), from now on or after a change.
    case watch([KeyPrefix], since: Sequence64?)
    case unwatch
    case history(KeyPrefix, last: Int)
    /// Drops the kept result of a key.
    case forget(Key)
    case stats
    case policy(Key?)
    case whoami
    case ping
    /// The verb to explain; nil: all.
    case help(Verb?)
    case quit
    case evict(Token, note: Text?)
    case compact
    /// Reads the policy again.
    case reload
    /// Stops granting, until the daemon is started anew.
    case drain
    /// nil: only tell the time.
    case clock(advance: Duration?)
}

/// The verbs, in the order in which `help` lists them.
public enum Verb: String, CaseIterable, Sendable {
    case acquire, renew, release, cancel, get, check, list, watch, unwatch, history, forget
    case stats, policy, whoami, ping, help, quit
    case evict, compact, reload, drain, clock
}

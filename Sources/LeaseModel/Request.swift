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

/// One line of a client. A large case stands apart: each request takes the room of the largest that does not.
public enum Request: Equatable, Sendable {
    case acquire(AcquireRequest)
    case renew(RenewRequest)
    case release(ReleaseRequest)
    /// The tag of the request to withdraw.
    case cancel([UInt8])
    case get(Key, limit: Int)
    case check(Token)
    indirect case list(ListRequest)
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

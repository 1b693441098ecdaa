// A change as it is told to those who watch and those who count: with the keys and the holder, which the log
// need not repeat.

/// What happened to a lease, or to who waits for one. It is handed over, not shared: who counts it and who
/// watches look at it on its way to where it is remembered.
public struct Event: Equatable, Sendable {
    /// Numbers alone, so that to look at it costs nothing.
    public enum What: Equatable, Sendable {
        /// `waited` is nil where it did not stand in line.
        case granted(ttl: Duration, waited: Duration?)
        /// `left` is what was left of the former ttl.
        case renewed(ttl: Duration, formerTTL: Duration, left: Duration)
        case ended(EndReason, held: Duration)
        case kept(for: Duration)
        case forgotten(ForgetReason)
        /// A request has come to stand in line: at this place, or further ahead on others of its keys.
        case queued(position: Int, priority: Int)
        /// A request goes from the line without a grant.
        case left(LeaveReason, waited: Duration)

        /// Whether it has a number of its own, and is remembered.
        public var isChange: Bool {
            switch self {
            case .granted, .renewed, .ended, .kept, .forgotten: true
            case .queued, .left: false
            }
        }
    }

    /// Of the change; an event that is no change has the number of the change before it.
    public let sequence: Sequence64
    public let at: Instant
    public let what: What
    public let keys: Keys
    /// 0 for a request in line.
    public let token: Token
    public let owner: Text
    public let uid: UInt32
    public let pid: Int32
    public let isShared: Bool
    /// What the lease is bound to.
    public let isEphemeral: Bool
    public let whilePID: Int32?
    /// Of the lease; of an eviction, what the administrator had to say.
    public let note: Text?

    public var isChange: Bool { what.isChange }

    public init(
        sequence: Sequence64, at: Instant, what: What, keys: Keys, token: Token, owner: Text, uid: UInt32,
        pid: Int32, isShared: Bool, isEphemeral: Bool = false, whilePID: Int32? = nil, note: Text? = nil
    ) {
        self.sequence = sequence
        self.at = at
        self.what = what
        self.keys = keys
        self.token = token
        self.owner = owner
        self.uid = uid
        self.pid = pid
        self.isShared = isShared
        self.isEphemeral = isEphemeral
        self.whilePID = whilePID
        self.note = note
    }
}

/// What is told to the connection that asked to be notified of its request and its lease.
public enum Notice: Equatable, Sendable {
    /// The request stands in line: at this place, or further ahead on others of its keys.
    case queued(Keys, position: Int)
    /// A fifth of the ttl is left.
    case expiring(Token, left: Duration)
    /// The lease has ended, and this connection did not ask for that.
    case lost(Token, EndReason)
}

/// Why a request went from the line without a grant.
public enum LeaveReason: UInt8, Equatable, Sendable, CaseIterable {
    case timeout, cancelled, dropped, draining, disconnected, processEnded
    case unknownKind, tooManyLeases, tooManyCounted
    /// It was for the work, and that is done.
    case done

    public var word: StaticString {
        switch self {
        case .timeout: "timeout"
        case .cancelled: "cancelled"
        case .dropped: "dropped"
        case .draining: "draining"
        case .disconnected: "disconnected"
        case .processEnded: "process-ended"
        case .unknownKind: "unknown-kind"
        case .tooManyLeases: "too-many-leases"
        case .tooManyCounted: "too-many-counted"
        case .done: "done"
        }
    }
}

// What a lease's work came to, and how long that answers others.

/// A result that answers later `join` requests for each of its keys.
public struct KeptResult: Equatable, Sendable {
    /// The lease that it was made under.
    public var token: Token
    public var keys: Keys
    public var owner: Text
    public var uid: UInt32
    public var pid: Int32
    /// For so long from the change on.
    public var keep: Duration
    public var value: Text

    public init(
        token: Token, keys: Keys, owner: Text, uid: UInt32, pid: Int32, keep: Duration, value: Text
    ) {
        self.token = token
        self.keys = keys
        self.owner = owner
        self.uid = uid
        self.pid = pid
        self.keep = keep
        self.value = value
    }
}

/// Why a result is no longer kept.
public enum ForgetReason: UInt8, Equatable, Sendable, CaseIterable {
    /// It was kept as long as was said.
    case expired
    /// Somebody said `forget`.
    case asked
    /// The key's next result was not to be kept.
    case replaced
    /// There was no room for it beside newer ones.
    case dropped

    public var word: StaticString {
        switch self {
        case .expired: "expired"
        case .asked: "asked"
        case .replaced: "replaced"
        case .dropped: "dropped"
        }
    }
}

/// The end of a kept result.
public struct Forgetting: Equatable, Sendable {
    /// Of the result.
    public var token: Token
    /// The one key that it is forgotten for; nil: for all that it still had.
    public var key: Key?
    public var reason: ForgetReason

    public init(token: Token, key: Key?, reason: ForgetReason) {
        self.token = token
        self.key = key
        self.reason = reason
    }
}

/// A kept result as a compacted log has it: with the keys that are left, and since when.
public struct StandingResult: Equatable, Sendable {
    public var kept: KeptResult
    public var at: Instant

    public init(kept: KeptResult, at: Instant) {
        self.kept = kept
        self.at = at
    }
}

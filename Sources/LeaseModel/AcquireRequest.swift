// `acquire` as a value: keys, and the terms on which they are wanted.

/// All the keys or none. It is kept small, since it is passed on and kept several times on its way: the terms
/// are the same for many requests, which share them.
public struct AcquireRequest: Equatable, Sendable {
    public var keys: Keys
    public private(set) var shared: SharedTerms

    public init(keys: Keys, on shared: SharedTerms) {
        self.keys = keys
        self.shared = shared
    }

    public init(
        keys: Keys, owner: Text? = nil, ttl: Duration? = nil, wait: Duration = .zero, priority: Int = 0,
        isShared: Bool = false, joins: Bool = false, isEphemeral: Bool = false, whilePID: Int32? = nil,
        notifies: Bool = false, request: Text? = nil, note: Text? = nil
    ) {
        let terms = Terms(
            owner: owner, ttl: ttl, wait: wait, priority: priority, isShared: isShared, joins: joins,
            isEphemeral: isEphemeral, notifies: notifies, whilePID: whilePID, request: request, note: note)
        self.init(keys: keys, on: SharedTerms(terms))
    }
}

/// What is asked for besides the keys.
public struct Terms: Equatable, Sendable {
    /// nil: the peer's command and pid.
    public var owner: Text?
    /// nil: the policy's.
    public var ttl: Duration?
    /// Zero: answer at once. `.forever`: no end.
    public var wait: Duration
    public var priority: Int
    public var isShared: Bool
    /// Waits for the holder's work, not for the key.
    public var joins: Bool
    public var isEphemeral: Bool
    /// Its connection is told of what happens to the request and to its lease.
    public var notifies: Bool
    /// The pid of `while=`, as written.
    public var whilePID: Int32?
    /// By it the same request is known when it comes again.
    public var request: Text?
    public var note: Text?

    public init(
        owner: Text? = nil, ttl: Duration? = nil, wait: Duration = .zero, priority: Int = 0,
        isShared: Bool = false, joins: Bool = false, isEphemeral: Bool = false, notifies: Bool = false,
        whilePID: Int32? = nil, request: Text? = nil, note: Text? = nil
    ) {
        self.owner = owner
        self.ttl = ttl
        self.wait = wait
        self.priority = priority
        self.isShared = isShared
        self.joins = joins
        self.isEphemeral = isEphemeral
        self.notifies = notifies
        self.whilePID = whilePID
        self.request = request
        self.note = note
    }
}

/// Terms that never change: others take their place.
public final class SharedTerms: Sendable {
    public let terms: Terms
    /// Whether a process, an ID or a note is named, which is rare: else they need not be looked at.
    public let hasRarities: Bool

    public init(_ terms: Terms) {
        self.terms = terms
        hasRarities = terms.whilePID != nil || terms.request != nil || terms.note != nil
    }
}

extension SharedTerms: Equatable {
    public static func == (left: SharedTerms, right: SharedTerms) -> Bool { left.terms == right.terms }
}

extension AcquireRequest {
    /// Terms that are shared by no other request take the place of what it has.
    private mutating func change(_ body: (inout Terms) -> Void) {
        var terms = shared.terms
        body(&terms)
        shared = SharedTerms(terms)
    }

    public var owner: Text? {
        get { shared.terms.owner }
        set { change { $0.owner = newValue } }
    }

    /// The owner that it names, else this one.
    public func owner(orElse usual: Text) -> Text { shared.terms.owner ?? usual }

    public var ttl: Duration? {
        get { shared.terms.ttl }
        set { change { $0.ttl = newValue } }
    }

    public var wait: Duration {
        get { shared.terms.wait }
        set { change { $0.wait = newValue } }
    }

    public var priority: Int {
        get { shared.terms.priority }
        set { change { $0.priority = newValue } }
    }

    public var isShared: Bool {
        get { shared.terms.isShared }
        set { change { $0.isShared = newValue } }
    }

    public var joins: Bool {
        get { shared.terms.joins }
        set { change { $0.joins = newValue } }
    }

    public var isEphemeral: Bool {
        get { shared.terms.isEphemeral }
        set { change { $0.isEphemeral = newValue } }
    }

    public var notifies: Bool {
        get { shared.terms.notifies }
        set { change { $0.notifies = newValue } }
    }

    public var whilePID: Int32? {
        get { shared.hasRarities ? shared.terms.whilePID : nil }
        set { change { $0.whilePID = newValue } }
    }

    public var request: Text? {
        get { shared.hasRarities ? shared.terms.request : nil }
        set { change { $0.request = newValue } }
    }

    public var note: Text? {
        get { shared.hasRarities ? shared.terms.note : nil }
        set { change { $0.note = newValue } }
    }
}

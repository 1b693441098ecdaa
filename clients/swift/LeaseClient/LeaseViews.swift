// What the daemon tells of leases, waiters and keys.

internal import LeaseWire

/// A lease as ``LeaseClient/list(under:limit:after:)``, ``LeaseClient/get(_:limit:)`` and
/// ``LeaseClient/check(_:)`` show it.
public struct LeaseInfo: Equatable, Sendable {
    public let token: UInt64
    public let keys: [LeaseKey]
    /// As the holder calls itself.
    public let owner: String
    public let pid: Int32
    public let uid: UInt32
    /// Since the grant.
    public let age: Swift.Duration
    /// To the deadline.
    public let timeLeft: Swift.Duration
    public let isShared: Bool
    /// Whether it ends with the holder's connection.
    public let isEphemeral: Bool
    /// The process with which it ends; nil where it is bound to none.
    public let process: Int32?
    public let note: String?

    /// `left` names the field that holds the time to the deadline.
    init(_ line: ReplyLine, keys: [LeaseKey], left: String = "left") {
        let holder = LeaseHolder(line)
        token = holder.token
        self.keys = keys
        owner = holder.owner
        pid = holder.pid
        uid = holder.uid
        age = holder.age
        timeLeft = line.duration(left) ?? .zero
        isShared = holder.isShared
        isEphemeral = line.flag("ephemeral")
        process = line.count("while").flatMap { Int32(exactly: $0) }
        note = line.text("note")
    }
}

/// A request that stands in line.
public struct LeaseWaiter: Equatable, Sendable {
    public let keys: [LeaseKey]
    public let owner: String
    public let pid: Int32
    public let uid: UInt32
    public let waited: Swift.Duration
    /// To the end of its wait; nil where it has none.
    public let timeLeft: Swift.Duration?
    /// 0 to 9.
    public let priority: Int
    public let isShared: Bool

    init(_ line: ReplyLine, keys: [LeaseKey]) {
        let holder = LeaseHolder(line)
        self.keys = keys
        owner = holder.owner
        pid = holder.pid
        uid = holder.uid
        waited = line.duration("waited") ?? .zero
        timeLeft = line.duration("left")
        priority = line.count("priority") ?? 0
        isShared = holder.isShared
    }
}

/// A key with who holds it and who waits for it.
public struct LeaseKeyInfo: Equatable, Sendable {
    public let key: LeaseKey
    /// How many may hold it at once.
    public let limit: Int
    /// The ttl of a lease that names none.
    public let defaultTTL: Swift.Duration
    /// The longest ttl that may be asked for; nil where there is no bound.
    public let maxTTL: Swift.Duration?
    /// The longest line; nil where there is no bound.
    public let queue: Int?
    /// How many hold it, and how many wait: also those that `limit` of the call has cut off below.
    public let holderCount: Int
    public let waiterCount: Int
    /// In the order in which they end.
    public let holders: [LeaseInfo]
    /// In the order of the line.
    public let waiters: [LeaseWaiter]

    init(_ answer: Answer) {
        let first = answer.first
        let key = LeaseKey(first.word("key"))
        func keys(of line: ReplyLine) -> [LeaseKey] {
            let several = line.keys("key")
            return several.isEmpty ? [key] : several
        }
        self.key = key
        limit = first.count("limit") ?? 1
        defaultTTL = first.duration("default-ttl") ?? .zero
        maxTTL = first.duration("max-ttl")
        queue = first.count("queue")
        holderCount = first.count("holders") ?? 0
        waiterCount = first.count("waiting") ?? 0
        let lines = answer.lines
        holders = lines.filter { $0.word.elementsEqual("holder".utf8) }
            .map { LeaseInfo($0, keys: keys(of: $0)) }
        waiters = lines.filter { $0.word.elementsEqual("waiter".utf8) }
            .map { LeaseWaiter($0, keys: keys(of: $0)) }
    }
}

/// Leases, and whether there are more.
public struct LeaseList: Equatable, Sendable {
    /// By token.
    public let leases: [LeaseInfo]
    /// The limit has cut the list: go on with `after` the last token.
    public let hasMore: Bool
}

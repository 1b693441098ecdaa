// What happens to leases, as the daemon tells it.

internal import LeaseWire

/// One thing that happened to a lease, to a kept result, or to a request in line.
///
/// Which of the values are there depends on `kind`; what the daemon did not say is nil.
public struct LeaseEvent: Equatable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// This lease was there when the watch began.
        case held
        case granted, renewed
        case released, expired, evicted, disconnected
        case processEnded = "process-ended"
        /// A result is kept, or no longer.
        case kept, forgotten
        /// A request stands in line, or went from it without a grant.
        case queued, left
        /// Something that this version does not know.
        case other
    }

    public let kind: Kind
    /// The number of the change, greater than that of every one before. `queued` and `left` are no changes:
    /// they have that of the change before them.
    public let sequence: UInt64
    public let keys: [LeaseKey]
    public let token: UInt64?
    public let owner: String?
    public let pid: Int32?
    public let uid: UInt32?
    public let ttl: Swift.Duration?
    /// Of `held`: to the deadline.
    public let timeLeft: Swift.Duration?
    /// Of the end of a lease: since its grant.
    public let heldFor: Swift.Duration?
    /// Of `left`: the time in line.
    public let waited: Swift.Duration?
    /// Of `left` and `forgotten`: a word of the protocol, as in `timeout`.
    public let why: String?
    /// Of `queued`: from 1.
    public let placeInLine: Int?
    public let note: String?
    /// In ``LeaseClient/history(under:last:)``: how long ago it was.
    public let ago: Swift.Duration?

    init(_ line: ReplyLine) {
        kind = Kind(rawValue: String(decoding: line.word, as: UTF8.self)) ?? .other
        sequence = line.number("seq") ?? 0
        keys = line.keys("key")
        token = line.number("token")
        owner = line.text("owner")
        pid = line.count("pid").flatMap { Int32(exactly: $0) }
        uid = line.count("uid").flatMap { UInt32(exactly: $0) }
        ttl = line.duration("ttl")
        timeLeft = line.duration("left")
        heldFor = line.duration("held")
        waited = line.duration("waited")
        why = line.text("why")
        placeInLine = line.count("position")
        note = line.text("note")
        ago = line.duration("ago")
    }
}

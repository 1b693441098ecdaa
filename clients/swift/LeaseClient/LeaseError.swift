// Why a lease is not there, or not there any more.

internal import LeaseModel
internal import LeaseWire

/// What goes wrong with leases. Cancelled tasks throw `CancellationError` instead.
///
/// `description` is a sentence for people, which names who holds the key, or says what to do.
public enum LeaseError: Error, Equatable, Sendable {
    /// A key is not free, and the request was not to wait, or might not.
    case busy(Busy)
    /// The request stood in line until its wait was over.
    case timedOut(Busy)
    /// The lease ended before it was released.
    case lost(Lost)
    /// The lease or the process is another user's, or the verb is for administrators.
    case forbidden(Refusal)
    /// The request itself is wrong: a key that the policy does not know, a ttl that is too long. Asking again
    /// is of no use.
    case invalid(Invalid)
    /// The daemon is not there, says nothing, or can't do it now (a full disk, a bound that is reached).
    case unavailable(Unavailable)

    /// What stands in the way.
    public struct Busy: Equatable, Sendable {
        /// The first of the keys that were asked for that is in the way.
        public let key: LeaseKey
        public let reason: Reason
        /// Of those who hold the key, the one that ends first; nil where nobody does.
        public let holder: LeaseHolder?
        /// The owner of the first in line, where there is room but others come first.
        public let ahead: String?
        /// How many may hold the key at once.
        public let limit: Int
        /// The place in line that a request has that waits: 1 is the next one.
        public let placeInLine: Int
        /// How long this request stood in line; nil where it did not.
        public let waited: Swift.Duration?
        /// After which time it is worth asking again, where the daemon knows.
        public let retryAfter: Swift.Duration?
    }

    /// Why a key is not free.
    public enum Reason: String, Sendable, CaseIterable {
        /// Somebody holds it exclusively, or shared and this request is exclusive.
        case held
        /// All of its slots are taken.
        case limit
        /// There is room, but others are before.
        case queued
        /// The line is as long as it may be.
        case queueFull = "queue-full"
        /// Too many grants within the window of the policy's rate.
        case rate
        /// A slot rests after a lease that expired.
        case resting
        /// Pushed out of a full line.
        case dropped
        /// The wait is over.
        case timeout
        /// The daemon gave another reason, which this version does not know.
        case other
    }

    /// A lease that is no longer held.
    public struct Lost: Equatable, Sendable {
        public let token: UInt64
        public let why: Why
        /// The newest lease that was granted since on one of its keys; nil: none that is known of. So expired
        /// and taken are told apart.
        public let takenBy: UInt64?
    }

    /// How a lease ended.
    public enum Why: String, Sendable, CaseIterable {
        case released, expired, evicted, disconnected
        case processEnded = "process-ended"
        /// Its time was over by the client's own count, and the last renewal was not answered.
        case unanswered
        /// Never granted, or so long ago that the daemon has forgotten.
        case unknown
    }

    /// What the daemon says to a request that it refuses.
    public struct Refusal: Hashable, Sendable {
        /// One of the codes of the protocol, as in `forbidden`.
        public let code: String
        public let message: String
    }

    /// What is wrong with a request.
    public typealias Invalid = Refusal

    /// Why nothing can be had from the daemon now.
    public struct Unavailable: Equatable, Sendable {
        /// The path that was connected to, or was to be; nil where no socket was found.
        public let socket: String?
        /// The places at which a socket was looked for.
        public let placesLookedAt: [String]
        /// What is the matter and what helps, in a sentence.
        public let hint: String
        /// The code of the protocol where the daemon said one, as in `no-space`.
        public let code: String?
    }
}

/// Who holds a key.
public struct LeaseHolder: Equatable, Sendable {
    public let token: UInt64
    /// As the holder calls itself. It is a text, not a right.
    public let owner: String
    public let pid: Int32
    public let uid: UInt32
    /// Since the grant.
    public let age: Swift.Duration
    /// To the deadline, unless it is renewed.
    public let timeLeft: Swift.Duration
    public let isShared: Bool
}

// MARK: - From what the daemon said

extension LeaseError.Refusal {
    /// In the words that the daemon has for it.
    init(_ refusal: LeaseModel.Refusal) {
        var line: [UInt8] = []
        ReplyWriter.append(.refused(refusal), tag: [UInt8]().span, to: &line)
        line.removeLast()
        guard let read = ReplyLine(line.span) else { preconditionFailure("a refusal is a reply") }
        self.init(read)
    }

    init(_ line: ReplyLine) {
        code = String(decoding: line.word, as: UTF8.self)
        message = String(decoding: line.message, as: UTF8.self)
    }
}

extension LeaseError {
    /// Of a reply that is no success.
    init(_ line: ReplyLine, _ status: ReplyStatus) {
        switch status {
        case .ok, .done: self = .unexpected(line)
        case .busy:
            let busy = Busy(line)
            self = busy.reason == .timeout ? .timedOut(busy) : .busy(busy)
        case .gone: self = .lost(Lost(line))
        case .err: self.init(refusal: line)
        }
    }

    private init(refusal line: ReplyLine) {
        let refusal = Refusal(line)
        switch line.code {
        case .forbidden: self = .forbidden(refusal)
        case .tooManyConnections, .tooManyLeases, .tooManyWaiters, .noSpace, .storage, .stopping,
            .compactionStopped, .withdrawn:
            self = .unavailable(
                Unavailable(socket: nil, placesLookedAt: [], hint: refusal.message, code: refusal.code))
        default: self = .invalid(refusal)
        }
    }

    /// A reply that does not hold what it must.
    static func unexpected(_ line: ReplyLine) -> LeaseError {
        .unavailable(
            Unavailable(
                socket: nil, placesLookedAt: [], hint: "the daemon's answer can't be understood", code: nil))
    }
}

extension LeaseError.Busy {
    init(_ line: ReplyLine) {
        key = LeaseKey(Key(printed: line.value("key") ?? []))
        reason = LeaseError.Reason(rawValue: line.word("why")) ?? .other
        holder = line.number("token") == nil ? nil : LeaseHolder(line)
        ahead = line.text("ahead")
        limit = line.count("limit") ?? 1
        placeInLine = (line.count("waiting") ?? 0) + 1
        waited = line.duration("waited")
        retryAfter = line.duration("retry")
    }
}

extension LeaseError.Lost {
    init(_ line: ReplyLine) {
        self.init(token: line.number("token") ?? 0, Loss(line))
    }

    init(token: UInt64, _ loss: Loss) {
        self.token = token
        why =
            loss.reason.map { LeaseError.Why(rawValue: String(decoding: $0, as: UTF8.self)) ?? .unknown }
            ?? .unanswered
        takenBy = loss.next == 0 ? nil : loss.next
    }
}

extension LeaseHolder {
    init(_ line: ReplyLine) {
        token = line.number("token") ?? 0
        owner = line.text("owner") ?? ""
        pid = line.count("pid").flatMap { Int32(exactly: $0) } ?? 0
        uid = line.count("uid").flatMap { UInt32(exactly: $0) } ?? 0
        age = line.duration("age") ?? .zero
        timeLeft = line.duration("left") ?? .zero
        isShared = line.flag("shared")
    }
}

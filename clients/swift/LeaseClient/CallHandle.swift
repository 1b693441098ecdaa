// One question to the daemon as the task sees it that waits for the answer.

internal import LeaseModel
internal import LeaseWire
private import Synchronization

/// How a call ended.
enum Outcome: Sendable {
    /// `countedFrom` is an instant of the lease clock that was surely before the answer was decided.
    case answer(Answer, countedFrom: Instant)
    /// The task was cancelled, and nothing of what it asked for is left.
    case cancelled
    case unavailable(Outage)
    /// To `settle`: the next instant at which the client does something by itself.
    case settled(next: Instant)
}

/// Resumes the task that waits, once. Marked as cancelled from any thread.
final class CallHandle: Sendable {
    private static let lastID = Atomic<UInt64>(0)

    let id: UInt64
    private let cancellation = Atomic<Bool>(false)
    private let continuation = Guarded<CheckedContinuation<Outcome, Never>?>(nil)

    init() {
        id = CallHandle.lastID.add(1, ordering: .relaxed).newValue
    }

    var isCancelled: Bool { cancellation.load(ordering: .acquiring) }

    func cancel() {
        cancellation.store(true, ordering: .releasing)
    }

    /// Before the call is handed over.
    func resume(_ waiting: CheckedContinuation<Outcome, Never>) {
        continuation.withLock { $0 = waiting }
    }

    func finish(_ outcome: Outcome) {
        let waiting = continuation.withLock { stored in
            defer { stored = nil }
            return stored
        }
        waiting?.resume(returning: outcome)
    }
}

/// What a task asks for.
struct Call {
    enum Kind {
        /// It may be sent again after a lost connection.
        case repeatable
        /// Sent again it would count twice.
        case single
        /// It is sent again with its request ID. The client renews the lease where there is a record for it.
        case acquire(LeaseRecord?)
        /// Releases what a cancelled acquire was granted; whatever comes of it, that one was cancelled.
        case undoing
    }

    let handle: CallHandle
    var kind: Kind
    var request: Request
    /// On the lease clock; nil where it stands in no line.
    var waitEnd: Instant?
    /// Nobody has said how long to wait: where the policy bounds that, it is as long as it lets.
    var mayWaitLess: Bool
    /// Its task was cancelled, and the daemon may still grant it something.
    var isWithdrawn = false
    /// On the lease clock; nil where it was not sent on this connection.
    var sentAt: Instant?
    /// When it was sent on the first one; nil where it never was.
    var firstSentAt: Instant?
    /// On the real clock: when the daemon's silence is too long.
    var giveUpAt = Instant.never

    init(
        _ handle: CallHandle, _ request: Request, _ kind: Kind, waitEnd: Instant? = nil,
        mayWaitLess: Bool = false
    ) {
        self.handle = handle
        self.kind = kind
        self.request = request
        self.waitEnd = waitEnd
        self.mayWaitLess = mayWaitLess
    }

    var tag: String { "\(handle.id)" }

    var isAcquire: Bool {
        if case .acquire = kind { true } else { false }
    }

    var isRelease: Bool {
        if case .release = request { true } else { false }
    }
}

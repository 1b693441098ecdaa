// Work under a lease: taken before, renewed meanwhile, released after.

internal import LeaseModel
internal import LeaseWire
private import Synchronization

extension LeaseClient {
    /// Runs the body while it holds a lease of all these keys.
    ///
    /// The lease is renewed until the body is done, also over a restart of the daemon, and released before
    /// this returns or throws. It ends with this process, too, if that should be killed. If it is lost (it
    /// was evicted, or no renewal was answered before its time was over, counted from before the last one was
    /// sent), the body's task is cancelled. The body runs in a task of its own, where the caller's code runs:
    /// on its actor, with its task-local values and priority, and cancelled with it.
    ///
    ///     try await leases.withLease(on: .user("42"), waitingUpTo: .seconds(60)) { lease in
    ///         try await render(prompt, fence: lease.token)
    ///     }
    ///
    /// - Parameters:
    ///   - keys: 1 to 16 different keys: all of them or none.
    ///   - ttl: How long the lease lasts after each renewal, counted in whole milliseconds, rounded up. It is
    ///     renewed when a third of that is over. By default what the policy says.
    ///   - wait: How long to stand in line; by default not at all. More than ten years are without end. A
    ///     task that is cancelled meanwhile leaves the line.
    ///   - priority: 0 to 9; each step counts as having come 10 s earlier.
    ///   - shared: Any number of shared leases stand together, none beside an exclusive one.
    ///   - note: For others to read, at most 255 bytes.
    ///   - body: The work. What it needs from the daemon is in the ``Lease``.
    /// - Returns: What the body returned. If the lease was lost meanwhile, its result is still returned,
    ///   unless a key was granted to somebody else.
    /// - Throws: What the body threw. ``LeaseError`` before the body: `busy` at once where it isn't to wait,
    ///   `timedOut` after the wait, `invalid`, `unavailable`. `lost` where the body gave up since the
    ///   lease was lost, or where it returned a result and somebody else had a key meanwhile.
    ///   `CancellationError` where the task was cancelled.
    public func withLease<Value>(
        on keys: LeaseKey..., ttl: Swift.Duration? = nil, waitingUpTo wait: Swift.Duration = .zero,
        priority: Int = 0, shared: Bool = false, note: String? = nil,
        isolation: isolated (any Actor)? = #isolation, _ body: (Lease) async throws -> Value
    ) async throws -> Value {
        try await withLease(
            on: keys, ttl: ttl, waitingUpTo: wait, priority: priority, shared: shared, note: note, body)
    }

    /// Runs the body while it holds a lease of all these keys: as
    /// ``withLease(on:ttl:waitingUpTo:priority:shared:note:isolation:_:)``, with the keys in an array.
    public func withLease<Value>(
        on keys: [LeaseKey], ttl: Swift.Duration? = nil, waitingUpTo wait: Swift.Duration = .zero,
        priority: Int = 0, shared: Bool = false, note: String? = nil,
        isolation: isolated (any Actor)? = #isolation, _ body: (Lease) async throws -> Value
    ) async throws -> Value {
        let request = try acquireRequest(keys, ttl: ttl, priority: priority, isShared: shared, note: note)
        let record = makeRecord(request.keys)
        _ = try await ask(.acquire(request), .acquire(record), waitEnd: waitEnd(wait))
        let work = await outcome(of: body, under: Lease(record, keys: keys))
        return try await finish(work, record)
    }

    /// Runs the body to its end, in a task that is cancelled where the lease is lost.
    private func outcome<Value>(
        of body: (Lease) async throws -> Value, under lease: Lease,
        isolation: isolated (any Actor)? = #isolation
    ) async -> Work<Value> {
        await withoutActuallyEscaping(body) { body in
            _ = isolation
            let work = Work(body, lease)
            if Task.isCancelled { work.markCancelled() }
            let task = Task { await work.run() }
            lease.record.whenLost { task.cancel() }
            await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                work.markCancelled()
                task.cancel()
            }
            lease.record.forgetAction()
            return work
        }
    }

    /// Releases the lease, and decides what comes of the work.
    private func finish<Value>(
        _ work: Work<Value>, _ record: LeaseRecord, isolation: isolated (any Actor)? = #isolation
    ) async throws -> Value {
        // Lost or not: the daemon may still know it, and knows whether it was granted to somebody else.
        let outcome = await answer(to: Call(CallHandle(), .release(ReleaseRequest(token: record.token)), .repeatable))
        let lost = LeaseClient.lost(record, outcome)
        switch work.result {
        case .success(let result):
            if let lost, lost.takenBy != nil { throw LeaseError.lost(lost) }
            return result
        case .failure(let error):
            // It gave up since we cancelled it; the caller did not.
            if error is CancellationError, !work.wasCancelled, record.loss != nil, let lost {
                throw LeaseError.lost(lost)
            }
            throw error
        case nil: preconditionFailure("the task has run to its end")
        }
    }

    /// What is known in the end; nil: the lease was alive until it was released, as far as is known.
    private static func lost(_ record: LeaseRecord, _ outcome: Outcome) -> LeaseError.Lost? {
        if case .answer(let answer, _) = outcome, answer.status == .gone {
            // The daemon's own word, but for a release of ours that was sent twice.
            let gone = LeaseError.Lost(answer.first)
            if gone.why != .released { return gone }
            return record.loss.map { LeaseError.Lost(token: record.token, $0) }
        }
        return record.loss.map { LeaseError.Lost(token: record.token, $0) }
    }
}

/// The body, carried into its task and its result back. The caller waits meanwhile, so nothing of it is used
/// by two at once.
private final class Work<Value>: @unchecked Sendable {
    /// nil once it has run: it must not outlive the call that it was given to.
    private var body: ((Lease) async throws -> Value)?
    private(set) var result: Result<Value, any Error>?
    private let lease: Lease
    private let cancellation = Atomic<Bool>(false)

    init(_ body: @escaping (Lease) async throws -> Value, _ lease: Lease) {
        self.body = body
        self.lease = lease
    }

    /// Whether the caller's task was cancelled.
    var wasCancelled: Bool { cancellation.load(ordering: .acquiring) }

    func markCancelled() {
        cancellation.store(true, ordering: .releasing)
    }

    func run() async {
        result = await outcome()
        body = nil
    }

    private func outcome() async -> Result<Value, any Error> {
        guard let body, !wasCancelled else { return .failure(CancellationError()) }
        do {
            return .success(try await body(lease))
        } catch {
            return .failure(error)
        }
    }
}

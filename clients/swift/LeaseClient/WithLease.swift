// Work under a lease: taken before, renewed meanwhile, released after.

internal import LeaseModel

extension LeaseClient {
    /// Runs the body while it holds a lease of all these keys.
    ///
    /// The lease is renewed until the body is done, also over a restart of the daemon, and released before
    /// this returns or throws. It ends with this process, too, if that should be killed. If it is lost (it
    /// was evicted, or no renewal was answered before its time was over, counted from before the last one was
    /// sent), the body's task is cancelled. The body runs in a task of its own, where the caller's code runs:
    /// on its actor, with its task-local values and priority, and cancelled with it. If the daemon is away or
    /// silent in the end, this waits for it as long as the client's patience says; the lease then ends with
    /// its ttl.
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
        let work = await run(body, under: Lease(record, keys: keys))
        let end = await release(record)
        return try work.value(endingWith: end)
    }
}

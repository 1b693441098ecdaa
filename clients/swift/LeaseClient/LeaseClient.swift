// The client of a daemon that leases names.

internal import LeaseModel
internal import LeaseWire

/// Leases names from the `leased` daemon of this machine.
///
///     let leases = LeaseClient()
///     let image = try await leases.withLease(on: .user("42"), .species("31", .video)) { lease in
///         try await render(prompt, fence: lease.token)
///     }
///
/// One client serves any number of tasks over one connection. It connects when it is first used, and again
/// when the daemon was restarted; there is nothing to run and nothing to close. What waits in line goes on
/// waiting over a restart, and leases are renewed over it, too.
///
/// Calls throw ``LeaseError``, or `CancellationError` where the task is cancelled. They are answered by the
/// daemon at once, or in line; if it is away or silent for longer than `patience`, they throw
/// ``LeaseError/unavailable(_:)``.
public final class LeaseClient: Sendable {
    let pump: Pump
    let owner: Text?
    private let clock: LeaseClock

    /// A client of the daemon at a socket.
    ///
    /// - Parameters:
    ///   - socket: The path of its socket. By default `$LEASED_SOCKET`, else the first that exists of
    ///     `$XDG_RUNTIME_DIR/leased/leased.sock`, `/run/leased/leased.sock` and `leased-UID/leased.sock` in
    ///     the temporary directory. It is looked for at each connect.
    ///   - owner: Who holds the leases, for others to read, at most 255 bytes. By default the command and
    ///     the pid of this process.
    ///   - patience: How long a daemon is waited for that was there before, or that says nothing. Where there
    ///     never was one, calls fail at once.
    public convenience init(
        socket: String? = nil, owner: String? = nil, patience: Swift.Duration = .seconds(5)
    ) {
        self.init(socket: socket, owner: owner, patience: patience, clock: .system)
    }

    package init(
        socket: String?, owner: String?, patience: Swift.Duration, clock: LeaseClock
    ) {
        self.owner = owner.map { Text($0) }
        self.clock = clock
        pump = Pump(
            Pump.Settings(socket: socket, patience: LeaseModel.Duration(patience), clock: clock))
    }

    deinit { pump.post(.stop) }
}

// MARK: - Plain calls

extension LeaseClient {
    /// Takes a lease of all these keys, or of none. Nobody renews it: use
    /// ``withLease(on:ttl:waitingUpTo:priority:shared:note:isolation:_:)`` where you can.
    ///
    /// It is safe against lost replies: asked again over a new connection, it is still one lease. If the task
    /// is cancelled before it is granted, nothing is left of it.
    ///
    /// - Parameters:
    ///   - keys: 1 to 16 different keys.
    ///   - ttl: From the grant to the deadline, counted in whole milliseconds, rounded up. By default what
    ///     the policy says.
    ///   - wait: How long to stand in line; by default not at all. More than ten years are without end.
    ///   - priority: 0 to 9; each step counts as having come 10 s earlier.
    ///   - shared: Any number of shared leases stand together, none beside an exclusive one.
    ///   - process: The lease also ends with this process.
    ///   - note: For others to read, at most 255 bytes.
    /// - Throws: ``LeaseError``: `busy` at once where it isn't to wait, `timedOut` after the wait, `invalid`,
    ///   `forbidden`, `unavailable`.
    public func acquire(
        on keys: LeaseKey..., ttl: Swift.Duration? = nil, waitingUpTo wait: Swift.Duration = .zero,
        priority: Int = 0, shared: Bool = false, whileProcess process: Int32? = nil, note: String? = nil
    ) async throws -> LeaseGrant {
        let request = try acquireRequest(
            keys, ttl: ttl, priority: priority, isShared: shared, process: process, note: note)
        let (answer, countedFrom) = try await ask(
            .acquire(request), .acquire(nil), waitEnd: waitEnd(wait))
        let ttl = LeaseModel.Duration.milliseconds(answer.first.milliseconds("ttl") ?? 0)
        return LeaseGrant(
            token: answer.first.number("token") ?? 0, keys: keys,
            timeLeft: Swift.Duration(clock.now.until(countedFrom + ttl)),
            waited: answer.first.duration("waited") ?? .zero)
    }

    /// Sets the deadline of a lease to now plus its ttl.
    ///
    /// - Parameter ttl: Another ttl, which is the lease's own from then on.
    /// - Returns: How long it surely lasts unless it is renewed again.
    /// - Throws: ``LeaseError``: `lost` where it has ended, `forbidden` where it is another user's,
    ///   `invalid`, `unavailable`.
    @discardableResult
    public func renew(_ token: UInt64, ttl: Swift.Duration? = nil) async throws -> Swift.Duration {
        let request = RenewRequest(token: token, ttl: ttl.map { LeaseModel.Duration($0) })
        let (answer, sentAt) = try await ask(.renew(request), .repeatable)
        let ttl = LeaseModel.Duration.milliseconds(answer.first.milliseconds("ttl") ?? 0)
        return Swift.Duration(clock.now.until(sentAt + ttl))
    }

    /// Ends a lease; who is next has its keys.
    ///
    /// - Returns: How long it was held, in whole milliseconds.
    /// - Throws: ``LeaseError``: `lost` where it had ended already, `forbidden`, `unavailable`.
    @discardableResult
    public func release(_ token: UInt64) async throws -> Swift.Duration {
        let answer = try await ask(.release(ReleaseRequest(token: token)), .repeatable).answer
        return answer.first.duration("held") ?? .zero
    }

    /// Ends anybody's lease. For administrators.
    ///
    /// - Parameter note: Why, for the daemon's log.
    /// - Throws: ``LeaseError``: `lost` where it had ended already, `forbidden`, `unavailable`.
    public func evict(_ token: UInt64, note: String? = nil) async throws {
        _ = try await ask(.evict(token, note: try text(note, "note")), .repeatable)
    }

    /// Whether a lease is alive: for what stands behind the fence.
    ///
    /// - Throws: ``LeaseError``: `lost` where it has ended, `unavailable`.
    public func check(_ token: UInt64) async throws -> LeaseInfo {
        let line = try await ask(.check(token), .repeatable).answer.first
        return LeaseInfo(line, keys: line.keys("key"), left: "ttl")
    }

    /// Who holds a key, who waits for it, and which rules hold for it.
    ///
    /// - Parameter limit: The most holders and waiters together to list, 1 to 10,000.
    /// - Throws: ``LeaseError``: `invalid` where the policy does not know the key, `unavailable`.
    public func get(_ key: LeaseKey, limit: Int = 100) async throws -> LeaseKeyInfo {
        LeaseKeyInfo(try await ask(.get(try key.read(), limit: limit), .repeatable).answer)
    }

    /// The leases below a prefix, by token.
    ///
    /// - Parameters:
    ///   - prefix: A key, or the beginning of one that ends at a `/`, as in `species/31`. By default all.
    ///   - limit: The most to list, 1 to 10,000.
    ///   - token: Only leases with a greater token: where the list before had more.
    /// - Throws: ``LeaseError``: `invalid`, `unavailable`.
    public func list(
        under prefix: String? = nil, limit: Int = 1_000, after token: UInt64 = 0
    ) async throws -> LeaseList {
        let request = ListRequest(prefix: try LeaseClient.keyPrefix(prefix), limit: limit, after: token)
        let answer = try await ask(.list(request), .repeatable).answer
        return LeaseList(
            leases: answer.lines.map { LeaseInfo($0, keys: $0.keys("key")) },
            hasMore: answer.first.flag("more"))
    }

    /// The requests that stand in line for keys below a prefix, in their order.
    ///
    /// - Parameters:
    ///   - prefix: As in ``list(under:limit:after:)``.
    ///   - limit: The most to list, 1 to 10,000.
    /// - Throws: ``LeaseError``: `invalid`, `unavailable`.
    public func waiters(under prefix: String? = nil, limit: Int = 1_000) async throws -> [LeaseWaiter] {
        let request = ListRequest(prefix: try LeaseClient.keyPrefix(prefix), waiting: true, limit: limit)
        return try await ask(.list(request), .repeatable).answer.lines
            .map { LeaseWaiter($0, keys: $0.keys("key")) }
    }

    /// Asks the daemon whether it is there.
    ///
    /// - Throws: ``LeaseError``: `unavailable`.
    public func ping() async throws {
        _ = try await ask(.ping, .repeatable)
    }
}

// MARK: - For the other parts of the client

extension LeaseClient {
    /// Asks, and waits for the answer; takes the request back where the task is cancelled.
    func ask(
        _ request: Request, _ kind: Call.Kind, waitEnd: Instant? = nil, mayWaitLess: Bool = false
    ) async throws -> (answer: Answer, countedFrom: Instant) {
        let handle = CallHandle()
        let call = Call(handle, request, kind, waitEnd: waitEnd, mayWaitLess: mayWaitLess)
        let outcome = await withTaskCancellationHandler {
            await answer(to: call)
        } onCancel: {
            handle.cancel()
            pump.post(.withdraw(handle.id))
        }
        return try LeaseClient.success(outcome)
    }

    /// Asks, and waits for the answer even where the task is cancelled.
    func answer(to call: Call) async -> Outcome {
        await withCheckedContinuation { continuation in
            call.handle.resume(continuation)
            pump.post(.ask(call))
        }
    }

    static func success(_ outcome: Outcome) throws -> (answer: Answer, countedFrom: Instant) {
        switch outcome {
        case .answer(let answer, let countedFrom):
            guard answer.status == .ok || answer.status == .done else {
                throw LeaseError(answer.first, answer.status)
            }
            return (answer, countedFrom)
        case .cancelled: throw CancellationError()
        case .unavailable(let outage): throw LeaseError.unavailable(LeaseError.Unavailable(outage))
        case .settled: preconditionFailure("only settle is answered so")
        }
    }

    func acquireRequest(
        _ keys: [LeaseKey], ttl: Swift.Duration?, priority: Int, isShared: Bool, process: Int32? = nil,
        note: String?
    ) throws(LeaseError) -> AcquireRequest {
        guard let first = keys.first else { throw .invalid(.init(.missing(.acquire, what: "a key"))) }
        guard keys.count <= Limits.keysPerRequestMax else { throw .invalid(.init(.tooManyKeys)) }
        var others: [Key] = []
        for key in keys.dropFirst() {
            others.append(try key.read())
        }
        guard (0...Limits.priorityMax).contains(priority) else {
            throw refused("priority", "\(priority)", "a whole number from 0 to \(Limits.priorityMax)")
        }
        if let owner { try require(owner, "owner") }
        return AcquireRequest(
            keys: Keys(try first.read(), others), owner: owner, ttl: ttl.map { LeaseModel.Duration($0) },
            priority: priority, isShared: isShared, whilePID: process, request: RequestID.fresh(),
            note: try text(note, "note"))
    }

    func waitEnd(_ wait: Swift.Duration) -> Instant? {
        let wait = LeaseModel.Duration(wait)
        if wait == .zero { return nil }
        return wait > Limits.durationMax ? .never : clock.now + wait
    }

    func makeRecord(_ keys: Keys) -> LeaseRecord {
        LeaseRecord(keys, clock: clock)
    }

    static func keyPrefix(_ prefix: String?) throws(LeaseError) -> KeyPrefix {
        guard let prefix else { return .all }
        do throws(KeyError) {
            return try KeyPrefix.read(Array(prefix.utf8).span)
        } catch {
            throw .invalid(.init(.badKey(Array(prefix.utf8), error)))
        }
    }

    private func text(_ string: String?, _ name: String) throws(LeaseError) -> Text? {
        guard let string else { return nil }
        let text = Text(string)
        try require(text, name)
        return text
    }

    /// A longer text might not fit a line, and would have no answer of its own.
    private func require(_ text: Text, _ name: String) throws(LeaseError) {
        guard text.bytes.count > Limits.textBytesMax else { return }
        throw refused(
            name, text.string, "at most \(Limits.textBytesMax) bytes as printed (%XX counts 3)")
    }

    private func refused(_ option: String, _ value: String, _ want: String) -> LeaseError {
        .invalid(.init(.badValue(option: option, value: Array(value.utf8), want: want)))
    }
}

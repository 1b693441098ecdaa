// How a test waits: for a state, or for time that it moves itself.

public import LeaseClient
internal import LeaseModel

extension LeaseRig {
    /// Moves the manual clock.
    ///
    /// Everything that falls due on the way happens in its order: leases and waits end in the daemon, and the
    /// rig's clients renew theirs when they would. When it returns, all that is settled, and the clients
    /// have heard of it; the tasks that wait for them are about to go on. It is not cut short where its task
    /// is cancelled.
    ///
    /// - Parameters:
    ///   - span: Whole milliseconds, rounded up.
    ///   - renewing: With `false`, the clients stand still meanwhile, like a process that is stopped: what is
    ///     not renewed in this time is lost.
    /// - Throws: ``LeaseRigError`` where the rig's clock is the machine's; `LeaseError` where the daemon is
    ///   away.
    public func advance(by span: Swift.Duration, renewing: Bool = true) async throws {
        guard clock == .manual else {
            throw LeaseRigError("only a manual clock can be moved: start the rig with clock: .manual")
        }
        // A body whose lease is lost on the way is cancelled, and may be the one that moves the clock.
        try await Task { try await move(by: LeaseModel.Duration(span), renewing: renewing) }.value
    }

    private func move(by span: LeaseModel.Duration, renewing: Bool) async throws {
        let start = try await asker.readClock()
        let end = start + span
        time.move(toNanoseconds: start.nanoseconds)
        var now = start
        while now < end {
            let next = renewing ? min(end, try await settleClients()) : end
            now = try await asker.advanceClock(by: now.until(max(next, now + .milliseconds(1))))
            time.move(toNanoseconds: now.nanoseconds)
        }
        _ = try await settleClients()
    }

    /// Waits until a key has so many holders and so many requests in line.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - waiters: How many are to stand in line for it.
    ///   - holders: How many are to hold it; by default any number.
    ///   - limit: For how long, on the machine's clock.
    /// - Throws: ``LeaseRigError`` where it does not come to that; `LeaseError` where the daemon is away.
    public func settled(
        _ key: LeaseKey, waiters: Int, holders: Int? = nil, within limit: Swift.Duration = .seconds(30)
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while true {
            let info = try await asker.get(key)
            if info.waiterCount == waiters, holders == nil || info.holderCount == holders { return }
            guard ContinuousClock.now < deadline else {
                throw LeaseRigError(
                    "\(key) has \(info.holderCount) holders and \(info.waiterCount) waiters, "
                        + "and not \(holders.map { "\($0)" } ?? "any") and \(waiters)")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// - Returns: the instant at which the first of them does something by itself.
    private func settleClients() async throws -> Instant {
        var next = Instant.never
        for client in allClients {
            next = min(next, try await client.settle())
        }
        return next
    }
}

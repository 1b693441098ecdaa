// What `LeaseTesting` needs of a client whose time is moved by hand.

package import LeaseModel

extension LeaseClient {
    /// A client that counts on a time which is moved by hand.
    package convenience init(socket: String, owner: String?, time: ManualTime) {
        self.init(socket: socket, owner: owner, patience: .seconds(10), clock: .manual(time))
    }

    /// Waits until the client has done what is due, and has heard all that the daemon had said to it.
    ///
    /// - Returns: The instant at which it does the next thing by itself; `.never` where there is none.
    package func settle() async throws -> Instant {
        // What was said to us before this is answered has been heard then.
        try await ping()
        let handle = CallHandle()
        let outcome = await withCheckedContinuation { continuation in
            handle.resume(continuation)
            pump.post(.settle(handle))
        }
        guard case .settled(let next) = outcome else {
            preconditionFailure("settle is answered by settled")
        }
        return next
    }

    /// The daemon's time.
    package func readClock() async throws -> Instant {
        LeaseClient.now(try await ask(.clock(advance: nil), .repeatable).answer)
    }

    /// Moves the daemon's manual clock by whole milliseconds, rounded up.
    ///
    /// - Returns: What it shows then.
    package func advanceClock(by span: LeaseModel.Duration) async throws -> Instant {
        LeaseClient.now(try await ask(.clock(advance: span), .single).answer)
    }

    private static func now(_ answer: Answer) -> Instant {
        .zero + .milliseconds(answer.first.milliseconds("now") ?? 0)
    }
}

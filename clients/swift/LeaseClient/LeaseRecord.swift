// What is known of a lease while somebody works under it.

internal import LeaseModel

/// How a lease was lost.
struct Loss: Sendable, Equatable {
    /// As in `GONE`; nil where the client's own deadline passed, and the last renewal was not
    /// answered.
    let reason: [UInt8]?
    /// The newest lease that was granted since on one of its keys; 0 for none that is known.
    let next: Token
}

/// Shared by the task that works under the lease and the thread that renews it.
final class LeaseRecord: Sendable {
    private struct State {
        var token: Token = 0
        var deadline = Instant.zero
        /// The policy lets it live no longer than to its deadline.
        var isFinal = false
        var loss: Loss?
        var onLoss: (@Sendable () -> Void)?
    }

    let keys: Keys
    let clock: LeaseClock
    private let state = Guarded(State())

    init(_ keys: Keys, clock: LeaseClock) {
        self.keys = keys
        self.clock = clock
    }

    var token: Token { state.withLock { $0.token } }
    var deadline: Instant { state.withLock { $0.deadline } }
    var loss: Loss? { state.withLock { $0.loss } }
    /// What its loss is where its deadline passes without a word from the daemon.
    var lossAtDeadline: Loss { state.withLock { $0.isFinal ? .expired : .unanswered } }

    func grant(_ token: Token, deadline: Instant) {
        state.withLock {
            $0.token = token
            $0.deadline = deadline
        }
    }

    func extend(to deadline: Instant, isFinal: Bool) {
        state.withLock {
            $0.deadline = deadline
            $0.isFinal = isFinal
        }
    }

    /// Calls what waits for it, once.
    func lose(_ loss: Loss) {
        let onLoss = state.withLock { state in
            guard state.loss == nil else { return nil as (@Sendable () -> Void)? }
            state.loss = loss
            defer { state.onLoss = nil }
            return state.onLoss
        }
        onLoss?()
    }

    /// Called on the client's thread when the lease is lost, or now where it is already.
    func whenLost(_ action: @escaping @Sendable () -> Void) {
        let isLost = state.withLock { state in
            if state.loss == nil { state.onLoss = action }
            return state.loss != nil
        }
        if isLost { action() }
    }

    /// The work is over.
    func forgetAction() {
        state.withLock { $0.onLoss = nil }
    }
}

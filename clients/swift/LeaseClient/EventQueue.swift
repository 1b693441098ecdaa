// What a watch has brought and nobody has taken yet, between its thread and the task that takes it.

/// One task takes, one thread puts. The thread puts no more while the queue is full, so the daemon sees that
/// it is not read, and nothing piles up here.
final class EventQueue: Sendable {
    private struct State {
        var events: [LeaseEvent] = []
        /// Up to where they were taken.
        var taken = 0
        var end: Result<Void, any Error>?
        var taker: CheckedContinuation<Result<LeaseEvent?, any Error>, Never>?
        var isAbandoned = false

        var count: Int { events.count - taken }

        mutating func takeFirst() -> LeaseEvent? {
            guard count > 0 else { return nil }
            defer {
                taken += 1
                if taken == events.count || taken > 2 * EventQueue.capacity {
                    events.removeFirst(taken)
                    taken = 0
                }
            }
            return events[taken]
        }
    }

    static let capacity = 1_024

    private let state = Guarded(State())
    /// Wakes the thread.
    let waker: WakePipe

    init(_ waker: WakePipe) {
        self.waker = waker
    }

    // MARK: The task's side

    func take() async throws -> LeaseEvent? {
        try await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if let now = takeNow(orElse: continuation) { continuation.resume(returning: now) }
            }
        } onCancel: {
            abandon()
        }.get()
    }

    /// nil: the continuation is resumed when something comes.
    private func takeNow(
        orElse waiting: CheckedContinuation<Result<LeaseEvent?, any Error>, Never>
    ) -> Result<LeaseEvent?, any Error>? {
        state.withLock { state in
            if state.isAbandoned { return .failure(CancellationError()) }
            let wasFull = state.count == EventQueue.capacity
            if let event = state.takeFirst() {
                if wasFull { waker.wake() }
                return .success(event)
            }
            if let end = state.end { return end.map { nil } }
            state.taker = waiting
            return nil
        }
    }

    /// Nobody takes any more.
    func abandon() {
        let taker = state.withLock { state in
            state.isAbandoned = true
            defer { state.taker = nil }
            return state.taker
        }
        taker?.resume(returning: .failure(CancellationError()))
        waker.wake()
    }

    // MARK: The thread's side

    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }
    var isFull: Bool { state.withLock { $0.count >= EventQueue.capacity } }

    func put(_ event: LeaseEvent) {
        let taker = state.withLock { state in
            if state.taker == nil { state.events.append(event) }
            defer { state.taker = nil }
            return state.taker
        }
        taker?.resume(returning: .success(event))
    }

    func end(_ error: any Error) {
        let taker = state.withLock { state in
            // Also where one waits for it: who asks again is told again.
            state.end = .failure(error)
            defer { state.taker = nil }
            return state.taker
        }
        taker?.resume(returning: .failure(error))
    }
}

// A body that runs under a lease, from its task to what comes of it.

internal import LeaseModel
internal import LeaseWire
private import Synchronization

extension LeaseClient {
    /// Runs the body to its end, in a task that is cancelled where the lease is lost.
    func run<Value>(
        _ body: (Lease) async throws -> Value, under lease: Lease,
        isolation: isolated (any Actor)? = #isolation
    ) async -> LeaseWork<Value> {
        await withoutActuallyEscaping(body) { body in
            _ = isolation
            let work = LeaseWork(body, lease)
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

    /// Releases the lease, lost or not: the daemon may still know it, and knows whether it was granted to
    /// somebody else. Not cut short where the task is cancelled.
    func release(
        _ record: LeaseRecord, result: Text? = nil, keep: LeaseModel.Duration? = nil
    ) async -> LeaseEnd {
        let request = ReleaseRequest(token: record.token, result: result, keep: keep)
        return LeaseEnd(record, await answer(to: Call(CallHandle(), .release(request), .repeatable)))
    }
}

/// How a lease ended under which something was done.
struct LeaseEnd {
    /// nil: it was alive until it was released, as far as is known.
    let lost: LeaseError.Lost?
    /// Whether the client itself found it lost, and cancelled the work.
    let wasCutShort: Bool
    /// The daemon's word that it was alive.
    let wasReleased: Bool

    init(_ record: LeaseRecord, _ outcome: Outcome) {
        let loss = record.loss
        wasCutShort = loss != nil
        var answered: Answer?
        if case .answer(let answer, _) = outcome { answered = answer }
        wasReleased = answered?.status == .ok
        let gone = answered?.status == .gone ? answered.map { LeaseError.Lost($0.first) } : nil
        // The daemon's own word, but for a release of ours that was sent twice.
        lost =
            gone.flatMap { $0.why == .released ? nil : $0 }
            ?? loss.map { LeaseError.Lost(token: record.token, $0) }
    }
}

/// The body, carried into its task and its result back. The caller waits meanwhile, so nothing of it is used
/// by two at once.
final class LeaseWork<Value>: @unchecked Sendable {
    /// nil once it has run: it must not outlive the call that it was given to.
    private var body: ((Lease) async throws -> Value)?
    private var outcome: Result<Value, any Error>?
    private let lease: Lease
    private let cancellation = Atomic<Bool>(false)

    init(_ body: @escaping (Lease) async throws -> Value, _ lease: Lease) {
        self.body = body
        self.lease = lease
    }

    /// What the body returned or threw; it has run to its end.
    var result: Result<Value, any Error> {
        outcome ?? .failure(CancellationError())
    }

    /// What comes of the work in the end: a result that was computed, unless somebody else had a key
    /// meanwhile.
    func value(endingWith end: LeaseEnd) throws -> Value {
        switch result {
        case .success(let value):
            if let lost = end.lost, lost.takenBy != nil { throw LeaseError.lost(lost) }
            return value
        case .failure(let error):
            // It gave up since we cancelled it; the caller did not.
            if error is CancellationError, !wasCancelled, end.wasCutShort, let lost = end.lost {
                throw LeaseError.lost(lost)
            }
            throw error
        }
    }

    /// Whether the caller's task was cancelled.
    var wasCancelled: Bool { cancellation.load(ordering: .acquiring) }

    func markCancelled() {
        cancellation.store(true, ordering: .releasing)
    }

    func run() async {
        outcome = await runBody()
        body = nil
    }

    private func runBody() async -> Result<Value, any Error> {
        guard let body, !wasCancelled else { return .failure(CancellationError()) }
        do {
            return .success(try await body(lease))
        } catch {
            return .failure(error)
        }
    }
}

// Between the thread of a watch and the task that takes its events.

import Testing

@testable import LeaseClient

@Suite struct EventQueueTests {
    private struct Failure: Error {}

    /// Who asks on after the end is told of it again, whether it was waiting when that came or not.
    @Test(.timeLimit(.minutes(1))) func anEndIsToldToWhoAsksOn() async throws {
        for _ in 0..<20 {
            let queue = EventQueue(try WakePipe())
            let taking = Task { try await queue.take() }
            for _ in 0..<20 { await Task.yield() }
            queue.end(Failure())
            await #expect(throws: Failure.self) { _ = try await taking.value }
            await #expect(throws: Failure.self) { _ = try await queue.take() }
        }
    }
}

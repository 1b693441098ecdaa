// Work under a lease: held, renewed, lost, cancelled, released.

import LeaseClient
import LeaseTesting
import Testing

/// Something that only its actor may touch.
private final class Counter {
    var count = 0
}

private actor Worker {
    let counter = Counter()
    let leases: LeaseClient

    init(_ leases: LeaseClient) {
        self.leases = leases
    }

    func work() async throws -> Int {
        let local = Counter()
        return try await leases.withLease(on: "user/42") { lease in
            preconditionIsolated()
            local.count += 1
            counter.count += local.count
            await Task.yield()
            preconditionIsolated()
            return counter.count
        }
    }
}

private struct OwnError: Error, Equatable {}

/// What something throws; nil where it does not.
func thrown<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
) async -> (any Error)? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

@Suite(.leaseRig(clock: .manual))
struct WithLeaseTests {
    let rig = LeaseRig.current

    /// Nobody holds a key or waits for one.
    private func expectNothingLeft(_ location: SourceLocation = #_sourceLocation) async throws {
        let watcher = rig.client("watcher")
        #expect(try await watcher.list().leases == [], sourceLocation: location)
        #expect(try await watcher.waiters() == [], sourceLocation: location)
    }

    @Test func holdsAndReleases() async throws {
        let leases = rig.client("tab-A")
        let result = try await leases.withLease(on: .user("42"), .species(31, .video), note: "a b") { lease in
            #expect(lease.token == 1 && !lease.isLost)
            #expect(lease.keys == ["user/42", "species/31/video"])
            let info = try await leases.get(.user("42"))
            #expect(info.holders.map(\.owner) == ["tab-A"] && info.holders.map(\.note) == ["a b"])
            #expect(info.holders.map(\.process) == [getProcessID()])
            return "done"
        }
        #expect(result == "done")
        try await expectNothingLeft()
    }

    @Test func worksInActors() async throws {
        let worker = Worker(rig.client("actor"))
        #expect(try await worker.work() == 1)
        #expect(try await worker.work() == 2)
    }

    @MainActor @Test func worksOnTheMainActor() async throws {
        let counter = Counter()
        let same = try await rig.client("main").withLease(on: "user/1") { _ in
            MainActor.preconditionIsolated()
            counter.count += 1
            return counter
        }
        #expect(same === counter && counter.count == 1)
    }

    @TaskLocal private static var mark = 0

    @Test func theBodyHasTheTaskLocals() async throws {
        let seen = try await WithLeaseTests.$mark.withValue(7) {
            try await rig.client("A").withLease(on: "user/1") { _ in WithLeaseTests.mark }
        }
        #expect(seen == 7)
    }

    @Test func theBodysErrorIsThrownAndTheLeaseReleased() async throws {
        let error = await thrown {
            try await rig.client("A").withLease(on: "user/1") { _ in throw OwnError() }
        }
        #expect(error is OwnError)
        try await expectNothingLeft()
    }

    @Test func renewalGoesOn() async throws {
        try await rig.client("A").withLease(on: "user/1", ttl: .seconds(30)) { lease in
            try await rig.advance(by: .seconds(3_600))
            try lease.checkHeld()
            #expect(lease.timeLeft > .seconds(19) && lease.timeLeft <= .seconds(30))
        }
        try await expectNothingLeft()
    }

    @Test func whoStandsStillLosesItAndIsCancelled() async throws {
        let error = await thrown {
            try await rig.client("A").withLease(on: "user/1", ttl: .seconds(30)) { lease in
                try await rig.advance(by: .seconds(30), renewing: false)
                // Cancelled since the lease is lost.
                try await Task.sleep(for: .seconds(600))
            }
        }
        guard case .lost(let lost) = error as? LeaseError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(lost.token == 1 && lost.why == .expired && lost.takenBy == nil)
    }

    @Test func aResultIsReturnedThoughTheLeaseExpired() async throws {
        let result = try await rig.client("A").withLease(on: "user/1", ttl: .seconds(30)) { lease in
            try await rig.advance(by: .seconds(31), renewing: false)
            #expect(lease.isLost && lease.timeLeft == .zero && Task.isCancelled)
            #expect(throws: LeaseError.self) { try lease.checkHeld() }
            return 17
        }
        #expect(result == 17)
    }

    @Test func aResultIsNotReturnedWhereTheKeyWasTaken() async throws {
        let error = await thrown {
            try await rig.client("A").withLease(on: "user/1", ttl: .seconds(30)) { lease in
                try await rig.advance(by: .seconds(31), renewing: false)
                // This task is cancelled by now, so another one takes it.
                _ = try await Task { try await rig.client("B").acquire(on: "user/1") }.value
                return 17
            }
        }
        guard case .lost(let lost) = error as? LeaseError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(lost.token == 1 && lost.takenBy == 2)
    }

    @Test func theBodysOwnErrorWinsOverTheLoss() async throws {
        let error = await thrown {
            try await rig.client("A").withLease(on: "user/1", ttl: .seconds(30)) { lease in
                try await rig.advance(by: .seconds(31), renewing: false)
                throw OwnError()
            }
        }
        #expect(error is OwnError)
    }

    @Test func anEvictedHolderIsToldAtItsNextRenewal() async throws {
        let error = await thrown {
            try await rig.client("A").withLease(on: "user/1", ttl: .seconds(30)) { lease in
                try await rig.client("B").evict(lease.token, note: "stuck")
                try await rig.advance(by: .seconds(10))
                try await Task.sleep(for: .seconds(600))
            }
        }
        guard case .lost(let lost) = error as? LeaseError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(lost.why == .evicted)
    }

    @Test func whoWaitsIsGrantedInTurn() async throws {
        let order = Notes<String>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, name) in ["A", "B", "C"].enumerated() {
                group.addTask {
                    try await rig.client(name).withLease(on: "user/1", waitingUpTo: .seconds(60)) { _ in
                        order.append(name)
                        try await rig.settled("user/1", waiters: 2 - index)
                    }
                }
                // With the last one the first has what it waits for, and goes.
                if index < 2 { try await rig.settled("user/1", waiters: index, holders: 1) }
            }
            try await group.waitForAll()
        }
        #expect(order.all == ["A", "B", "C"])
        try await expectNothingLeft()
    }

    @Test func aWaitEnds() async throws {
        try await rig.client("A").withLease(on: "user/1") { _ in
            async let waiting = thrown {
                try await rig.client("B").withLease(on: "user/1", waitingUpTo: .seconds(60)) { _ in }
            }
            try await rig.settled("user/1", waiters: 1)
            try await rig.advance(by: .seconds(60))
            guard case .timedOut(let busy) = await waiting as? LeaseError else {
                Issue.record("the wait did not end with a time-out")
                return
            }
            #expect(busy.holder?.owner == "A" && busy.waited == .seconds(60) && busy.key == "user/1")
        }
        try await expectNothingLeft()
    }

    @Test func aCancelledWaiterLeavesTheLine() async throws {
        try await rig.client("A").withLease(on: "user/1") { _ in
            let waiting = Task {
                try await rig.client("B").withLease(on: "user/1", waitingUpTo: .seconds(60)) { _ in }
            }
            try await rig.settled("user/1", waiters: 1)
            waiting.cancel()
            let error = await thrown { try await waiting.value }
            #expect(error is CancellationError)
            // It is out when the task has ended, and not some time after.
            #expect(try await rig.client("C").get("user/1").waiterCount == 0)
        }
    }

    @Test func cancellationReachesTheBody() async throws {
        let holding = Task {
            try await rig.client("A").withLease(on: "user/1") { _ in
                try await Task.sleep(for: .seconds(600))
            }
        }
        try await rig.settled("user/1", waiters: 0, holders: 1)
        holding.cancel()
        #expect(await thrown { try await holding.value } is CancellationError)
        try await expectNothingLeft()
    }

    @Test func aTaskThatIsCancelledAlreadyAsksForNothing() async throws {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await rig.client("A").withLease(on: "user/1") { _ in _ = Issue.record("it ran") }
        }
        #expect(await thrown { try await task.value } is CancellationError)
        #expect(try await rig.client("A").acquire(on: "user/1").token == 1)
    }
}

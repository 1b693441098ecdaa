// The daemon killed, stopped and restarted under the client, and the client's process killed.

import Glibc
import LeaseTesting
import TestSupport
import Testing

@testable import LeaseClient

@Suite(.leaseRig(flags: ["--grace=20s"]))
struct ResilienceTests {
    let rig = LeaseRig.current

    private func expectNothingLeft(_ location: SourceLocation = #_sourceLocation) async throws {
        let watcher = rig.client("watcher")
        #expect(try await watcher.list().leases == [], sourceLocation: location)
        #expect(try await watcher.waiters() == [], sourceLocation: location)
    }

    @Test func aLeaseLivesThroughACrash() async throws {
        let token = try await rig.client("A").withLease(on: "user/1", ttl: .seconds(20)) { lease in
            try await rig.crash()
            try await rig.restart()
            #expect(try await rig.client("B").check(lease.token).owner == "A")
            try lease.checkHeld()
            return lease.token
        }
        #expect(token == 1)
        try await expectNothingLeft()
    }

    @Test func renewalGoesOnOverARestart() async throws {
        try await rig.client("A").withLease(on: "user/1", ttl: .milliseconds(1_500)) { lease in
            try await rig.restart()
            // Longer than it would live without a renewal.
            try await Task.sleep(for: .seconds(3))
            try lease.checkHeld()
        }
        try await expectNothingLeft()
    }

    @Test func whoWaitsGoesOnWaiting() async throws {
        let held = try await rig.client("A").acquire(on: "user/1", ttl: .seconds(600)).token
        async let waiting = rig.client("B").withLease(on: "user/1", waitingUpTo: .seconds(60)) { $0.token }
        try await rig.settled("user/1", waiters: 1)
        try await rig.crash()
        try await rig.restart()
        try await rig.settled("user/1", waiters: 1)
        try await rig.client("A").release(held)
        #expect(try await waiting > held)
        try await expectNothingLeft()
    }

    @Test func whoWaitsInVainForADaemonIsTold() async throws {
        _ = try await rig.client("A").acquire(on: "user/1", ttl: .seconds(600))
        let client = LeaseClient(socket: rig.socket, patience: .milliseconds(400))
        async let waiting = leaseError {
            try await client.withLease(on: "user/1", waitingUpTo: .seconds(600)) { _ in }
        }
        try await rig.settled("user/1", waiters: 1)
        try await rig.crash()
        guard case .unavailable = await waiting else {
            Issue.record("it goes on waiting")
            return
        }
    }

    @Test(arguments: [true, false])
    func aLeaseIsLostThoughTheDaemonIsSilent(isPaused: Bool) async throws {
        let client = LeaseClient(socket: rig.socket, owner: "A")
        let begin = ContinuousClock.now
        let error = await leaseError {
            try await client.withLease(on: "user/1", ttl: .seconds(1)) { lease in
                if isPaused { try await rig.pause() } else { try await rig.crash() }
                try await Task.sleep(for: .seconds(600))
            }
        }
        #expect(ContinuousClock.now - begin >= .seconds(1))
        guard case .lost(let lost) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(lost.why == .unanswered && lost.takenBy == nil)
        if isPaused { try await rig.resume() }
    }

    @Test func aComputedResultIsReturnedThoughTheDaemonHasGone() async throws {
        let client = LeaseClient(socket: rig.socket)
        let result = try await client.withLease(on: "user/1", ttl: .seconds(600)) { _ in
            try await rig.crash()
            return 17
        }
        #expect(result == 17)
    }

    @Test func aClientThatNobodyHoldsEnds() async throws {
        var client: LeaseClient? = LeaseClient(socket: rig.socket)
        try await client?.ping()
        weak let pump = client?.pump
        client = nil
        // Its thread holds it until it has seen that.
        for _ in 0..<10_000 where pump != nil {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(pump == nil)
    }
}

struct KilledTests {
    /// A line that a probe says.
    private func start(_ words: [String]) throws -> (probe: Program, line: String) {
        let (output, outputOfProbe) = try makePipe()
        defer { closeForAll(output) }
        let probe = try Program(
            [Daemon.builtProgram("clientprobe")] + words, descriptors: [1: outputOfProbe])
        closeForAll(outputOfProbe)
        return (probe, readLine(output))
    }

    @Test func theKeyIsFreeWhenItsProcessIsKilled() async throws {
        let rig = try await LeaseRig.start()
        let (probe, line) = try start(["hold", rig.socket, "user/1"])
        #expect(line == "1")
        async let next = rig.client("next").withLease(on: "user/1", waitingUpTo: .seconds(60)) { $0.token }
        try await rig.settled("user/1", waiters: 1)
        probe.signal(SIGKILL)
        #expect(try await next == 2)
    }

    @Test func nothingOfARigIsLeftWhenItsProcessIsKilled() async throws {
        let (probe, socket) = try start(["rig"])
        let folder = String(socket.dropLast(2))
        let client = LeaseClient(socket: socket, patience: .milliseconds(100))
        try await client.ping()
        #expect(access(folder, F_OK) == 0 && folder.hasPrefix("/tmp/leases-"))
        probe.signal(SIGKILL)
        for _ in 0..<3_000 where access(folder, F_OK) == 0 {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(access(folder, F_OK) != 0)
        #expect(await leaseError { try await client.ping() } != nil)
    }
}

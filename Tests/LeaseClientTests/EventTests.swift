// What a watch tells through the client: in order, without gap or repeat, over restarts and cuts.

import LeaseClient
import LeaseTesting
import Testing

@Suite(.leaseRig(flags: ["--events-max=4096", "--output-bytes-max=1056768"]))
struct EventTests {
    let rig = LeaseRig.current

    @Test func whatThereIsAndWhatHappens() async throws {
        let client = rig.client("A")
        let first = try await client.acquire(on: "user/1", "species/1/video").token
        _ = try await client.acquire(on: "conversation/1")
        var events = client.events(under: "user/", "species/1").makeAsyncIterator()
        let held = try #require(try await events.next())
        #expect(held.kind == .held && held.token == first && held.owner == "A")
        #expect(held.keys == ["user/1", "species/1/video"])
        try await client.release(first)
        let released = try #require(try await events.next())
        #expect(released.kind == .released && released.token == first && released.heldFor != nil)
        #expect(released.sequence > held.sequence)
        _ = try await client.acquire(on: "conversation/2")
        let third = try await client.acquire(on: "user/2", note: "a b").token
        let granted = try #require(try await events.next())
        #expect(granted.kind == .granted && granted.token == third && granted.note == "a b")
        let history = try await client.history(under: "user/", last: 2)
        #expect(history.map(\.kind) == [.released, .granted] && history[1].token == third)
        #expect(history.map(\.sequence) == [released.sequence, granted.sequence])
    }

    @Test func itGoesOnOverARestart() async throws {
        // A start takes as long as it takes.
        let client = LeaseClient(socket: rig.socket, owner: "A", patience: .seconds(120))
        _ = try await client.acquire(on: "user/0")
        var events = client.events().makeAsyncIterator()
        #expect(try await events.next()?.kind == .held)
        var last: UInt64 = 0
        for id in 1...20 {
            if id % 5 == 0 {
                try await rig.crash()
                try await rig.restart()
            }
            let token = try await client.acquire(on: .user(id)).token
            let event = try #require(try await events.next())
            #expect(event.kind == .granted && event.token == token && event.sequence > last)
            last = event.sequence
        }
    }

    @Test func whoReadsSlowlyMissesNothing() async throws {
        let client = rig.client("A")
        var events = client.events(under: "user/1").makeAsyncIterator()
        // It begins with the first look.
        let token = try await client.acquire(on: "user/1").token
        #expect(try await events.next()?.kind == .held)
        try await client.release(token)
        let opened = try await client.stats().connectionsOpened
        // More than fits in all buffers on the way, so that the daemon cuts the watch.
        let note = String(repeating: "x", count: 255)
        for _ in 0..<3_000 {
            try await client.release(try await client.acquire(on: "user/1", note: note).token)
        }
        var sequence: UInt64 = 0
        var granted = 0
        while granted < 3_000, let event = try await events.next() {
            #expect(event.sequence > sequence)
            sequence = event.sequence
            if event.kind == .granted { granted += 1 }
        }
        #expect(granted == 3_000)
        #expect(try await client.stats().connectionsOpened > opened, "it was not cut")
    }

    @Test func whatIsForgottenIsAnError() async throws {
        let client = rig.client("A")
        for _ in 0..<2_100 {
            try await client.release(try await client.acquire(on: "user/1").token)
        }
        var events = client.events(since: 1).makeAsyncIterator()
        guard case .invalid(let refusal) = await leaseError({ try await events.next() }) else {
            Issue.record("what came after 1 is not remembered")
            return
        }
        #expect(refusal.code == "too-old")
        var wrong = client.events(under: "user").makeAsyncIterator()
        guard case .invalid(let prefix) = await leaseError({ try await wrong.next() }) else {
            Issue.record("that is no prefix")
            return
        }
        #expect(prefix.code == "bad-key")
    }

    /// Without a log numbers begin anew with each start.
    @Test(.leaseRig(flags: ["--memory"])) func whatAnotherRunNumbersIsNotTakenForMore() async throws {
        let rig = LeaseRig.current
        let client = LeaseClient(socket: rig.socket, owner: "A", patience: .seconds(120))
        _ = try await client.acquire(on: "user/1")
        var events = client.events().makeAsyncIterator()
        #expect(try await events.next()?.kind == .held)
        try await rig.crash()
        try await rig.restart()
        _ = try await client.acquire(on: "user/2")
        _ = try await client.acquire(on: "user/3")
        guard case .invalid(let refusal) = await leaseError({ try await events.next() }) else {
            Issue.record("what happened meanwhile is not known")
            return
        }
        #expect(refusal.code == "too-old")
    }

    @Test func cancellationEndsTheIteration() async throws {
        let events = rig.client("A").events()
        let task = Task {
            for try await _ in events {}
        }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        #expect(await thrown { try await task.value } is CancellationError)
    }

    @Test func countsAreRead() async throws {
        let client = rig.client("A")
        try await client.withLease(on: "user/1") { _ in
            _ = await leaseError { try await client.acquire(on: "user/1") }
            _ = await leaseError { try await client.acquire(on: "users/1") }
        }
        let stats = try await client.stats()
        #expect(stats.total["granted"] == 1 && stats.total["busy-held"] == 1)
        #expect(stats.kinds["user"]?["released"] == 1 && stats.kinds["species"]?["granted"] == 0)
        #expect(stats.kinds["user"]?.holds.count == 1 && stats.leases == 0 && stats.connections >= 1)
        #expect(stats.errors["unknown-kind"] == 1 && stats.logBytes > 0)
        #expect(stats.total.holds.buckets.last?.count == 1)
    }
}

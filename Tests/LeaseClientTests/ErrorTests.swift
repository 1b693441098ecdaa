// Each error of the client, provoked against the real daemon.

import Glibc
import LeaseClient
import LeaseTesting
import TestSupport
import Testing

/// The `LeaseError` that something throws; nil where it throws none.
func leaseError<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
) async -> LeaseError? {
    await thrown(body) as? LeaseError
}

@Suite(
    .leaseRig(
        clock: .manual,
        policy: """
            kind user id limit=1 ttl=1m max-ttl=10m
            kind pair id limit=2
            kind short id queue=0
            kind species id media:image,video
            """,
        flags: ["--leases-max=3", "--connections-max=4"]))
struct ErrorTests {
    let rig = LeaseRig.current

    @Test func busySaysWhoHoldsIt() async throws {
        let token = try await rig.client("tab A").acquire(on: "user/1", ttl: .seconds(30)).token
        try await rig.advance(by: .milliseconds(1_569), renewing: false)
        let error = await leaseError { try await rig.client("B").acquire(on: "user/2", "user/1") }
        guard case .busy(let busy) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(busy.key == "user/1" && busy.reason == .held && busy.limit == 1 && busy.placeInLine == 1)
        #expect(busy.waited == nil && busy.ahead == nil && busy.retryAfter == nil)
        let holder = try #require(busy.holder)
        #expect(holder.token == token && holder.owner == "tab A" && holder.pid == getpid())
        #expect(holder.uid == getuid() && !holder.isShared)
        #expect(holder.age == .milliseconds(1_569) && holder.timeLeft == .milliseconds(28_431))
        #expect(
            "\(busy)" == "user/1 is held by tab A (pid \(getpid()), uid \(getuid())) for 1s, 28s left")
    }

    @Test func busyForOtherReasons() async throws {
        let client = rig.client("A")
        _ = try await client.acquire(on: "pair/1")
        _ = try await client.acquire(on: "pair/1", "short/1")
        guard case .busy(let limit) = await leaseError({ try await client.acquire(on: "pair/1") }) else {
            Issue.record("both slots are taken")
            return
        }
        #expect(limit.reason == .limit && limit.limit == 2)
        let full = await leaseError { try await client.acquire(on: "short/1", waitingUpTo: .seconds(9)) }
        guard case .busy(let line) = full else {
            Issue.record("nobody may wait")
            return
        }
        #expect(line.reason == .queueFull && line.holder != nil)
    }

    @Test(arguments: [
        ("users/1", "unknown-kind"), ("user", "bad-key"), ("user/", "bad-key"), ("user/a b", "bad-key"),
        ("user/1/2", "wrong-parts"), ("species/1/audio", "part-not-allowed"),
        ("user/" + String(repeating: "x", count: 251), "bad-key"), ("user/%4", "bad-key"),
    ])
    func invalidKeys(spelled: String, code: String) async throws {
        let error = await leaseError { try await rig.client("A").withLease(on: LeaseKey(spelled)) { _ in } }
        guard case .invalid(let refusal) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(refusal.code == code && !refusal.message.isEmpty)
        #expect(try await rig.client("A").list().leases == [])
    }

    @Test func invalidOptions() async throws {
        let client = rig.client("A")
        let long = String(repeating: "ö", count: 43)
        let huge = String(repeating: "x", count: 100_000)
        let keys = (1...17).map { LeaseKey.user($0) }
        func code(_ error: LeaseError?) -> String {
            if case .invalid(let refusal) = error { refusal.code } else { "\(String(describing: error))" }
        }
        #expect(code(await leaseError { try await client.withLease(on: []) { _ in } }) == "missing-word")
        #expect(code(await leaseError { try await client.withLease(on: keys) { _ in } }) == "too-many-keys")
        let twice = await leaseError { try await client.acquire(on: "user/1", "user/%31") }
        #expect(code(twice) == "given-twice")
        for ttl in [Swift.Duration.zero, .seconds(-1), .seconds(Int64.max)] {
            let error = await leaseError { try await client.acquire(on: "user/1", ttl: ttl) }
            #expect(code(error) == "bad-value")
        }
        let hour = await leaseError { try await client.acquire(on: "user/1", ttl: .seconds(3_600)) }
        #expect(code(hour) == "ttl-too-long")
        let first = await leaseError { try await client.acquire(on: "user/1", priority: 10) }
        #expect(code(first) == "bad-value")
        #expect(code(await leaseError { try await client.acquire(on: "user/1", note: long) }) == "bad-value")
        #expect(code(await leaseError { try await client.acquire(on: "user/1", note: huge) }) == "bad-value")
        #expect(code(await leaseError { try await client.list(under: "user") }) == "bad-key")
        #expect(code(await leaseError { try await client.get("user/1", limit: 0) }) == "bad-value")
        let ended = await leaseError { try await client.acquire(on: "user/1", whileProcess: .max) }
        #expect(code(ended) == "no-process")
        let nobody = LeaseClient(socket: rig.socket, owner: "")
        #expect(code(await leaseError { try await nobody.acquire(on: "user/1") }) == "bad-value")
        #expect(try await client.list().leases == [])
    }

    @Test func lostForEachVerb() async throws {
        let client = rig.client("A")
        let token = try await client.acquire(on: "user/1").token
        try await client.release(token)
        let next = try await client.acquire(on: "user/1").token
        let gone = LeaseError.Why.released
        for error in [
            await leaseError { try await client.release(token) },
            await leaseError { try await client.renew(token) },
            await leaseError { _ = try await client.check(token) },
            await leaseError { try await client.evict(token) },
        ] {
            guard case .lost(let lost) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(lost.token == token && lost.why == gone && lost.takenBy == next)
        }
        guard case .lost(let unknown) = await leaseError({ try await client.renew(999) }) else {
            Issue.record("there never was a lease 999")
            return
        }
        #expect(unknown.why == .unknown && unknown.takenBy == nil)
    }

    @Test func unavailableWhereABoundIsReached() async throws {
        let client = rig.client("A")
        for id in 1...3 { _ = try await client.acquire(on: .user(id)) }
        guard case .unavailable(let outage) = await leaseError({ try await client.acquire(on: "user/4") })
        else {
            Issue.record("there may be three leases")
            return
        }
        #expect(outage.code == "too-many-leases")
    }

    @Test func unavailableWhereThereAreTooManyConnections() async throws {
        let clients = (1...5).map { _ in
            LeaseClient(socket: rig.socket, patience: .milliseconds(300))
        }
        var codes: [String?] = []
        for client in clients {
            if case .unavailable(let outage) = await leaseError({ try await client.ping() }) {
                codes.append(outage.code)
            }
        }
        #expect(codes == ["too-many-connections"])
        withExtendedLifetime(clients) {}
    }
}

struct UnavailableTests {
    @Test func whereThereNeverWasADaemon() async throws {
        let client = LeaseClient(socket: "/tmp/there/is/no/daemon", patience: .seconds(600))
        let error = await leaseError { try await client.withLease(on: "user/1") { _ in } }
        guard case .unavailable(let outage) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(outage.socket == "/tmp/there/is/no/daemon")
        #expect(outage.placesLookedAt == ["/tmp/there/is/no/daemon"] && !outage.hint.isEmpty)
    }

    @Test func whereTheDaemonIsGone() async throws {
        let rig = try await LeaseRig.start()
        let client = LeaseClient(socket: rig.socket, patience: .milliseconds(300))
        try await client.ping()
        try await rig.crash()
        guard case .unavailable(let outage) = await leaseError({ try await client.ping() }) else {
            Issue.record("there is no daemon")
            return
        }
        #expect(outage.socket == rig.socket)
        try await rig.restart()
        try await client.ping()
    }

    @Test func whereTheDaemonIsSilent() async throws {
        let rig = try await LeaseRig.start()
        let client = LeaseClient(socket: rig.socket, patience: .milliseconds(300))
        try await rig.pause()
        for _ in 0..<2 {
            let error = await leaseError { try await client.withLease(on: "user/1") { _ in } }
            guard case .unavailable(let outage) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(outage.hint.contains("does not answer"))
        }
        try await rig.resume()
        // What it was asked for meanwhile is granted to nobody.
        #expect(try await client.list().leases == [])
        #expect(try await client.acquire(on: "user/1").waited == .zero)
    }
}

struct ForbiddenTests {
    @Test(.enabled(if: getuid() == 0, "only root can be another user"))
    func ofAnotherUser() throws {
        let daemon = try Daemon(isForEverybody: true)
        try daemon.start(["--memory"])
        let holder = try daemon.connect()
        #expect(holder.ask("acquire user/1")?.hasPrefix("OK token=1") == true)
        let (output, outputOfProbe) = try makePipe()
        defer { closeForAll(output) }
        let probe = try Program(
            [Daemon.builtProgram("clientprobe"), "release", daemon.socketPath, "1"],
            descriptors: [1: outputOfProbe], uid: 65_534)
        closeForAll(outputOfProbe)
        #expect(probe.exitCode() == 0)
        #expect(readAll(output) == "forbidden forbidden\n")
        #expect(holder.ask("check 1")?.hasPrefix("OK") == true)
    }
}

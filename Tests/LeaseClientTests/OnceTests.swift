// Single flight through the client: one does the work, all have its result.

import LeaseClient
import LeaseTesting
import Testing

private struct Picture: Codable, Equatable {
    var name: String
    var bytes: [Int]
}

private struct OwnError: Error {}

@Suite(.leaseRig(clock: .manual))
struct OnceTests {
    let rig = LeaseRig.current

    @Test func oneDoesTheWorkForAll() async throws {
        let works = Notes<String>()
        let results = Notes<LeaseResult<Picture>>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in 0..<5 {
                group.addTask {
                    let result = try await rig.client("\(name)").once(Picture.self, on: "user/1") { lease in
                        works.append("\(name)")
                        try await rig.settled("user/1", waiters: 4)
                        return Picture(name: "ü \(lease.token)", bytes: [1, 2])
                    }
                    results.append(result)
                }
            }
            try await group.waitForAll()
        }
        #expect(works.all.count == 1 && results.all.count == 5)
        #expect(results.all.allSatisfy { $0.value == Picture(name: "ü 1", bytes: [1, 2]) && $0.token == 1 })
        #expect(results.all.count { $0.didWork } == 1)
        #expect(results.all.allSatisfy { $0.isShared && $0.age == nil })
    }

    @Test func aResultIsKept() async throws {
        let client = rig.client("A")
        let bytes: [UInt8] = [0, 10, 32, 37, 255]
        let first = try await client.once(on: "user/1", keep: .seconds(300)) { _ in bytes }
        #expect(first.value == bytes && first.didWork && first.isShared && first.age == nil)
        try await rig.advance(by: .seconds(299))
        let second = try await client.once(on: "user/1") { _ in [] }
        #expect(second.value == bytes && !second.didWork && second.age == .seconds(299))
        #expect(try await client.forget("user/1"))
        #expect(try await !client.forget("user/1"))
        let third = try await client.once(on: "user/1") { _ in [] }
        #expect(third.didWork && third.value.isEmpty)
    }

    @Test func whoRefreshesDoesTheWorkAnew() async throws {
        let client = rig.client("A")
        _ = try await client.once(on: "user/1", keep: .seconds(300)) { _ in Array("old".utf8) }
        let fresh = try await client.once(on: "user/1", keep: .seconds(300), refreshing: true) { _ in
            // The old result answers meanwhile.
            let other = try await rig.client("B").once(on: "user/1") { _ in [] }
            #expect(other.value == Array("old".utf8))
            return Array("new".utf8)
        }
        #expect(fresh.didWork)
        #expect(try await rig.client("B").once(on: "user/1") { _ in [] }.value == Array("new".utf8))
    }

    @Test func whereTheWorkFailsTheNextOneDoesIt() async throws {
        async let failing = thrown {
            try await rig.client("A").once(on: "user/1") { _ in
                try await rig.settled("user/1", waiters: 1)
                throw OwnError()
            }
        }
        try await rig.settled("user/1", waiters: 0, holders: 1)
        let result = try await rig.client("B").once(on: "user/1") { _ in Array("mine".utf8) }
        #expect(await failing is OwnError)
        #expect(result.didWork && result.value == Array("mine".utf8))
    }

    @Test func whatIsTooLongIsReturnedAndNotShared() async throws {
        let long = [UInt8](repeating: 0x20, count: LeaseClient.resultBytesMax / 3 + 1)
        let result = try await rig.client("A").once(on: "user/1", keep: .seconds(300)) { _ in long }
        #expect(result.value == long && result.didWork && !result.isShared)
        #expect(try await rig.client("B").once(on: "user/1") { _ in [] }.didWork)
    }

    @Test func whatIsNoSuchValueIsAnError() async throws {
        _ = try await rig.client("A").once(on: "user/1", keep: .seconds(300)) { _ in Array("not JSON".utf8) }
        let error = await thrown {
            try await rig.client("B").once(Picture.self, on: "user/1") { _ in
                Picture(name: "", bytes: [])
            }
        }
        #expect(error is DecodingError)
    }

    @Test func aWaitForTheWorkEnds() async throws {
        _ = try await rig.client("A").acquire(on: "user/1", ttl: .seconds(600))
        async let waiting = leaseError {
            try await rig.client("B").once(on: "user/1", waitingUpTo: .seconds(60)) { _ in [] }
        }
        try await rig.settled("user/1", waiters: 1)
        try await rig.advance(by: .seconds(60))
        guard case .timedOut = await waiting else {
            Issue.record("the wait did not end with a time-out")
            return
        }
    }
}

// Many tasks on one client: exclusion holds, everybody comes to an end, nothing is left.

import LeaseClient
import LeaseTesting
import SeededRandom
import Synchronization
import Testing

/// Who is at work on each key, and the last token there.
private final class Fence: Sendable {
    private struct Key {
        var atWork = 0
        var token: UInt64 = 0
        var entries = 0
    }

    private let keys: Guarded<[Key]>

    init(keys count: Int) {
        keys = Guarded(Array(repeating: Key(), count: count))
    }

    func enter(_ key: Int, token: UInt64) {
        keys.withLock { keys in
            keys[key].atWork += 1
            keys[key].entries += 1
            #expect(keys[key].atWork == 1, "two are at work on key \(key)")
            #expect(token > keys[key].token, "a token is not greater than the one before")
            keys[key].token = token
        }
    }

    func leave(_ key: Int) {
        keys.withLock { $0[key].atWork -= 1 }
    }

    var entries: Int { keys.withLock { $0.reduce(0) { $0 + $1.entries } } }
    var isEmpty: Bool { keys.withLock { $0.allSatisfy { $0.atWork == 0 } } }
}

struct ManyTests {
    private func expectNothingLeft(_ rig: LeaseRig) async throws {
        #expect(try await rig.client("watcher").list().leases == [])
        #expect(try await rig.client("watcher").waiters() == [])
    }

    @Test func aThousandTasksOnTenKeys() async throws {
        let rig = try await LeaseRig.start()
        let fence = Fence(keys: 10)
        let client = rig.client("many")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<1_000 {
                group.addTask {
                    let key = task % 10
                    try await client.withLease(on: .user(key), waitingUpTo: .seconds(120)) { lease in
                        fence.enter(key, token: lease.token)
                        await Task.yield()
                        fence.leave(key)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(fence.entries == 1_000)
        try await expectNothingLeft(rig)
    }

    @Test func cancelledAtManyMoments() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("ManyTests.cancelledAtManyMoments: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let rig = try await LeaseRig.start()
        let fence = Fence(keys: 3)
        let client = rig.client("many")
        for _ in 0..<10 {
            var tasks: [Task<Void, any Error>] = []
            for _ in 0..<40 {
                let key = Int.random(in: 0..<3, using: &random)
                let pause = Int.random(in: 0...3_000, using: &random)
                tasks.append(
                    Task {
                        try await client.withLease(on: .user(key), waitingUpTo: .seconds(120)) { lease in
                            fence.enter(key, token: lease.token)
                            defer { fence.leave(key) }
                            try await Task.sleep(for: .microseconds(pause))
                        }
                    })
            }
            for task in tasks {
                if Bool.random(using: &random) {
                    try await Task.sleep(for: .microseconds(Int.random(in: 0...500, using: &random)))
                }
                task.cancel()
            }
            for task in tasks {
                if let error = await thrown({ try await task.value }) {
                    #expect(error is CancellationError, "seed \(seed): \(error)")
                }
            }
            #expect(fence.isEmpty)
            // When all tasks have ended, all is given back, and not some time after.
            try await expectNothingLeft(rig)
        }
    }

    @Test func theDaemonIsKilledNowAndThen() async throws {
        let rig = try await LeaseRig.start(flags: ["--grace=20s"])
        let fence = Fence(keys: 5)
        let client = LeaseClient(socket: rig.socket, owner: "many", patience: .seconds(60))
        // Where there never was a daemon, calls fail at once.
        try await client.ping()
        let isWorking = Atomic<Bool>(true)
        let working = Task {
            defer { isWorking.store(false, ordering: .releasing) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<300 {
                    group.addTask {
                        let key = task % 5
                        try await client.withLease(on: .user(key), waitingUpTo: .seconds(600)) { lease in
                            fence.enter(key, token: lease.token)
                            defer { fence.leave(key) }
                            try await Task.sleep(for: .milliseconds(10))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        while isWorking.load(ordering: .acquiring), fence.entries < 250 {
            try await Task.sleep(for: .milliseconds(100))
            try await rig.crash()
            try await rig.restart()
        }
        try await working.value
        #expect(fence.entries == 300 && fence.isEmpty)
        try await expectNothingLeft(rig)
    }
}

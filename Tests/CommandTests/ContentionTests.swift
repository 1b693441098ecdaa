// Eight processes that contend by `lease run`, while the daemon and they are killed now and then.

import Foundation
import Glibc
import SeededRandom
import TestSupport
import Testing

@Suite struct ContentionTests {
    /// Until there were enough spans to say something. `LEASED_TEST_MILLISECONDS` makes it longer,
    /// `LEASED_TEST_SEED` repeats a run as far as processes can be repeated.
    @Test func noKeyIsHeldTwiceWhateverIsKilled() throws {
        let span = number("LEASED_TEST_MILLISECONDS") ?? 4_000
        let seed = number("LEASED_TEST_SEED") ?? UInt64.random(in: 1...1_000_000)
        print("contention by lease run: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let rig = try Rig(["--grace=200ms"])
        let record = rig.daemon.folder("beliefs")
        let contender = Daemon.builtProgram("contender")
        var starts = 0
        func start() throws -> Program {
            starts += 1
            var keys = ["user/a", "user/b", "species/1/image"].shuffled(using: &random)
            keys = Array(keys.prefix(Int.random(in: 1...2, using: &random)))
            let words = [lease, "run"] + keys + ["-w", "5s", "-t", "1m", "--"]
            return try Program(
                words + [contender, record, "\(seed &* 1_000 &+ UInt64(starts))", "\(bootNanoseconds())"],
                environment: rig.environment)
        }
        var running = try (0..<8).map { _ in try start() }
        var codes: [Int32: Int] = [:]
        var kills = 0
        let end = milliseconds() + Int64(span)
        while milliseconds() < end || beliefs(record).all.count <= 3 {
            usleep(UInt32.random(in: 1_000...20_000, using: &random))
            for index in running.indices {
                guard let code = running[index].exitCode(within: 0) else { continue }
                codes[code, default: 0] += 1
                running[index] = try start()
            }
            switch Int.random(in: 0..<40, using: &random) {
            case 0:
                rig.daemon.kill()
                try rig.daemon.start(["--grace=200ms"])
                kills += 1
            case 1, 2: running.randomElement(using: &random)?.signal(SIGKILL)
            default: break
            }
        }
        running.forEach { $0.signal(SIGKILL) }
        running.removeAll()
        var beliefs = beliefs(record)
        beliefs.checkExclusion()
        beliefs.checkTokens()
        print(
            "contention by lease run: \(beliefs.all.count) spans, codes \(codes), \(kills) kills"
        )
        #expect(beliefs.faults == [], "seed \(seed)")
        // 69: the daemon was away as it came.
        #expect(codes.keys.allSatisfy { [0, 69, 75, 137].contains($0) }, "seed \(seed): \(codes)")
        for key in ["user/a", "user/b", "species/1/image"] {
            #expect(holds { (try? rig.isFree(key)) == true }, "seed \(seed): \(key) is left behind")
        }
    }

    private func bootNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private func beliefs(_ record: String) -> Beliefs {
        var beliefs = Beliefs()
        beliefs.read(record)
        return beliefs
    }

    private func number(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }
}

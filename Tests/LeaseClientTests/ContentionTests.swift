// Eight processes that contend through the client, while the daemon and they are killed and stopped.

import Glibc
import SeededRandom
import TestSupport
import Testing

struct ContentionTests {
    /// Until there were enough leases to say something. `LEASED_TEST_MILLISECONDS` makes it longer,
    /// `LEASED_TEST_SEED` repeats a run as far as processes can be repeated.
    @Test func noKeyIsHeldTwiceWhateverIsKilled() throws {
        let span = number("LEASED_TEST_MILLISECONDS") ?? 4_000
        let seed = number("LEASED_TEST_SEED") ?? UInt64.random(in: 1...1_000_000)
        print("contention by the client: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let daemon = try Daemon()
        try daemon.start(["--grace=200ms"])
        var files: [String] = []
        func contender() throws -> Program {
            files.append(daemon.folder("belief-\(files.count)"))
            return try Program(
                [Daemon.builtProgram("clientprobe"), "contend", daemon.socketPath, files[files.count - 1]])
        }
        var clients = try (0..<8).map { _ in try contender() }
        let end = milliseconds() + Int64(span)
        while milliseconds() < end || beliefs(files).all.count <= 30 {
            usleep(UInt32.random(in: 20_000...150_000, using: &random))
            let victim = Int.random(in: 0..<clients.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1:
                daemon.kill()
                try daemon.start(["--grace=200ms"])
            case 2:
                clients[victim].signal(SIGKILL)
                clients[victim] = try contender()
            case 3:
                clients[victim].signal(SIGSTOP)
                usleep(UInt32.random(in: 10_000...700_000, using: &random))
                clients[victim].signal(SIGCONT)
            default: break
            }
        }
        clients.forEach { $0.signal(SIGKILL) }
        clients.removeAll()
        var beliefs = beliefs(files)
        beliefs.checkExclusion()
        beliefs.checkTokens()
        print("contention by the client: \(beliefs.all.count) leases of \(files.count) processes")
        #expect(beliefs.faults == [], "seed \(seed)")
        // Each lease was bound to its process, so nothing is held any more.
        let isFree = try (0..<1_000).contains { _ in
            usleep(10_000)
            return try daemon.connect().ask("list") == "OK lines=0"
        }
        #expect(isFree, "seed \(seed): something is left behind")
    }

    private func beliefs(_ files: [String]) -> Beliefs {
        var beliefs = Beliefs()
        files.forEach { beliefs.read($0) }
        return beliefs
    }

    private func number(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }
}

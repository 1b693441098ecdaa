// Real processes that contend for the same keys while the daemon is killed, and they are killed and stopped.

import Glibc
import SeededRandom
import TestSupport
import Testing

@Suite struct ContentionTests {
    /// Eight processes, three keys, until there were enough leases to say something.
    /// `LEASED_TEST_MILLISECONDS` makes it longer, `LEASED_TEST_SEED` repeats a run as far as processes can
    /// be repeated.
    @Test func noKeyHasTwoHoldersWhateverIsKilled() throws {
        let span = number("LEASED_TEST_MILLISECONDS") ?? 5_000
        let seed = number("LEASED_TEST_SEED") ?? UInt64.random(in: 1...1_000_000)
        print("contention: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let daemon = try Daemon()
        // A short grace, or the leases of those who died would block the keys after each start.
        try daemon.start(["--grace=200ms"])
        var files: [String] = []
        func contender() throws -> Program {
            files.append(daemon.folder("belief-\(files.count)"))
            return try Program([
                Daemon.builtProgram("contender"), daemon.socketPath, files[files.count - 1],
                "\(seed &* 1_000 &+ UInt64(files.count))", "\(1_000 * span)",
            ])
        }
        var clients = try (0..<8).map { _ in try contender() }
        let end = milliseconds() + Int64(span)
        var starts = 1
        while milliseconds() < end || beliefs(files).all.count <= 30 {
            usleep(UInt32.random(in: 20_000...150_000, using: &random))
            let victim = Int.random(in: 0..<clients.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1:
                daemon.kill()
                let sync = ["always", "never", "20ms"].randomElement(using: &random)!
                try daemon.start(["--grace=200ms", "--sync=\(sync)"])
                starts += 1
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
        let (leases, clientCount) = (beliefs.all.count, files.count)
        print("contention: \(leases) leases of \(clientCount) processes, \(starts) starts of the daemon")
        #expect(beliefs.faults == [], "seed \(seed)")
        try daemon.stop()
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

// Real processes that contend for the same keys while the daemon is killed, and they are killed and stopped.

import Glibc
import TestSupport
import Testing

/// What one client process wrote down about one lease.
struct Belief {
    var keys: [String]
    var token: UInt64
    var asked: Int64
    /// When it was believed held: after the answer came, and before the client's own deadline.
    var from: Int64
    var until: Int64
}

struct Beliefs {
    var all: [Belief] = []
    var faults: [String] = []

    /// A last line may be cut short: its writer was killed.
    mutating func read(_ path: String) {
        var open: [UInt64: Int] = [:]
        for line in lines(of: path) {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 6, words[0] == "held", let token = UInt64(words[2]),
                let asked = Int64(words[3]), let from = Int64(words[4]), let until = Int64(words[5])
            {
                // A renewal that came in time goes on where the last one stood.
                if let last = open[token], from <= all[last].until {
                    all[last].until = until
                    continue
                }
                open[token] = all.count
                let keys = words[1].split(separator: ",").map(String.init)
                all.append(Belief(keys: keys, token: token, asked: asked, from: from, until: until))
            } else if words.count >= 3, words[0] == "left", let token = UInt64(words[1]),
                let instant = Int64(words[2]), let last = open[token]
            {
                all[last].until = min(all[last].until, instant)
            } else if words.first == "lost" {
                faults.append("taken away before its deadline: \(line)")
            }
        }
    }

    private func lines(of path: String) -> [String] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
            bytes += chunk[..<count]
        }
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// No key was believed held by two at once.
    mutating func checkExclusion() {
        for key in Set(all.flatMap(\.keys)).sorted() {
            var last: Belief?
            let ofKey = all.filter { $0.keys.contains(key) && $0.from < $0.until }
            for belief in ofKey.sorted(by: { $0.from < $1.from }) {
                if let last, belief.from < last.until, belief.token != last.token {
                    faults.append("\(key) was held by \(last.token) and \(belief.token) at once")
                }
                if belief.until > last?.until ?? 0 { last = belief }
            }
        }
    }

    /// A grant that was asked for after another was answered has the greater token, and no token came twice.
    mutating func checkTokens() {
        var first: [UInt64: Belief] = [:]
        for belief in all where belief.from < first[belief.token]?.from ?? .max {
            if let other = first[belief.token], other.keys != belief.keys {
                faults.append("token \(belief.token) was given twice")
            }
            first[belief.token] = belief
        }
        let answered = first.values.sorted { $0.from < $1.from }
        var greatest: UInt64 = 0
        var next = 0
        for belief in first.values.sorted(by: { $0.asked < $1.asked }) {
            while next < answered.count, answered[next].from < belief.asked {
                greatest = max(greatest, answered[next].token)
                next += 1
            }
            if belief.token < greatest { faults.append("token \(belief.token) came after \(greatest)") }
        }
    }
}

@Suite struct ContentionTests {
    /// Eight processes, three keys. `LEASED_TEST_MILLISECONDS` makes it longer, `LEASED_TEST_SEED` repeats a
    /// run as far as processes can be repeated.
    @Test func noKeyHasTwoHoldersWhateverIsKilled() throws {
        let span = number("LEASED_TEST_MILLISECONDS") ?? 5_000
        let seed = number("LEASED_TEST_SEED") ?? UInt64.random(in: 1...1_000_000)
        print("contention: seed \(seed)")
        var random = Generator(state: seed)
        let daemon = try Daemon()
        // A short grace, or the leases of those who died would block the keys after each start.
        try daemon.start(["--grace=200ms"])
        var files: [String] = []
        func contender() throws -> Program {
            files.append(daemon.folder("belief-\(files.count)"))
            return try Program([
                Daemon.builtProgram("contender"), daemon.socketPath, files[files.count - 1],
                "\(seed &* 1_000 &+ UInt64(files.count))", "\(span)",
            ])
        }
        var clients = try (0..<8).map { _ in try contender() }
        let end = milliseconds() + Int64(span)
        var starts = 1
        while milliseconds() < end {
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
        var beliefs = Beliefs()
        files.forEach { beliefs.read($0) }
        beliefs.checkExclusion()
        beliefs.checkTokens()
        let (leases, clientCount) = (beliefs.all.count, files.count)
        print("contention: \(leases) leases of \(clientCount) processes, \(starts) starts of the daemon")
        #expect(beliefs.faults == [], "seed \(seed)")
        #expect(leases > 30, "seed \(seed): too little happened to say anything")
        try daemon.stop()
    }

    private func number(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }
}

// Watchers on a real socket, which holds only so much, and a real daemon that dies.

import TestSupport
import Testing

@Suite struct WatchTests {
    private func word(_ line: String?, _ name: String) -> UInt64? {
        line?.split(separator: " ").first { $0.hasPrefix(name + "=") }.flatMap {
            UInt64($0.dropFirst(name.utf8.count + 1))
        }
    }

    private func take(_ count: Int, from client: Client) throws -> [String] {
        try (0..<count).map { _ in try #require(client.line()) }
    }

    /// More than the socket holds: the daemon goes on only as this side reads.
    @Test func whatThereIsComesAsFastAsItIsRead() throws {
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let asker = try daemon.connect()
        let count = 6_000
        let note = String(repeating: "n", count: 100)
        for token in 1...count { asker.send("acquire user/\(token) note=\(note)") }
        _ = try take(count, from: asker)
        let watcher = try daemon.connect()
        #expect(word(watcher.ask("watch"), "leases") == UInt64(count))
        // Nobody waits for who does not read; and what there was is shown as it was.
        for token in 1...count where token % 3 == 0 { asker.send("release \(token)") }
        _ = try take(count / 3, from: asker)
        let held = try take(count, from: watcher)
        #expect(held.allSatisfy { $0.contains(" held key=") })
        #expect(Set(held.compactMap { word($0, "token") }).count == count)
        let released = try take(count / 3, from: watcher)
        #expect(released.allSatisfy { $0.contains(" released key=") })
        #expect(released.compactMap { word($0, "token") } == (1...UInt64(count)).filter { $0 % 3 == 0 })
        #expect(asker.ask("release 1")?.hasPrefix("OK") == true)
        #expect(word(watcher.line(), "token") == 1)
        try daemon.stop()
    }

    /// A daemon is killed again and again; who comes back with the last number misses nothing that anybody
    /// was told of, and is told nothing twice.
    @Test func whoComesBackMissesNothing() throws {
        let daemon = try Daemon()
        var seen: UInt64 = 0
        var granted: [UInt64] = []
        var told: [UInt64] = []
        for round in 0..<4 {
            try daemon.start()
            let asker = try daemon.connect()
            let watcher = try daemon.connect()
            #expect(watcher.ask("watch since=\(seen)")?.hasPrefix("OK seq=") == true)
            for key in 0..<20 { asker.send("acquire user/\(granted.count + key)") }
            granted += try take(20, from: asker).compactMap { word($0, "token") }
            // Some are read before the daemon goes, the others afterwards.
            for line in try take(3 * round, from: watcher) {
                seen = try #require(word(line, "seq"))
                told.append(try #require(word(line, "token")))
            }
            daemon.kill()
        }
        try daemon.start()
        let watcher = try daemon.connect()
        #expect(watcher.ask("watch since=\(seen)")?.hasPrefix("OK seq=") == true)
        told += try take(granted.count - told.count, from: watcher).compactMap { word($0, "token") }
        #expect(told == granted)
        try daemon.stop()
    }
}

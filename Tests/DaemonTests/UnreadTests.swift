// Many connections that don't read: none is over its own bound, and all together are.

import Glibc
import TestSupport
import Testing

@Suite struct UnreadTests {
    private static let bounds = [
        "--memory", "--output-bytes-max=1056768", "--output-bytes-per-user-max=1500000",
    ]

    /// Each reply is more than half of what all of them may have, and more than the kernel takes.
    private func holdALot(_ client: Client) throws {
        let owner = String(repeating: "o", count: 200)
        for first in stride(from: 0, to: 3_000, by: 100) {
            let lines = (first..<first + 100).map { "acquire user/\($0) ttl=1h owner=\(owner)" }
            client.send(lines.joined(separator: "\n"))
            for _ in lines { try #require(tokenGranted(client.line()) != nil) }
        }
    }

    /// Asks for much and reads nothing of it, until two replies have come and are not read.
    private func fill(_ greedy: [Client]) {
        for client in greedy { client.send("list limit=3000") }
        for client in greedy.prefix(2) {
            var look = pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)
            #expect(poll(&look, 1, Int32(patience) * 1_000) == 1)
        }
    }

    private func empty(_ greedy: [Client]) {
        for client in greedy {
            #expect(client.line()?.hasPrefix("OK lines=3000") == true)
            for _ in 0..<3_000 { #expect(client.line()?.hasPrefix("  ") == true) }
        }
    }

    @Test func requestsAreHeldUpTillTheOthersOfTheUserHaveRead() throws {
        let daemon = try Daemon()
        try daemon.start(UnreadTests.bounds)
        let holder = try daemon.connect()
        try holdALot(holder)
        let greedy = try (0..<6).map { _ in try daemon.connect() }
        fill(greedy)
        holder.send("ping")
        #expect(holder.line(within: 300) == nil)
        empty(greedy)
        #expect(holder.line() == "OK")
        #expect(holder.ask("ping") == "OK")
    }

    /// One user's unread replies hold up the others' requests when they are all that there may be, and not
    /// before; and never those of a user who has read all.
    @Test(
        .enabled(if: isRoot, "needs root, to be another user"),
        arguments: [(1_500_000, true), (4_000_000, false)])
    func requestsAreHeldUpTillAllHaveRead(_ bytesMax: Int, isHeldUp: Bool) throws {
        let daemon = try Daemon(isForEverybody: true)
        try daemon.start(UnreadTests.bounds + ["--output-bytes-in-all-max=\(bytesMax)"])
        let (holder, other) = (try daemon.connect(), try daemon.connect(uid: 65_534))
        try holdALot(holder)
        let greedy = try (0..<3).map { _ in try daemon.connect() }
        fill(greedy)
        #expect(other.ask("ping") == "OK")
        let slow = try daemon.connect(uid: 65_534)
        slow.send("list limit=3000")
        var look = pollfd(fd: slow.descriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&look, 1, Int32(patience) * 1_000) == 1)
        other.send("ping")
        if isHeldUp {
            #expect(other.line(within: 300) == nil)
            empty([slow])
        }
        #expect(other.line() == "OK")
    }

    /// Were they told all that happens, nobody of any user would be answered any more.
    @Test(.enabled(if: isRoot, "needs root, to be another user"))
    func watchesThatNobodyReadsHoldUpNobody() throws {
        let daemon = try Daemon(isForEverybody: true)
        try daemon.start(UnreadTests.bounds + ["--output-bytes-in-all-max=1500000"])
        let mute = try (0..<20).map { _ in try daemon.connect(uid: 65_534) }
        for client in mute { #expect(client.ask("watch") == "OK seq=1 leases=0") }
        let holder = try daemon.connect()
        try holdALot(holder)
        #expect(holder.ask("ping") == "OK")
        #expect(mute[0].ask("ping")?.hasPrefix("* seq=2 granted") == true)
        // What there is they are shown no faster.
        for client in try (0..<20).map({ _ in try daemon.connect() }) { client.send("watch") }
        #expect(holder.ask("ping") == "OK")
        #expect(try daemon.connect(uid: 65_534).ask("ping") == "OK")
    }
}

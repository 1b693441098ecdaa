// Many connections that don't read: none is over its own bound, and all together are.

import Glibc
import TestSupport
import Testing

@Suite struct UnreadTests {
    private static let bounds = [
        "--memory", "--output-bytes-max=1056768", "--output-bytes-per-user-max=1500000",
    ]

    /// Each reply is more than half of what all of them may have, and more than the kernel takes.
    private func holdALot(_ client: Client) {
        let owner = String(repeating: "o", count: 200)
        client.send((0..<3_000).map { "acquire user/\($0) ttl=1h owner=\(owner)" }.joined(separator: "\n"))
        for _ in 0..<3_000 { #expect(tokenGranted(client.line()) != nil) }
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
        holdALot(holder)
        let greedy = try (0..<6).map { _ in try daemon.connect() }
        fill(greedy)
        holder.send("ping")
        #expect(holder.line(within: 300) == nil)
        empty(greedy)
        #expect(holder.line() == "OK")
        #expect(holder.ask("ping") == "OK")
    }

    /// One user's unread replies hold up the others' requests when they are all that there may be, and not
    /// before.
    @Test(
        .enabled(if: isRoot, "needs root, to be another user"),
        arguments: [(1_500_000, true), (4_000_000, false)])
    func requestsAreHeldUpTillAllHaveRead(_ bytesMax: Int, isHeldUp: Bool) throws {
        let daemon = try Daemon(isForEverybody: true)
        try daemon.start(UnreadTests.bounds + ["--output-bytes-in-all-max=\(bytesMax)"])
        let (holder, other) = (try daemon.connect(), try daemon.connect(uid: 65_534))
        holdALot(holder)
        #expect(other.ask("ping") == "OK")
        let greedy = try (0..<3).map { _ in try daemon.connect() }
        fill(greedy)
        other.send("ping")
        if isHeldUp {
            #expect(other.line(within: 300) == nil)
            empty(greedy)
        }
        #expect(other.line() == "OK")
    }
}

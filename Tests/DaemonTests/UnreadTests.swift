// Many connections that don't read: none is over its own bound, and all together are.

import Glibc
import TestSupport
import Testing

@Suite struct UnreadTests {
    @Test func requestsAreHeldUpTillTheOthersOfTheUserHaveRead() throws {
        let daemon = try Daemon()
        try daemon.start([
            "--memory", "--output-bytes-max=1056768", "--output-bytes-per-user-max=1500000",
        ])
        let holder = try daemon.connect()
        for number in 0..<3_000 {
            holder.send("acquire user/\(number) ttl=1h owner=\(String(repeating: "o", count: 200))")
            #expect(tokenGranted(holder.line()) != nil)
        }
        // Each reply is half of what all of them may have, and more than the kernel takes.
        let greedy = try (0..<6).map { _ in try daemon.connect() }
        for client in greedy { client.send("list limit=3000\nping") }
        holder.send("ping")
        for client in greedy {
            var lines = 0
            while let line = client.line(), line != "OK" { lines += line.isEmpty ? 0 : 1 }
            #expect(lines == 3_001)
        }
        #expect(holder.line() == "OK")
        #expect(holder.ask("ping") == "OK")
    }
}

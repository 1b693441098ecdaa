// A disk that takes its time: who needs it waits, and nobody else.

import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: hasStrace, "needs root and strace"))
struct SlowDiskTests {
    @Test func aSlowSyncHoldsUpOnlyWhoNeedsIt() throws {
        let daemon = try Daemon()
        try daemon.start()
        let (client, other) = (try daemon.connect(), try daemon.connect())
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        let fault = try Fault("fdatasync:delay_enter=3s", of: daemon.pid!, output: daemon.folder("trace"))
        client.send("acquire user/2 ttl=1h")
        // Nobody is told of it before it is on the disk; who asks for nothing that has changed is answered.
        #expect(client.line(within: 500) == nil)
        #expect(other.ask("nonsense")?.hasPrefix("ERR unknown-verb ") == true || client.waiting().isEmpty)
        #expect(tokenGranted(client.line(within: 20_000)) == 2)
        withExtendedLifetime(fault) {}
        daemon.kill()
        try daemon.start()
        #expect(try daemon.connect().ask("check 2")?.hasPrefix("OK token=2 ") == true)
        try daemon.stop()
    }
}

// Disks that are full, fail, or lose their power.

import Glibc
import TestSupport
import Testing

@Suite struct DiskTests {
    @Test(.enabled(if: isRoot, "needs root, to mount a small file system"))
    func aFullDiskRefusesGrantsAndKeepsWhatIsHeld() throws {
        let disk = try SmallDisk("none", "size=256k", type: "tmpfs")
        let daemon = try Daemon(dataPath: disk.path + "/d")
        try daemon.start()
        let (client, waiter) = (try daemon.connect(), try daemon.connect())
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        #expect(tokenGranted(client.ask("acquire user/2 ttl=1h")) == 2)
        #expect(tokenGranted(client.ask("acquire user/3 ttl=3s")) == 3)
        disk.fill()
        var last: UInt64 = 3
        var reply = client.ask("acquire user/f\(last) ttl=1h")
        while let token = tokenGranted(reply) {
            last = token
            reply = client.ask("acquire user/f\(last) ttl=1h note=\(String(repeating: "n", count: 200))")
        }
        #expect(reply?.hasPrefix("ERR no-space ") == true)
        #expect(client.ask("renew 1")?.hasPrefix("ERR no-space ") == true)
        #expect(client.ask("check 1")?.hasPrefix("OK token=1 ") == true)
        waiter.send("acquire user/2 wait=1h")
        while client.ask("list waiting")?.hasPrefix("OK lines=1") != true {}
        _ = client.line()
        #expect(client.ask("release 2")?.hasPrefix("OK token=2 ") == true)
        #expect(waiter.line(within: 300) == nil)
        while client.ask("check 3")?.hasPrefix("OK") == true { usleep(50_000) }
        #expect(client.ask("check 3")?.hasPrefix("GONE token=3 why=expired") == true)
        // Also a restart finds its way.
        daemon.kill()
        try daemon.start()
        let again = try daemon.connect()
        #expect(again.ask("check 1")?.hasPrefix("OK token=1 ") == true)
        #expect(again.ask("check 2")?.hasPrefix("GONE token=2 why=released") == true)
        #expect(again.ask("check 3")?.hasPrefix("GONE token=3 why=expired") == true)
        #expect(again.ask("acquire user/2")?.hasPrefix("ERR no-space ") == true)
        disk.makeRoom()
        // The log itself has all there is: ends make room.
        for token in 4...max(last, 4) { #expect(again.ask("release \(token)")?.hasPrefix("OK") == true) }
        #expect((tokenGranted(again.ask("acquire user/2 wait=10s")) ?? grantedLater(again)) ?? 0 > last)
        daemon.kill()
    }

    /// Service resumes by itself, soon.
    private func grantedLater(_ client: Client) -> UInt64? {
        for _ in 0..<100 {
            if let token = tokenGranted(client.ask("acquire user/2 wait=10s")) { return token }
            usleep(50_000)
        }
        return nil
    }

    @Test(.enabled(if: hasStrace, "needs root and strace"), arguments: [
        "fdatasync:error=EIO:when=1", "write:error=EIO:when=1+",
    ])
    func aFailingDiskEndsTheDaemon(_ injection: String) throws {
        let daemon = try Daemon()
        try daemon.start()
        let (client, waiter) = (try daemon.connect(), try daemon.connect())
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        waiter.send("#w acquire user/1 wait=1h")
        while client.ask("list waiting")?.hasPrefix("OK lines=1") != true {}
        _ = client.line()
        let fault = try Fault(
            injection, of: daemon.pid!, paths: [daemon.dataPath + "/log"], output: daemon.folder("trace"))
        #expect(client.ask("acquire user/2")?.hasPrefix("ERR storage ") == true)
        #expect(waiter.line()?.hasPrefix("#w ERR storage ") == true)
        #expect(client.next() == .closed)
        #expect(daemon.exitCode() == 74)
        withExtendedLifetime(fault) {}
        try daemon.start()
        let again = try daemon.connect()
        #expect(again.ask("check 1")?.hasPrefix("OK token=1 ") == true)
        #expect(tokenGranted(again.ask("acquire user/3")) ?? 0 > 2)
        try daemon.stop()
    }

    @Test(.enabled(if: hasExt4, "needs root and mkfs.ext4"))
    func whatWasAcknowledgedOutlivesAPowerCut() throws {
        let folder = try TemporaryFolder()
        let image = folder("image")
        try SmallDisk.makeExt4(image, megabytes: 16)
        var held: [UInt64] = []
        for round in 0..<3 {
            let disk = try SmallDisk(image, "loop", type: "ext4")
            let daemon = try Daemon(dataPath: disk.path + "/d")
            try daemon.start()
            let client = try daemon.connect()
            for token in held {
                #expect(client.ask("check \(token)")?.hasPrefix("OK token=\(token) ") == true)
            }
            if round == 1 { #expect(client.ask("compact")?.hasPrefix("OK") == true) }
            for key in 0..<20 {
                let token = try #require(tokenGranted(client.ask("acquire user/r\(round)k\(key) ttl=1h")))
                #expect(token > held.last ?? 0)
                held.append(token)
            }
            try disk.cutPower()
            daemon.kill()
            try run("/bin/umount", disk.path)
        }
    }
}

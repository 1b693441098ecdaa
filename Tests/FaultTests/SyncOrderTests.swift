// Every call of a daemon's life, held against what a power cut would leave at that moment.

import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: hasStrace, "needs root and strace"))
struct SyncOrderTests {
    /// A first start, grants and ends, a compaction amid them, a crash that tears the end, a start, a stop.
    @Test func nothingIsAnsweredBeforeItIsOnTheDisk() throws {
        let daemon = try Daemon()
        var model = DurabilityModel(folder: daemon.dataPath)
        let trace = daemon.folder("trace")
        let calls = "write,pwrite64,fdatasync,fsync,ftruncate,renameat,renameat2,sendto"
        let wrapper = [strace, "-D", "-f", "-qq", "-o", trace, "-e", "trace=\(calls)"] + SystemCall.format
        for turn in 0..<3 {
            try daemon.start(wrapper: wrapper)
            let client = try daemon.connect()
            var tokens: [UInt64] = []
            // So many syncs of the log that it gets its ring.
            for number in 0..<SyncOrderTests.early {
                let reply = client.ask("acquire user/\(turn)+\(number) ttl=1h")
                tokens.append(try #require(tokenGranted(reply)))
            }
            for round in 0..<6 {
                let lines = (0..<(1 + 7 * (round % 2))).map { "acquire user/\(turn)-\(round)-\($0) ttl=1h" }
                client.send((round == 3 ? ["#c compact"] : []) + lines)
                for _ in 0..<(lines.count + (round == 3 ? 1 : 0)) {
                    let reply = try #require(client.line())
                    if !reply.hasPrefix("#c ") { tokens.append(try #require(tokenGranted(reply))) }
                }
                #expect(client.ask("release \(tokens.removeFirst())")?.hasPrefix("OK") == true)
            }
            if turn == 1 { daemon.kill() } else { try daemon.stop() }
            if turn == 1 { try append("0a1b2c3d 99 17.0000", to: daemon.dataPath + "/log") }
            try waitForTheEnd(of: trace)
            model.follow(SystemCall.read(text(of: trace)))
        }
        #expect(model.faults == [])
        #expect(model.answers == 3 * (33 + SyncOrderTests.early))
        #expect(model.syncsOfRing > 10)
    }

    /// A daemon ends between the exchange of `numbers` and the sync of its name. After a power cut the old
    /// file may have that name, so the next one may not write into it before the directory is synced.
    @Test func whatMayBeTheNumbersIsNotWrittenInto() throws {
        let daemon = try Daemon()
        var model = DurabilityModel(folder: daemon.dataPath)
        let trace = daemon.folder("trace")
        let calls = "write,fdatasync,fsync,ftruncate,renameat,renameat2,sendto"
        let words = [strace, "-D", "-f", "-qq", "-o", trace, "-e", "trace=\(calls)"] + SystemCall.format
        func follow() throws {
            try waitForTheEnd(of: trace)
            model.follow(SystemCall.read(text(of: trace)))
            unlink(trace)
        }
        try daemon.start(wrapper: words)
        #expect(tokenGranted(try daemon.connect().ask("acquire user/1 ttl=1h")) == 1)
        daemon.kill()
        try follow()
        // How a start does it, and then one that ends as it does.
        try daemon.start(wrapper: words)
        daemon.kill()
        try waitForTheEnd(of: trace)
        let before = SystemCall.read(text(of: trace)).prefix { $0.name != "renameat2" }
        try follow()
        let syncs = before.count { $0.name == "fsync" && $0.moment == .began }
        let fault = ["-e", "inject=fsync:signal=KILL:when=\(syncs + 1)"]
        #expect(try !daemon.serves(wrapper: words + fault))
        #expect(daemon.exitCode() == 128 + SIGKILL)
        try follow()
        #expect(model.mayStandForTwo("numbers"))
        try daemon.start(wrapper: words)
        let reply = try daemon.connect().ask("acquire user/2 ttl=1h")
        #expect(tokenGranted(reply) ?? 0 > 1)
        try daemon.stop()
        try follow()
        #expect(model.faults == [])
        #expect(model.answers == 2)
    }

    private static let early = 36

    private func append(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "a"))
        fputs(text, file)
        fclose(file)
    }

    /// strace goes on writing for a moment after the daemon has ended.
    private func waitForTheEnd(of path: String) throws {
        var size = -1
        while bytes(of: path).count != size {
            size = bytes(of: path).count
            usleep(300_000)
        }
    }
}

extension Client {
    func send(_ lines: [String]) { send(lines.joined(separator: "\n")) }
}

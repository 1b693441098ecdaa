// The log stays as small as is promised, however long the daemon is at work.

import Glibc
import TestSupport
import Testing

@Suite(.disabled(if: isSanitized, "a sanitizer's daemon is too slow for so much"))
struct LogSizeTests {
    /// A log is compacted from 32 MiB on; what is written meanwhile comes on top.
    private static let bytesMax = 40 << 20

    /// One key acquired and released, again and again: a million times with `LEASED_FAULT_SWEEP`, else with
    /// texts so long that fewer will do.
    @Test func grantsWithoutEndDoNotMakeItGrow() throws {
        let text = isFullSweep ? "o" : String(repeating: "o", count: 255)
        try work(rounds: isFullSweep ? 1_000_000 : 54_000, "grants") { token in
            "acquire user/1 owner=\(text) note=\(text)\nrelease \(token)\n"
        }
    }

    /// One lease renewed a million times.
    @Test(.enabled(if: isFullSweep, "takes a million renewals: LEASED_FAULT_SWEEP"))
    func renewalsWithoutEndDoNotMakeItGrow() throws {
        try work(rounds: 1_000_000, "renewals") { token in
            token == 1 ? "acquire user/1 ttl=1h\nping\n" : "renew 1 ttl=1h\nping\n"
        }
    }

    private func work(rounds: Int, _ what: String, _ round: (Int) -> String) throws {
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let client = try daemon.connect()
        let log = daemon.dataPath + "/log"
        var (done, most, last, compactions) = (0, 0, 0, 0)
        while done < rounds {
            client.send(Array((1...1_000).map { round(done + $0) }.joined().utf8))
            try client.skip(lines: 2_000)
            done += 1_000
            let size = self.size(log)
            if size < last { compactions += 1 }
            (most, last) = (max(most, size), size)
        }
        #expect(most < LogSizeTests.bytesMax)
        #expect(compactions > 0)
        #expect(client.ask("ping") == "OK")
        daemon.kill()
        let begun = milliseconds()
        try daemon.start()
        print("log size: \(rounds) \(what), \(compactions) compactions, at most \(most) bytes, "
            + "started over \(size(log)) bytes in \(milliseconds() - begun) ms")
        try daemon.stop()
    }

    private func size(_ path: String) -> Int {
        var about = stat()
        return stat(path, &about) == 0 ? Int(about.st_size) : 0
    }
}

extension Client {
    /// Takes so many lines, of which none is an error.
    func skip(lines: Int) throws {
        for _ in 0..<lines {
            let reply = line() ?? "nothing"
            guard reply.hasPrefix("OK") else { throw Failure("not carried out: \(reply)") }
        }
    }
}

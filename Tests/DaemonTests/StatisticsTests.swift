// `stats` of a real daemon: what only a disk can tell.

import TestSupport
import Testing

@Suite struct StatisticsTests {
    @Test func syncsOfTheLogAreCountedAndTimed() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        for number in 1...3 {
            #expect(tokenGranted(client.ask("acquire user/\(number)")) != nil)
        }
        let lines = statistics(of: client)
        let syncs = try #require(lines.first { $0.hasPrefix("  syncs ") })
        #expect(number("count", in: syncs) ?? 0 >= 3)
        #expect(number("le-1d", in: syncs) == number("count", in: syncs))
        let log = try #require(lines.first { $0.hasPrefix("  log ") })
        #expect(number("bytes", in: log) ?? 0 > 300)
        #expect(number("reserved", in: log) ?? 0 > 300)
        try daemon.stop()
    }

    private func statistics(of client: Client) -> [String] {
        let first = client.ask("stats") ?? ""
        return (0..<(number("lines", in: first) ?? 0)).compactMap { _ in client.line() }
    }

    private func number(_ name: String, in line: String) -> Int? {
        line.split(separator: " ").first { $0.hasPrefix("\(name)=") }
            .flatMap { Int($0.dropFirst(name.count + 1)) }
    }
}

// A data directory that a daemon of format 1 left behind, killed in the middle.

import Glibc
import TestSupport
import Testing

@Suite struct UpgradeTests {
    private func firstLine(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return "" }
        let bytes = line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: ["", "d331e981 14 3.5000"])
    func aLogOfTheFormatBeforeIsTakenOver(garbage: String) throws {
        let daemon = try Daemon()
        try FormerDirectory.put(in: daemon.folder, tornBy: garbage)
        for round in 0..<2 {
            try daemon.start(["--clock=manual"])
            let first = firstLine(daemon.dataPath + "/log")
            #expect(first.hasSuffix("log format=2 clock=manual compacted=yes"))
            let client = try daemon.connect()
            for (request, beginning) in FormerDirectory.talk {
                let reply = client.ask(request) ?? "nothing"
                #expect(reply.hasPrefix(beginning), "\(request): \(reply)")
            }
            #expect(tokenGranted(client.ask("acquire user/9\(round)")) ?? 0 > 65_536)
            daemon.kill()
        }
    }
}

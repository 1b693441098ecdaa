// A start over a log of the format before, killed or failing at each of its calls.

import Glibc
import SeededRandom
import TestSupport
import Testing

@Suite(.enabled(if: hasStrace, "needs root and strace"))
struct UpgradeSweepTests {
    /// What is left is the old log or the new one, and says the same.
    @Test(arguments: ["signal=KILL", "error=EIO", "error=ENOSPC"])
    func anUpgradeMayBeStruckAtEachOfItsCalls(_ fault: String) throws {
        var random = SeededRandom(seed: seed("upgrade \(fault)"))
        let daemon = try Daemon()
        var faults: [String] = []
        _ = try strike(daemon, nil)
        daemon.kill()
        let sites = Sweep.sites(ofTrace: daemon.folder("trace"))
        #expect(sites.count > 15)
        var hit = 0
        for (call, count) in isFullSweep ? sites : Array(sites.shuffled(using: &random).prefix(4)) {
            if try strike(daemon, "\(call):\(fault):when=\(count)") { hit += 1 }
            daemon.kill()
            for turn in 1...2 {
                guard try daemon.serves(["--clock=manual"]) else {
                    faults.append("\(call) \(count): no start: \(daemon.messages(ofLast: 300))")
                    break
                }
                faults += differences(try daemon.connect()).map { "\(call) \(count), start \(turn): \($0)" }
                daemon.kill()
            }
            let left = names(in: daemon.dataPath)
            if left != ["log", "numbers", "numbers.spare"] { faults.append("\(call) \(count): \(left)") }
        }
        print("sweep \(fault) upgrade: \(hit) of \(sites.count) sites, \(faults.count) violations")
        #expect(faults == [])
    }

    /// - Returns: whether the fault came.
    private func strike(_ daemon: Daemon, _ injection: String?) throws -> Bool {
        try FormerDirectory.put(in: daemon.folder)
        let trace = daemon.folder("trace")
        unlink(trace)
        let calls = injection.map { String($0.prefix { $0 != ":" }) } ?? Sweep.calls.joined(separator: ",")
        var words = [strace, "-D", "-f", "-qq", "-o", trace, "-e", "trace=\(calls)"]
        for path in Sweep.paths(daemon.dataPath) { words += ["-P", path] }
        words += injection.map { ["-e", "inject=\($0)"] } ?? []
        let goesOn = try daemon.serves(["--clock=manual"], wrapper: words)
        let code = daemon.program?.exitCode(within: goesOn ? 0 : 10)
        guard let injection else { return false }
        return injection.contains("KILL") ? code == 128 + SIGKILL : text(of: trace).contains("(INJECTED)")
    }

    private func differences(_ client: Client) -> [String] {
        FormerDirectory.talk.compactMap { request, beginning in
            let reply = client.ask(request) ?? "nothing"
            return reply.hasPrefix(beginning) ? nil : "\(request): \(reply)"
        }
    }
}

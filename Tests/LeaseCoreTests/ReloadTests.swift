// Every key has its own rules, however many different ones there are, before a reload and after it.

import LeaseModel
import Testing

@testable import LeaseCore

@Suite struct ReloadTests {
    /// Each of these keys has a ttl of its own: after the reload one that another had before.
    private static func policy(_ ttl: (Int) -> Int) -> String {
        (0..<30).reduce("kind a x") { $0 + "\nkey a/\($1) ttl=\(ttl($1))s" }
    }

    @Test func eachOfManyKeysHasItsOwnRules() throws {
        let bench = try Bench(ReloadTests.policy { $0 + 1 })
        func expectSpans(_ seconds: (Int) -> Int) throws {
            for number in Array(0..<30) + Array(0..<30) {
                let token = try #require(bench.token(asking("a/\(number)")))
                let wanted = Reply.renewed(
                    token: token, ttl: .seconds(Int64(seconds(number))), isFinal: false)
                #expect(bench.renew(RenewRequest(token: token)) == wanted)
                _ = bench.release(token)
            }
        }
        try expectSpans { $0 + 1 }
        let other = try PolicyReader.read(Array((ReloadTests.policy { 30 - $0 } + "\n").utf8).span)
        bench.machine.reload(other, into: &bench.effects)
        try expectSpans { 30 - $0 }
    }
}

// Tags are found by a hash that no client can foresee.

import LeaseCore
import LeaseModel
import Testing

@testable import LeaseServer

@Suite struct TagIndexTests {
    /// Pairs of tags with the same hash, for who knows the seed.
    private static func colliding(_ seed: UInt64, on connection: ConnectionID) -> [([UInt8], [UInt8])] {
        let hasher = Hasher32(seed: seed)
        var known: [UInt32: [UInt8]] = [:]
        var pairs: [([UInt8], [UInt8])] = []
        var number: UInt32 = 0
        while pairs.count < 3 {
            let tag = Array("t\(number)".utf8)
            number += 1
            let hash = hasher.hash(tag, connection)
            if let other = known.updateValue(tag, forKey: hash) { pairs.append((other, tag)) }
        }
        return pairs
    }

    /// How many are looked at on the way to the other tag of each pair.
    private static func steps(_ pairs: [([UInt8], [UInt8])], _ seed: UInt64) -> Int {
        var options = ServerOptions()
        options.seed = seed
        var server = Server(policy: .builtIn, options: options)
        for (place, pair) in pairs.enumerated() {
            server.tags.insert(place, Pending(number: 1, connection: 1, tag: pair.0))
        }
        var steps = 0
        for pair in pairs {
            let found = server.tags.find(1, pair.1) { _ in
                steps += 1
                return false
            }
            #expect(found == nil)
        }
        return steps
    }

    @Test func tagsThatCollideForOneSeedDoNotForAnother() {
        let pairs = TagIndexTests.colliding(0, on: 1)
        #expect(TagIndexTests.steps(pairs, 0) == 3)
        #expect(TagIndexTests.steps(pairs, 0x5EED) == 0)
    }

    @Test func whatWasPutInIsFoundUntilItIsTakenOut() {
        var index = TagIndex(seed: 7)
        let all = (0..<2_000).map { number in
            Pending(number: 1, connection: UInt64(number % 3), tag: Array("t\(number)".utf8))
        }
        for (place, pending) in all.enumerated() { index.insert(place, pending) }
        for place in all.indices where place % 2 == 0 { index.remove(place, all[place]) }
        for (place, pending) in all.enumerated() {
            let found = index.find(pending.connection, pending.tag) { all[$0].tag == pending.tag }
            #expect(found == (place % 2 == 0 ? nil : place))
            #expect(index.find(pending.connection + 3, pending.tag) { _ in true } == nil)
        }
    }
}

// Whom an event concerns, found by prefixes.

import LeaseModel
import SeededRandom
import Testing

@testable import LeaseServer

struct WatchIndexTests {
    /// Watches of few prefixes come, go and come again; who is concerned is who a plain search finds.
    @Test func theWatchIndexFindsWhoAPlainSearchFinds() throws {
        var draw = SeededRandom(seed: 11)
        let words = ["a/1", "a/1/x", "a/11", "a/", "b/", "b/2"]
        let prefixes = try words.map { try KeyPrefix.read(Array($0.utf8).span) }
        let keys = ["a/1", "a/1/x/y", "a/2", "a/11", "b/2", "c/1"].map { Array($0.utf8) }
        var index = WatchIndex(seed: 3)
        var watches: [Int: [KeyPrefix]] = [:]
        for _ in 0..<4_000 {
            let place = draw.below(60)
            if let gone = watches.removeValue(forKey: place) {
                index.remove(place, gone)
            } else {
                let some = Array(prefixes.shuffled(using: &draw).prefix(draw.below(4)))
                watches[place] = some
                index.insert(place, some)
            }
            let key = keys[draw.below(keys.count)]
            var found: [Int] = []
            index.collect(into: &found)
            index.collect(key.span, into: &found)
            WatchIndex.putInOrder(&found)
            let concerned = watches.filter { watch in
                watch.value.isEmpty || watch.value.contains { $0.matches(key.span) }
            }
            #expect(found == concerned.keys.sorted())
        }
    }
}

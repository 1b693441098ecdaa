// The queue of what a connection has under way: what comes out is what went in.

import SeededRandom
import Testing

@testable import LeaseServer

struct ShortQueueTests {
    /// Against an array; often emptied, and now and then long.
    @Test func takesFromTheFrontWhatWasAppended() {
        let seed = UInt64.random(in: 0 ... .max)
        print("ShortQueueTests.takesFromTheFront: seed \(seed)")
        var random = SeededRandom(seed: seed)
        var queue = ShortQueue<Int>()
        var model: [Int] = []
        for number in 0..<6_000 {
            // In turns it grows and shrinks.
            let appends = Int.random(in: 0..<100, using: &random) < (number / 500 % 2 == 0 ? 60 : 40)
            if appends {
                queue.append(number)
                model.append(number)
            } else if !model.isEmpty {
                queue.removeFirst()
                model.removeFirst()
            }
            if number % 2_000 == 1_999 {
                queue.removeAll()
                model.removeAll()
            }
            #expect(queue.first == model.first && queue.isEmpty == model.isEmpty, "seed \(seed)")
            if number % 20 == 0 { #expect(Array(queue.all) == model, "seed \(seed)") }
        }
    }
}

// Some hundred runs from fresh seeds, and proof that a run repeats and that the checker would notice.

import Simulation
import SimulationChecker
import Testing

@Suite struct SimulationTests {
    @Test(arguments: 0..<8)
    func nothingIsBroken(_ part: UInt64) {
        let first = UInt64.random(in: 1...1_000_000_000)
        print("simulation: seeds from \(first) on")
        for seed in first..<first + 40 {
            let outcome = Episode.run(seed: seed)
            let worst = outcome.violations.first
            #expect(worst == nil, "simulate --seed \(seed) --journal repeats it")
        }
    }

    @Test func oneSeedIsOneRun() {
        let seed = UInt64.random(in: 1...1_000_000_000)
        var journals: [[String]] = [[], []]
        for place in journals.indices {
            _ = Episode.run(seed: seed, journal: { journals[place].append($0) })
        }
        #expect(journals[0] == journals[1], "seed \(seed) gives two runs")
    }

    /// No daemon can survive a disk that says that it has synced and has not, and none may build on what only
    /// the kernel has: so the checker must complain.
    @Test(arguments: Plant.allCases)
    func aDiskThatLiesIsNoticed(_ plant: Plant) {
        let seed = (UInt64(1)...400).first {
            let outcome = Episode.run(seed: $0, planted: plant)
            return outcome.violations.contains { $0.law == "kept" || $0.law == "service" }
        }
        #expect(seed != nil)
    }
}

// Simulates run after run: for as long as one likes, or one seed again with everything that happens in it.

import Glibc
import Simulation
import SimulationChecker

Simulate.run(Array(CommandLine.arguments.dropFirst()))

/// The command.
enum Simulate {
    static let usage = "simulate [--seed N [--journal]] [--seconds N] [--first N]"

    static func run(_ arguments: [String]) {
        var seed: UInt64?
        var seconds = 60.0
        var first = UInt64(time(nil))
        var showsJournal = false
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch (word, rest.first) {
            case ("--journal", _): showsJournal = true
            case ("--seed", let value?): seed = UInt64(value)
            case ("--seconds", let value?): seconds = Double(value) ?? seconds
            case ("--first", let value?): first = UInt64(value) ?? first
            default: return fail(usage)
            }
            if word != "--journal" { rest = rest.dropFirst() }
        }
        if let seed { repeatOne(seed, showsJournal) } else { runMany(from: first, seconds: seconds) }
    }

    private static func repeatOne(_ seed: UInt64, _ showsJournal: Bool) {
        let outcome = Episode.run(seed: seed, journal: showsJournal ? { print($0) } : nil)
        outcome.violations.forEach { print($0) }
        print("seed \(seed): \(outcome.requests) requests, \(outcome.violations.count) violations")
        exit(outcome.violations.isEmpty ? 0 : 1)
    }

    private static func runMany(from first: UInt64, seconds: Double) {
        var total = Total()
        var seed = first
        print("seeds from \(first) on")
        while total.elapsed < seconds {
            let outcome = Episode.run(seed: seed)
            total.add(outcome)
            if let worst = outcome.violations.first {
                print(worst)
                print(total.sentence)
                fail("seed \(seed) repeats it: simulate --seed \(seed) --journal")
            }
            if total.isMinuteOver { print(total.sentence) }
            seed += 1
        }
        print("no violation. " + total.sentence)
    }

    private static func fail(_ sentence: String) {
        print(sentence)
        fflush(nil)
        exit(1)
    }
}

/// What all runs together have seen.
struct Total {
    private let began = Total.clock()
    private var saidAt = Total.clock()
    private var runs = 0
    private var requests = 0
    private var grants = 0
    private var starts = 0
    private var cuts = 0
    private var simulated = 0.0

    var elapsed: Double { Total.clock() - began }

    var isMinuteOver: Bool {
        mutating get {
            guard Total.clock() - saidAt >= 60 else { return false }
            saidAt = Total.clock()
            return true
        }
    }

    mutating func add(_ outcome: Outcome) {
        runs += 1
        requests += outcome.requests
        grants += outcome.grants
        starts += outcome.starts
        cuts += outcome.cuts
        simulated += Double(outcome.nanoseconds) / 3.6e12
    }

    var sentence: String {
        let rate = simulated / max(elapsed, 0.001) * 60
        return "\(runs) runs, \(requests) requests, \(grants) grants, \(starts) starts, \(cuts) power cuts, "
            + "\(rounded(simulated)) simulated hours: \(rounded(rate)) a minute"
    }

    private func rounded(_ number: Double) -> Double { (number * 10).rounded() / 10 }

    private static func clock() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}

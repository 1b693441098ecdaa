// The daemon killed, or its disk failing, at each of its calls: what it had acknowledged is there afterwards.

import SeededRandom
import TestSupport
import Testing

@Suite(.enabled(if: hasStrace, "needs root and strace"))
struct SweepTests {
    @Test(arguments: Phase.allCases)
    func itMayBeKilledAtEachOfItsCalls(_ phase: Phase) throws {
        try sweep("signal=KILL", phase)
    }

    /// A failing disk: refused, or a stop that says why; nothing that was acknowledged is lost.
    @Test(arguments: Phase.allCases)
    func eachOfItsCallsMayFail(_ phase: Phase) throws {
        try sweep("error=EIO", phase)
    }

    @Test(arguments: Phase.allCases)
    func theDiskMayBeFullAtEachOfItsCalls(_ phase: Phase) throws {
        try sweep("error=ENOSPC", phase)
    }

    /// A signal that cuts a call short is none of its business.
    @Test(arguments: Phase.allCases)
    func eachOfItsCallsMayBeInterrupted(_ phase: Phase) throws {
        try sweep("error=EINTR", phase)
    }

    private func sweep(_ fault: String, _ phase: Phase) throws {
        var random = SeededRandom(seed: seed("sweep \(fault) \(phase)"))
        var sweep = try Sweep(fault)
        let sites = try sweep.sites(phase)
        #expect(sites.count > 5)
        for (call, count) in isFullSweep ? sites : Array(sites.shuffled(using: &random).prefix(3)) {
            try sweep.run(phase, call, count)
        }
        let violations = sweep.faults + sweep.book.faults
        let (hit, all) = (sweep.sites, sites.count)
        print("sweep \(fault) \(phase): \(hit) of \(all) sites, \(violations.count) violations")
        #expect(violations == [])
    }
}

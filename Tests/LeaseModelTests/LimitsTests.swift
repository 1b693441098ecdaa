// The bounds: the defaults agree with each other, and each contradiction is named.

import LeaseModel
import Testing

@Suite struct LimitsTests {
    @Test func defaultsAgree() {
        #expect(Limits().contradiction == nil)
        #expect(Limits.defaultTTL <= Limits.durationMax)
        #expect(Instant.zero + Limits.durationMax < .never)
    }

    /// Each relation at its edge, where it still holds.
    @Test func narrowerBoundsMayBeAsWideAsTheWider() {
        var limits = Limits()
        limits.connectionsPerUserMax = limits.connectionsMax
        limits.leasesPerUserMax = limits.leasesMax
        limits.countedGrantsPerUserMax = limits.countedGrantsMax
        limits.waitersPerUserMax = limits.waitersMax
        limits.waitersPerConnectionMax = limits.waitersMax
        limits.joinersPerUserMax = limits.joinersMax
        limits.keptPerUserMax = limits.keptMax
        limits.keptBytesMax = Limits.keptBytesOfOneMax
        limits.keptBytesPerUserMax = Limits.keptBytesOfOneMax
        limits.outputBytesMax = Limits.outputBytesMin
        limits.outputBytesPerUserMax = limits.outputBytesMax
        limits.outputBytesInAllMax = limits.outputBytesMax
        limits.heldInputBytesMax = 2 * Limits.lineBytesMax
        #expect(limits.contradiction == nil)
    }

    @Test func contradictionsAreNamed() throws {
        let wrongs: [(String, (inout Limits) -> Void)] = [
            ("--connections-per-user-max", { $0.connectionsMax = $0.connectionsPerUserMax - 1 }),
            ("--leases-per-user-max", { $0.leasesMax = $0.leasesPerUserMax - 1 }),
            ("--counted-grants-per-user-max", { $0.countedGrantsMax = $0.countedGrantsPerUserMax - 1 }),
            ("--waiters-per-user-max", { $0.waitersMax = $0.waitersPerUserMax - 1 }),
            ("--waiters-per-connection-max", { $0.waitersPerConnectionMax = $0.waitersPerUserMax + 1 }),
            ("--joiners-per-user-max", { $0.joinersMax = $0.joinersPerUserMax - 1 }),
            ("--kept-per-user-max", { $0.keptMax = $0.keptPerUserMax - 1 }),
            ("--kept-bytes-max must be at least", { $0.keptBytesMax = Limits.keptBytesOfOneMax - 1 }),
            ("--kept-bytes-per-user-max", { $0.keptBytesMax = $0.keptBytesPerUserMax - 1 }),
            ("--kept-bytes-per-user-max", { $0.keptBytesPerUserMax = Limits.keptBytesOfOneMax - 1 }),
            ("--output-bytes-max", { $0.outputBytesMax = Limits.replyBytesMax }),
            ("--output-bytes-max", { $0.outputBytesPerUserMax = $0.outputBytesMax - 1 }),
            ("--output-bytes-per-user-max", { $0.outputBytesInAllMax = $0.outputBytesPerUserMax - 1 }),
            ("--output-bytes-per-user-max must be at least", { $0.outputBytesPerUserMax = 1_000 }),
            ("--output-bytes-in-all-max must be at least", { $0.outputBytesInAllMax = 1_000 }),
            ("--held-input-bytes-max", { $0.heldInputBytesMax = Limits.lineBytesMax }),
        ]
        for (flag, damage) in wrongs {
            var limits = Limits()
            damage(&limits)
            let contradiction = try #require(limits.contradiction)
            #expect(contradiction.hasPrefix(flag))
        }
    }
}

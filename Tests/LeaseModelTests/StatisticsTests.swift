// What is counted lands where it belongs.

import LeaseModel
import Testing

@Suite struct HistogramTests {
    @Test func aValueCountsUpToItsBound() {
        var histogram = Histogram(bounds: [10, 20])
        #expect([0, 1].map { histogram.count(upTo: $0) } == [0, 0])
        for value: Int64 in [0, 10, 11, 20, 21, .max] {
            histogram.add(value)
        }
        #expect([0, 1].map { histogram.count(upTo: $0) } == [2, 4])
        #expect(histogram.count == 6)
        #expect(histogram.sum == 62 + Int128(Int64.max))
    }

    @Test func sumsOutgrow64Bits() {
        var histogram = Histogram(bounds: [])
        for _ in 0..<3 { histogram.add(.max) }
        #expect(histogram.sum == 3 * Int128(Int64.max))
    }
}

@Suite struct KindCountsTests {
    private func renewed(left: Duration, of ttl: Duration) -> Event.What {
        .renewed(ttl: .seconds(1), formerTTL: ttl, left: left)
    }

    @Test func sharesAreHundredths() {
        var counts = KindCounts()
        counts.add(renewed(left: .milliseconds(1), of: .milliseconds(10)))
        #expect(counts.shares.sum == 10)
        counts.add(renewed(left: Limits.durationMax, of: Limits.durationMax))
        #expect(counts.shares.sum == 110)
        // With a grace, more than the ttl may be left.
        counts.add(renewed(left: .seconds(9), of: .milliseconds(1)))
        #expect(counts.shares.sum == 210)
        #expect(counts.renewed == 3)
        #expect(counts.shares.count(upTo: 0) == 1)
    }

    @Test func onlyWhoStoodInLineHasWaited() {
        var counts = KindCounts()
        counts.add(.granted(ttl: .seconds(1), waited: nil))
        counts.add(.granted(ttl: .seconds(1), waited: .zero))
        #expect(counts.granted == 2)
        #expect(counts.waited == 1)
        #expect(counts.waits.count == 1)
    }

    @Test func endingsAndRefusalsCountByReason() {
        var counts = KindCounts()
        for reason in EndReason.allCases {
            #expect(counts.count(reason) == 0)
            counts.add(.ended(reason, held: .seconds(2)))
            #expect(counts.count(reason) == 1)
        }
        #expect(counts.holds.count == UInt64(EndReason.allCases.count))
        for reason in BusyReason.allCases {
            #expect(counts.count(reason) == 0)
            counts.add(
                Busy(
                    key: Key(printed: Array("a/1".utf8)), reason: reason, holder: nil, ahead: nil, limit: 1,
                    waiting: 0, waited: nil))
            #expect(counts.count(reason) == 1)
        }
        #expect(counts.busy == UInt64(BusyReason.allCases.count))
    }
}

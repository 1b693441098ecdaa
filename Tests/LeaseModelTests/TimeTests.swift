// Instants and durations: no sum traps, and rounding goes the right way.

import LeaseModel
import Testing

@Suite struct TimeTests {
    @Test func sumsSaturate() {
        #expect(Instant.never + .seconds(1) == .never)
        #expect(Instant.zero + .forever == .never)
        #expect(Instant(nanoseconds: .min) - .seconds(1) == Instant(nanoseconds: .min))
        #expect(Instant.zero + .seconds(2) - .seconds(2) == .zero)
    }

    @Test func spansAreNeverNegative() {
        let early = Instant(nanoseconds: -5)
        #expect(early.until(.zero) == Duration(nanoseconds: 5))
        #expect(Instant.zero.until(early) == .zero)
        #expect(Instant(nanoseconds: .min).until(.never) == .forever)
        #expect(Instant.never.until(Instant(nanoseconds: .min)) == .zero)
    }

    @Test func unitsSaturate() {
        #expect(Duration.seconds(.max) == .forever)
        #expect(Duration.milliseconds(.max) == .forever)
        #expect(Duration.seconds(2) == .milliseconds(2_000))
    }

    @Test(arguments: [(0, 0, 0), (1, 0, 1), (999_999, 0, 1), (1_000_000, 1, 1), (1_000_001, 1, 2)])
    func millisecondsRoundBothWays(nanoseconds: Int64, down: Int64, up: Int64) {
        let span = Duration(nanoseconds: nanoseconds)
        #expect(span.wholeMilliseconds == down)
        #expect(span.wholeMillisecondsRoundedUp == up)
    }

    @Test func foreverRoundsWithoutOverflow() {
        #expect(Duration.forever.wholeMillisecondsRoundedUp == Int64.max / 1_000_000 + 1)
    }

    @Test(arguments: [
        ("1ms", 1), ("500ms", 500), ("30s", 30_000), ("10m", 600_000), ("2h", 7_200_000), ("1d", 86_400_000),
        ("3650d", 315_360_000_000), ("0007s", 7_000),
    ])
    func durationIsRead(written: String, milliseconds: Int64) throws {
        #expect(try DurationReader.read(Array(written.utf8).span) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        ("10", DurationError.noUnit), ("", .notADuration), ("s", .notADuration), ("1.5s", .notADuration),
        ("1h30m", .notADuration), ("10S", .notADuration), ("-1s", .notADuration), ("1w", .notADuration),
        ("0s", .tooShort), ("0ms", .tooShort), ("3651d", .tooLong), ("315360000001ms", .tooLong),
        ("99999999999999999999999999999d", .tooLong), ("99999999999999999999999999999ms", .tooLong),
    ])
    func durationIsRefused(written: String, error: DurationError) {
        #expect(throws: error) { try DurationReader.read(Array(written.utf8).span) }
    }
}

// Time as the whole program counts it: instants on one clock, and the spans between them.

/// A point on the daemon's clock, in nanoseconds. The clock is the machine's time since boot (which runs on
/// while the machine sleeps), or the manual clock, which starts at 0. After a reboot, instants of the boot
/// before may be negative, so the number is signed. Arithmetic saturates: no sum of parsed values can trap.
public struct Instant: Comparable, Hashable, Sendable {
    public let nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    // Computed: another module would ask whether a constant of these is made already, each time.
    public static var zero: Instant { Instant(nanoseconds: 0) }
    public static var never: Instant { Instant(nanoseconds: .max) }

    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    public static func + (instant: Instant, span: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(span.nanoseconds)
        return overflow ? .never : Instant(nanoseconds: sum)
    }

    public static func - (instant: Instant, span: Duration) -> Instant {
        let (difference, overflow) = instant.nanoseconds.subtractingReportingOverflow(span.nanoseconds)
        return Instant(nanoseconds: overflow ? .min : difference)
    }

    /// The time from this instant to a later one; zero if it is not later.
    public func until(_ later: Instant) -> Duration {
        guard later > self else { return .zero }
        let (difference, overflow) = later.nanoseconds.subtractingReportingOverflow(nanoseconds)
        return Duration(nanoseconds: overflow ? .max : difference)
    }

    /// The same instant on a clock that began elsewhere.
    package func shifted(by nanoseconds: Int64) -> Instant {
        guard self != .never else { return self }
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return overflow ? self : Instant(nanoseconds: sum)
    }
}

/// A length of time, in nanoseconds, never negative.
public struct Duration: Comparable, Hashable, Sendable {
    public let nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    public static var zero: Duration { Duration(nanoseconds: 0) }
    /// Without end: `wait=forever`.
    public static var forever: Duration { Duration(nanoseconds: .max) }

    public static func milliseconds(_ count: Int64) -> Duration {
        let (product, overflow) = count.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? .forever : Duration(nanoseconds: product)
    }

    public static func seconds(_ count: Int64) -> Duration {
        let (product, overflow) = count.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .forever : Duration(nanoseconds: product)
    }

    public static func < (left: Duration, right: Duration) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Whole milliseconds, rounded down: how `left`, `age`, `held` and `waited` are printed.
    public var wholeMilliseconds: Int64 {
        nanoseconds / 1_000_000
    }

    /// Whole milliseconds, rounded up: how `retry` is printed, so that who waits as long does not come too
    /// early.
    public var wholeMillisecondsRoundedUp: Int64 {
        nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1)
    }
}

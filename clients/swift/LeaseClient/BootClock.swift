// The clock by which a client counts: like the daemon's, it runs on while the machine sleeps.

package import LeaseModel

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

package enum BootClock {
    /// Now, as nanoseconds since the machine started; no setting of the time moves it.
    package static func now() -> Instant {
        var time = timespec()
        #if canImport(Glibc)
            clock_gettime(CLOCK_BOOTTIME, &time)
        #else
            // On macOS this one runs on in sleep.
            clock_gettime(CLOCK_MONOTONIC, &time)
        #endif
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// How long `poll` may wait at once for a deadline, in milliseconds, rounded up. It counts on a clock
    /// that stands still in sleep, so a deadline is looked at again every second.
    package static func pollMilliseconds(until deadline: Instant) -> Int32 {
        Int32(min(1_000, now().until(deadline).wholeMillisecondsRoundedUp))
    }
}

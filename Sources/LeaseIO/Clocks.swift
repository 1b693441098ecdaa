// The clocks, each read in one call.

import Glibc

package enum Clocks {
    /// Nanoseconds since the boot, the machine's sleep included. No setting of the time moves it.
    package static func bootNanoseconds() -> Int64 { nanoseconds(CLOCK_BOOTTIME) }

    /// Nanoseconds since the boot without the machine's sleep: what it lags behind is time slept.
    package static func monotonicNanoseconds() -> Int64 { nanoseconds(CLOCK_MONOTONIC) }

    /// Milliseconds since 1970, as the machine believes.
    package static func wallMilliseconds() -> Int64 { nanoseconds(CLOCK_REALTIME) / 1_000_000 }

    /// The number of this boot: 36 characters. Another one means that the clocks of before are worthless.
    package static func bootID() throws(Errno) -> String {
        let bytes = try ProcFile.read("/proc/sys/kernel/random/boot_id", bytesMax: 64)
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var now = timespec()
        let answer = clock_gettime(clock, &now)
        // These three clocks exist on every kernel that has epoll; a wrong time would end leases early.
        // (What a precondition asks may be left out by the compiler's flags: the call is no part of it.)
        precondition(answer == 0, "a clock of the system can't be read")
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}

// The digits of a number, eight at a time: what is written, to the log and to clients, and what is read back
// is mostly numbers.

public enum EightDigits {
    /// The digits of a number below 100,000,000, a byte each, the first in the lowest. Each step parts all
    /// lanes at once: four digits of eight, then two of four, then one of two. Multiplied and shifted is
    /// divided (by 100 and by 10): exact for what such a lane can hold. (Inlinable: each number would else be
    /// a call into another module.)
    @inlinable
    @inline(__always)
    public static func of(_ number: UInt64) -> UInt64 {
        let fours = number / 10_000 | (number % 10_000) << 32
        let hundreds = (fours &* 10_486) >> 20 & 0x0000_007F_0000_007F
        let twos = hundreds | (fours &- hundreds &* 100) << 16
        let tens = (twos &* 103) >> 10 & 0x000F_000F_000F_000F
        return tens | (twos &- tens &* 10) << 8
    }

    /// The number of the digits with which these eight bytes begin, the first in the lowest, and how many
    /// there are. The same the other way round: pairs of digits are put together, then pairs of those.
    @inlinable
    @inline(__always)
    public static func read(_ eight: UInt64) -> (number: UInt64, count: Int) {
        let values = eight ^ 0x3030_3030_3030_3030
        // The highest bit of each byte that is more than 9.
        let others = ((values & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7676_7676_7676_7676 | values)
            & 0x8080_8080_8080_8080
        let count = others.trailingZeroBitCount / 8
        // (All 64 bits are shifted out where there is none.) What comes in are zeros before the first digit.
        let digits = values << UInt64(64 - 8 * count)
        let twos = (digits &* (10 << 8 | 1)) >> 8 & 0x00FF_00FF_00FF_00FF
        let fours = (twos &* (100 << 16 | 1)) >> 16 & 0x0000_FFFF_0000_FFFF
        return ((fours &* (10_000 << 32 | 1)) >> 32, count)
    }
}

// The digits of a number, eight at a time: what is written, to the log and to clients, is mostly numbers.

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
}

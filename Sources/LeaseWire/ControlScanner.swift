// Where the next control character stands, found eight bytes at a time: each line's end is one, and no other
// may stand in it.

extension Span<UInt8> {
    /// The place of the first byte below 0x20, or 0x7F, in a part of the bytes; its end where there is none.
    package func firstControl(from start: Int, to end: Int) -> Int {
        precondition(0 <= start && start <= end && end <= count)
        return withUnsafeBytes { raw in
            guard let all = raw.baseAddress else { return end }
            var place = start
            while end &- place >= 8 {
                let eight = UInt64(littleEndian: all.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                if ControlMarks.mayBeIn(eight) {
                    let marks = ControlMarks.of(eight)
                    if marks != 0 { return place + marks.trailingZeroBitCount / 8 }
                }
                place &+= 8
            }
            while place < end, !ASCII.isControl(raw[place]) {
                place += 1
            }
            return place
        }
    }
}

private enum ControlMarks {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Whether a byte is below 0x20, or above 0x7E, which few are that are no control characters.
    @inline(__always)
    static func mayBeIn(_ eight: UInt64) -> Bool {
        ((eight &- ones &* 0x20) | (eight &+ ones)) & highBits != 0
    }

    /// Marks, by its highest bit, each byte that is a control character. A borrow can mark a byte behind a
    /// true one falsely, never before it: the lowest mark is right.
    static func of(_ eight: UInt64) -> UInt64 {
        let below = (eight &- ones &* 0x20) & ~eight & highBits
        let delete = eight ^ (ones &* 0x7F)
        return below | (delete &- ones) & ~delete & highBits
    }
}

// Eight bytes of a line at once, as one number: so words are told apart and looked up in a few steps.

extension Span<UInt8> {
    /// The bytes from `place` on, the first lowest. Behind the end there are zeros.
    @inline(__always)
    func eight(from place: Int) -> UInt64 {
        precondition(place >= 0 && place <= count, "the place is not in these bytes")
        return withUnsafeBytes { bytes in
            let left = bytes.count &- place
            return left >= 8
                ? UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                : EightBytes.fewer(bytes, left)
        }
    }
}

extension Span<UInt8> {
    /// Whether a part of the bytes is the same as others. Of fewer than eight that is not asked: false.
    @inline(__always)
    func isSame(_ range: Range<Int>, as bytes: [UInt8]) -> Bool {
        guard bytes.count == range.count, range.count >= 8 else { return false }
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "the part is of these bytes")
        return withUnsafeBytes { these in
            bytes.withUnsafeBytes { those in
                func isSameEight(at place: Int) -> Bool {
                    these.loadUnaligned(fromByteOffset: range.lowerBound &+ place, as: UInt64.self)
                        == those.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                }
                let last = range.count &- 8
                var place = 0
                while place < last {
                    guard isSameEight(at: place) else { return false }
                    place &+= 8
                }
                // (Some of the last eight may have been looked at.)
                return isSameEight(at: last)
            }
        }
    }
}

enum EightBytes {
    /// Only the first bytes, up to eight; zeros in place of the others.
    @inline(__always)
    static func first(_ count: Int, of eight: UInt64) -> UInt64 {
        count >= 8 ? eight : eight & ((1 &<< UInt64(truncatingIfNeeded: 8 &* count)) &- 1)
    }

    /// How many of them stand before the first space; 8 where there is none. (Each space is made a zero, and
    /// the lowest zero is found by the borrow that it causes.)
    @inline(__always)
    static func beforeSpace(_ eight: UInt64) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let zeros = eight ^ (ones &* UInt64(ASCII.space))
        return ((zeros &- ones) & ~zeros & (ones &* 0x80)).trailingZeroBitCount / 8
    }

    /// The last ones, fewer than eight. Where there are that many in all, as many are read and moved down.
    @inline(never)
    fileprivate static func fewer(_ bytes: UnsafeRawBufferPointer, _ left: Int) -> UInt64 {
        guard left > 0 else { return 0 }
        guard bytes.count < 8 else {
            let last = bytes.loadUnaligned(fromByteOffset: bytes.count &- 8, as: UInt64.self)
            return UInt64(littleEndian: last) &>> UInt64(64 &- 8 &* left)
        }
        // Both ends of what is left are read, which overlap.
        let start = bytes.count &- left
        guard left < 4 else {
            let head = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
            let tail = bytes.loadUnaligned(fromByteOffset: bytes.count &- 4, as: UInt32.self)
            return UInt64(head) | UInt64(UInt32(littleEndian: tail)) &<< UInt64(8 &* (left &- 4))
        }
        let middle = UInt64(bytes[start &+ left / 2]) &<< UInt64(8 &* (left / 2))
        let last = UInt64(bytes[bytes.count &- 1]) &<< UInt64(8 &* (left &- 1))
        return UInt64(bytes[start]) | middle | last
    }
}

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

enum EightBytes {
    /// Only the first bytes, up to eight; zeros in place of the others.
    @inline(__always)
    static func first(_ count: Int, of eight: UInt64) -> UInt64 {
        count >= 8 ? eight : eight & ((1 &<< UInt64(8 &* count)) &- 1)
    }

    /// The last ones, fewer than eight. Where there are that many in all, as many are read and moved down.
    @inline(__always)
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

// Copies of few bytes: words and names, of which there are several in each event and each line of the log.

extension UnsafeRawBufferPointer {
    /// Copies all bytes to where there is room for them. Of a short name, its first bytes and its last are
    /// copied at once each, and may be some of the same: that costs less than a call that copies any number.
    @inlinable
    @inline(__always)
    public func copyAsShort(to target: UnsafeMutableRawPointer) {
        func copy<Piece: BitwiseCopyable>(_ piece: Piece.Type, _ offset: Int) {
            let bits = baseAddress.unsafelyUnwrapped.loadUnaligned(fromByteOffset: offset, as: piece)
            target.storeBytes(of: bits, toByteOffset: offset, as: piece)
        }
        func copyEnds<Piece: BitwiseCopyable>(_ piece: Piece.Type) {
            copy(piece, 0)
            copy(piece, count &- MemoryLayout<Piece>.size)
        }
        if count >= 8 {
            if count <= 16 { return copyEnds(UInt64.self) }
            if count <= 32 { return copyEnds(SIMD16<UInt8>.self) }
            return target.copyMemory(from: baseAddress.unsafelyUnwrapped, byteCount: count)
        }
        if count >= 4 { return copyEnds(UInt32.self) }
        if count >= 2 { return copyEnds(UInt16.self) }
        if count == 1 { copy(UInt8.self, 0) }
    }
}

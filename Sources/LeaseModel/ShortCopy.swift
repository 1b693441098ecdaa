// Copies of few bytes: words and names, of which there are several in each event and each line of the log.

extension UnsafeRawBufferPointer {
    /// Copies all bytes to where there is room for them. Eight at a time, and then four, two and one: for a
    /// short name that costs less than a call that copies any number.
    @inlinable
    @inline(__always)
    public func copyAsShort(to target: UnsafeMutableRawPointer) {
        var done = 0
        func copy<Piece: FixedWidthInteger>(_ piece: Piece.Type) {
            let bits = baseAddress.unsafelyUnwrapped.loadUnaligned(fromByteOffset: done, as: piece)
            target.storeBytes(of: bits, toByteOffset: done, as: piece)
            done += MemoryLayout<Piece>.size
        }
        while count - done >= 8 {
            copy(UInt64.self)
        }
        if count & 4 != 0 { copy(UInt32.self) }
        if count & 2 != 0 { copy(UInt16.self) }
        if count & 1 != 0 { copy(UInt8.self) }
    }
}

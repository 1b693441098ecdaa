// CRC-32C (Castagnoli): the checksum of every line of the log. By the processor's own instruction on x86-64
// with SSE4.2, else by tables, eight bytes at a time.

internal import CChecksum

/// The checksum of a line. It finds every flipped bit and every torn line; it is no defence against forgery.
package enum Checksum {
    /// Table k says what a byte does to the checksum when k more bytes follow it in the same step of eight.
    private static let tables: [UInt32] = makeTables()
    /// The polynomial 0x1EDC6F41, its bits reversed (RFC 3720, appendix B.4).
    private static let polynomial: UInt32 = 0x82F6_3B78

    /// The CRC-32C of the bytes: `e3069283` for `123456789`.
    package static func of(_ bytes: Span<UInt8>) -> UInt32 {
        bytes.withUnsafeBytes { of($0) }
    }

    @inline(__always)
    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard cchecksum_has_crc32c() else { return byTables(bytes) }
        return ~cchecksum_crc32c(0xFFFF_FFFF, bytes.baseAddress, bytes.count)
    }

    /// The same on any processor.
    @inline(never)
    static func byTables(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        tables.withUnsafeBufferPointer { run(over: bytes, $0) }
    }

    private static func run(over bytes: UnsafeRawBufferPointer, _ table: UnsafeBufferPointer<UInt32>)
        -> UInt32
    {
        var crc: UInt32 = 0xFFFF_FFFF
        var index = 0
        while index + 8 <= bytes.count {
            let eight = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            crc = step(eight ^ UInt64(crc), table)
            index += 8
        }
        while index < bytes.count {
            crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[index])] ^ crc >> 8
            index += 1
        }
        return ~crc
    }

    /// Eight look-ups that don't depend on each other. The indexes stay below 2,048: eight tables of 256.
    private static func step(_ x: UInt64, _ table: UnsafeBufferPointer<UInt32>) -> UInt32 {
        let near =
            table[1_792 + Int(x & 0xFF)] ^ table[1_536 + Int(x >> 8 & 0xFF)]
            ^ table[1_280 + Int(x >> 16 & 0xFF)] ^ table[1_024 + Int(x >> 24 & 0xFF)]
        let far =
            table[768 + Int(x >> 32 & 0xFF)] ^ table[512 + Int(x >> 40 & 0xFF)]
            ^ table[256 + Int(x >> 48 & 0xFF)] ^ table[Int(x >> 56)]
        return near ^ far
    }

    private static func makeTables() -> [UInt32] {
        var tables = [UInt32](repeating: 0, count: 2_048)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 {
                crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ polynomial
            }
            tables[byte] = crc
        }
        for index in 256..<2_048 {
            let before = tables[index - 256]
            tables[index] = tables[Int(before & 0xFF)] ^ before >> 8
        }
        return tables
    }
}

// How the parts of a line are written: digits, instants, durations and texts, straight into the bytes of a
// batch.

import LeaseModel

/// The end of an array's room, filled from the front. What would not fit is a mistake of `EncodedSize`, and
/// traps.
struct LineOutput: ~Copyable {
    private let start: UnsafeMutableRawPointer
    private let room: Int
    private(set) var count = 0

    /// Lets the body write behind the bytes that are there, at most `room` more.
    static func append(
        to bytes: inout [UInt8], room: Int, _ body: (inout LineOutput) -> Void
    ) {
        bytes.append(addingCapacity: room) { span in
            span.withUnsafeMutableBufferPointer { buffer, count in
                var line = LineOutput(start: buffer.baseAddress! + count, room: buffer.count - count)
                body(&line)
                count += line.count
            }
        }
    }

    private init(start: UnsafeMutablePointer<UInt8>, room: Int) {
        self.start = UnsafeMutableRawPointer(start)
        self.room = room
    }

    /// What was written, from an offset on.
    func written(from offset: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start + offset, count: count - offset)
    }

    private mutating func advance(_ bytes: Int) -> UnsafeMutableRawPointer {
        let end = count + bytes
        precondition(end <= room, "EncodedSize gave too little room")
        defer { count = end }
        return start + count
    }

    mutating func append(_ byte: UInt8) {
        advance(1).storeBytes(of: byte, as: UInt8.self)
    }

    @inline(__always)
    mutating func write(_ literal: StaticString) {
        write(literal.utf8Start, literal.utf8CodeUnitCount)
    }

    mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            write(first, source.count)
        }
    }

    /// Words and names are short: eight bytes at a time, and then four, two and one, cost less than a call
    /// that copies any number.
    @inline(__always)
    private mutating func write(_ first: UnsafeRawPointer, _ bytes: Int) {
        let target = advance(bytes)
        var done = 0
        func copy<Piece: FixedWidthInteger>(_ piece: Piece.Type) {
            let bits = first.loadUnaligned(fromByteOffset: done, as: piece)
            target.storeBytes(of: bits, toByteOffset: done, as: piece)
            done += MemoryLayout<Piece>.size
        }
        while bytes - done >= 8 {
            copy(UInt64.self)
        }
        if bytes & 4 != 0 { copy(UInt32.self) }
        if bytes & 2 != 0 { copy(UInt16.self) }
        if bytes & 1 != 0 { copy(UInt8.self) }
    }

    mutating func write(_ number: UInt64) {
        var digits = 1
        var bound: UInt64 = 10
        while number >= bound, digits < 20 {
            digits += 1
            bound = digits < 20 ? bound &* 10 : .max
        }
        writeDigits(number, count: digits)
    }

    mutating func write(_ number: Int64) {
        if number < 0 {
            append(UInt8(ascii: "-"))
        }
        write(number.magnitude)
    }

    /// Seconds, with all nine decimals: no instant is rounded.
    mutating func write(_ instant: Instant) {
        let (seconds, fraction) = instant.nanoseconds.magnitude.quotientAndRemainder(
            dividingBy: 1_000_000_000)
        if instant.nanoseconds < 0 {
            append(UInt8(ascii: "-"))
        }
        write(seconds)
        append(UInt8(ascii: "."))
        writeDigits(fraction, count: 9)
    }

    /// The same, where the instant is mostly that of the record before: then its text is, too.
    mutating func write(_ instant: Instant, as text: inout InstantText) {
        if text.instant == instant, text.count > 0 {
            text.bytes.span.withUnsafeBytes { write($0.baseAddress!, text.count) }
            return
        }
        let before = count
        write(instant)
        text = InstantText(instant, written(from: before))
    }

    /// Whole milliseconds, and nanoseconds where that would lose something.
    mutating func write(_ duration: Duration) {
        let (milliseconds, rest) = duration.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        if rest == 0 {
            write(milliseconds)
            write(Field.milliseconds)
        } else {
            write(duration.nanoseconds)
            write(Field.nanoseconds)
        }
    }

    mutating func write(_ keys: Keys) {
        write(keys.first.bytes)
        for key in keys.others {
            append(UInt8(ascii: ","))
            write(key.bytes)
        }
    }

    mutating func write(_ process: ProcessIdentity) {
        write(Int64(process.pid))
        append(UInt8(ascii: ":"))
        write(process.startTicks)
    }

    mutating func writeHex(_ crc: UInt32, at offset: Int) {
        precondition(offset + 8 <= count, "the checksum goes where its place was kept")
        (start + offset).storeBytes(of: Self.hexDigits(of: crc).bigEndian, as: UInt64.self)
    }

    /// All numbers of two digits.
    private static let pairs: StaticString = """
        0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
        5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
        """

    /// The last digits first, two for each division.
    private mutating func writeDigits(_ number: UInt64, count digits: Int) {
        let first = advance(digits)
        var rest = number
        var index = digits
        while index > 1 {
            index -= 2
            let pair = UnsafeRawPointer(Self.pairs.utf8Start + 2 * Int(rest % 100))
            first.storeBytes(of: pair.loadUnaligned(as: UInt16.self), toByteOffset: index, as: UInt16.self)
            rest /= 100
        }
        if index > 0 {
            first.storeBytes(of: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        }
    }

    /// Eight digits, the first in the highest byte. The four bits of each are spread to a byte of their own,
    /// and all eight become characters at once.
    private static func hexDigits(of number: UInt32) -> UInt64 {
        var spread = UInt64(number)
        spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
        spread = (spread | spread << 4) & 0x0F0F_0F0F_0F0F_0F0F
        // 1 in each byte that is over nine: 6 more carries it into the upper half.
        let letters = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        // "a" stands 39 behind what would follow "9".
        return spread &+ 0x3030_3030_3030_3030 &+ letters &* 39
    }
}

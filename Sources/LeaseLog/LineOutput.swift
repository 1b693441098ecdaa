// How the parts of a line are written: digits, instants, durations and texts, straight into the bytes of a
// batch.

import LeaseModel

/// Room for a line, filled from the front. No line is longer than `LogFormat.lineBytesMax`, which is what is
/// read: one that would be is a mistake of the bounds on what it holds, and traps.
struct LineOutput: ~Copyable {
    private let start: UnsafeMutableRawPointer
    /// Behind what was written.
    private var end: UnsafeMutableRawPointer
    private let limit: UnsafeMutableRawPointer

    var count: Int { end - start }

    /// What there must be room for: numbers, beginnings and ends are stored in whole words, of which the last
    /// may be no part of the line.
    static let room = LogFormat.lineBytesMax + max(LineBeginning.bytesMax, GrantEnd.bytesMax)

    /// Lets the body write a line behind the bytes that are there.
    static func append(to bytes: inout [UInt8], _ body: (inout LineOutput) -> Void) {
        bytes.append(addingCapacity: room) { span in
            span.withUnsafeMutableBufferPointer { buffer, count in
                var line = LineOutput(start: buffer.baseAddress! + count)
                body(&line)
                count += line.count
            }
        }
    }

    /// - Parameter start: has `room` behind it.
    init(start: UnsafeMutableRawPointer) {
        self.start = start
        end = start
        limit = start + LogFormat.lineBytesMax
    }

    /// Lets the body, which is rare, go on with the line. Where the place to write at is handed to a function
    /// that is not inlined, it stands in memory, and else in a register: so here it is a place of its own.
    @inline(__always)
    mutating func apart(_ body: (inout LineOutput) -> Void) {
        var other = LineOutput(start: start)
        other.end = end
        body(&other)
        end = other.end
    }

    /// What was written, from an offset on.
    func written(from offset: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start + offset, count: count - offset)
    }

    @inline(__always)
    private mutating func advance(_ bytes: Int) -> UnsafeMutableRawPointer {
        let target = end
        end = target + bytes
        precondition(end <= limit, "no line is longer")
        return target
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        advance(1).storeBytes(of: byte, as: UInt8.self)
    }

    @inline(__always)
    mutating func write(_ literal: StaticString) {
        let count = literal.utf8CodeUnitCount
        advance(count).copyMemory(from: literal.utf8Start, byteCount: count)
    }

    mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            write(first, source.count)
        }
    }

    @inline(__always)
    mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) {
        write(bytes.baseAddress.unsafelyUnwrapped, bytes.count)
    }

    @inline(__always)
    private mutating func write(_ first: UnsafeRawPointer, _ bytes: Int) {
        UnsafeRawBufferPointer(start: first, count: bytes).copyAsShort(to: advance(bytes))
    }

    @inline(never)
    private mutating func writeLong(_ number: UInt64) {
        let (before, last) = number.quotientAndRemainder(dividingBy: 100_000_000)
        if before < 100_000_000 { write(before) } else { writeLong(before) }
        writeEight(last)
    }

    @inline(__always)
    mutating func write(_ number: UInt64) {
        guard number < 100_000_000 else { return apart { $0.writeLong(number) } }
        let digits = EightDigits.of(number)
        // The first digit stands in the lowest byte. Of 0, one zero is left: the mark is in the last byte.
        let zeros = (digits | 1 << 56).trailingZeroBitCount / 8
        let text = (digits | Self.zeros) >> (8 * UInt64(zeros))
        advance(8 - zeros).storeBytes(of: text.littleEndian, as: UInt64.self)
    }

    @inline(__always)
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
        let (first, others) = fraction.quotientAndRemainder(dividingBy: 100_000_000)
        append(UInt8(ascii: "."))
        append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: first))
        writeEight(others)
    }

    /// What every record begins with. `beginning` is that of the one before.
    @inline(__always)
    mutating func begin(_ sequence: Sequence64, _ at: Instant, like beginning: inout LineBeginning) {
        guard let digit = beginning.digit(of: sequence, at) else {
            return apart { $0.beginOtherwise(sequence, at, &beginning) }
        }
        begin(like: beginning, digit)
    }

    @inline(__always)
    private mutating func begin(like beginning: borrowing LineBeginning, _ digit: UInt8) {
        // All the room that it may take, which costs less than to look how much it does.
        let target = advance(beginning.count)
        target.storeBytes(of: beginning.bytes, as: LineBeginning.Bytes.self)
        target.storeBytes(of: digit, toByteOffset: beginning.lastDigit, as: UInt8.self)
    }

    @inline(never)
    private mutating func beginOtherwise(
        _ sequence: Sequence64, _ at: Instant, _ beginning: inout LineBeginning
    ) {
        if beginning.goOn(to: sequence, at), let digit = beginning.digit(of: sequence, at) {
            begin(like: beginning, digit)
        } else {
            beginAnew(sequence, at, &beginning)
        }
    }

    private mutating func beginAnew(
        _ sequence: Sequence64, _ at: Instant, _ beginning: inout LineBeginning
    ) {
        let before = count
        write("00000000 ")
        write(sequence)
        append(UInt8(ascii: " "))
        write(at)
        beginning = LineBeginning(sequence, at, written(from: before), grantEnd: beginning.grantEnd)
    }

    /// Whose a plain grant is and how long it lasts. `end` is that of the last one.
    @inline(__always)
    mutating func write(_ uid: UInt32, _ pid: Int32, _ ttl: Duration, like end: inout GrantEnd) {
        guard end.isOf(uid, pid, ttl) else { return apart { $0.writeAnew(uid, pid, ttl, &end) } }
        advance(end.count).storeBytes(of: end.bytes, as: GrantEnd.Bytes.self)
    }

    @inline(never)
    private mutating func writeAnew(_ uid: UInt32, _ pid: Int32, _ ttl: Duration, _ end: inout GrantEnd) {
        let before = count
        write(uid, pid)
        write(Field.ttl)
        write(ttl)
        end = GrantEnd(uid, pid, ttl, written(from: before))
    }

    @inline(__always)
    mutating func write(_ uid: UInt32, _ pid: Int32) {
        write(Field.uid)
        write(UInt64(uid))
        write(Field.pid)
        write(Int64(pid))
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

    @inline(__always)
    mutating func writeHex(_ crc: UInt32, at offset: Int) {
        precondition(offset + 8 <= count, "the checksum goes where its place was kept")
        (start + offset).storeBytes(of: Self.hexDigits(of: crc).bigEndian, as: UInt64.self)
    }

    private static let zeros: UInt64 = 0x3030_3030_3030_3030

    /// All eight digits of a number that has no more.
    @inline(__always)
    private mutating func writeEight(_ number: UInt64) {
        let text = EightDigits.of(number) | Self.zeros
        advance(8).storeBytes(of: text.littleEndian, as: UInt64.self)
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

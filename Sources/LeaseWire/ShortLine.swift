// Room at the end of an output, filled from the front: the replies that nearly every request gets are written
// without asking for room at each of their pieces.

import LeaseModel

/// A line of literals and numbers alone, which can't have more bytes than `bytesMax`.
struct ShortLine: ~Copyable {
    /// More than a tag, six literals and as many numbers take. What would not fit traps.
    static let bytesMax = 256

    /// Where the next byte goes, and where the room ends.
    private var next: UnsafeMutablePointer<UInt8>
    private let end: UnsafeMutablePointer<UInt8>

    /// Lets the body write behind the bytes that are there. (Inlined with what it calls, so that pieces of a
    /// known length need no call.)
    @inline(__always)
    static func append(to bytes: inout [UInt8], _ body: (inout ShortLine) -> Void) {
        bytes.append(addingCapacity: bytesMax) { span in
            span.withUnsafeMutableBufferPointer { buffer, count in
                precondition(buffer.count - count >= bytesMax, "the room was asked for")
                let start = buffer.baseAddress! + count
                var line = ShortLine(next: start, end: start + bytesMax)
                body(&line)
                count += line.next - start
            }
        }
    }

    @inline(__always)
    private mutating func advance(_ bytes: Int) -> UnsafeMutablePointer<UInt8> {
        precondition(bytes <= end - next, "a short line is longer than any can be")
        defer { next += bytes }
        return next
    }

    mutating func append(_ byte: UInt8) {
        advance(1).initialize(to: byte)
    }

    @inline(__always)
    mutating func append(_ literal: StaticString) {
        let bytes = literal.utf8CodeUnitCount
        UnsafeMutableRawPointer(advance(bytes)).copyMemory(from: literal.utf8Start, byteCount: bytes)
    }

    @inline(__always)
    mutating func append(tag: Span<UInt8>) {
        if tag.count > 0 { appendGiven(tag: tag) }
    }

    private mutating func appendGiven(tag: Span<UInt8>) {
        append(ASCII.hash)
        let place = advance(tag.count)
        for index in tag.indices { (place + index).initialize(to: tag[index]) }
        append(ASCII.space)
    }

    @inline(__always)
    mutating func append(_ name: StaticString, number: UInt64) {
        append(name)
        append(number)
    }

    @inline(never)
    mutating func append(_ name: StaticString, _ duration: Duration) {
        append(name)
        append(duration)
    }

    /// Whole milliseconds, rounded down.
    @inline(__always)
    mutating func append(_ duration: Duration) {
        append(UInt64(max(0, duration.nanoseconds)) / 1_000_000)
        append("ms")
    }

    @inline(__always)
    mutating func append(_ number: UInt64) {
        // Of what goes at once the time is mostly one digit.
        if number < 10 { return append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number)) }
        guard number < 100_000_000 else { return appendLong(number) }
        let digits = EightDigits.of(number)
        place(digits, from: min(digits.trailingZeroBitCount / 8, 7))
    }

    @inline(never)
    private mutating func appendLong(_ number: UInt64) {
        append(number / 100_000_000)
        place(EightDigits.of(number % 100_000_000), from: 0)
    }

    /// All eight bytes are written, of which those that don't count are written over.
    @inline(__always)
    private mutating func place(_ digits: UInt64, from first: Int) {
        let written = (digits | 0x3030_3030_3030_3030) &>> UInt64(8 &* first)
        UnsafeMutableRawPointer(advance(8)).storeBytes(of: written.littleEndian, as: UInt64.self)
        next -= first
    }
}

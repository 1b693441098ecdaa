// Room at the end of an output, filled from the front: the replies that nearly every request gets are written
// without asking for room at each of their pieces.

import LeaseModel

/// A line of literals and numbers alone, which can't have more bytes than `bytesMax`.
struct ShortLine: ~Copyable {
    /// More than a tag, six literals and as many numbers take. What would not fit traps.
    static let bytesMax = 256

    private let start: UnsafeMutablePointer<UInt8>
    private var count = 0

    /// Lets the body write behind the bytes that are there. (Inlined with what it calls, so that pieces of a
    /// known length need no call.)
    @inline(__always)
    static func append(to bytes: inout [UInt8], _ body: (inout ShortLine) -> Void) {
        bytes.append(addingCapacity: bytesMax) { span in
            span.withUnsafeMutableBufferPointer { buffer, count in
                precondition(buffer.count - count >= bytesMax, "the room was asked for")
                var line = ShortLine(start: buffer.baseAddress! + count)
                body(&line)
                count += line.count
            }
        }
    }

    private init(start: UnsafeMutablePointer<UInt8>) {
        self.start = start
    }

    @inline(__always)
    private mutating func advance(_ bytes: Int) -> UnsafeMutablePointer<UInt8> {
        let end = count + bytes
        precondition(end <= ShortLine.bytesMax, "a short line is longer than any can be")
        defer { count = end }
        return start + count
    }

    mutating func append(_ byte: UInt8) {
        advance(1).initialize(to: byte)
    }

    @inline(__always)
    mutating func append(_ literal: StaticString) {
        let bytes = literal.utf8CodeUnitCount
        UnsafeMutableRawPointer(advance(bytes)).copyMemory(from: literal.utf8Start, byteCount: bytes)
    }

    mutating func append(tag: Span<UInt8>) {
        guard tag.count > 0 else { return }
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

    /// Whole milliseconds, rounded down.
    @inline(__always)
    mutating func append(_ name: StaticString, _ duration: Duration) {
        append(name)
        append(UInt64(max(0, duration.wholeMilliseconds)))
        append("ms")
    }

    /// The last digits first, two for each division.
    mutating func append(_ number: UInt64) {
        let digits = ShortLine.digits(of: number)
        let first = advance(digits)
        var (rest, place) = (number, digits)
        while rest >= 10 {
            place &-= 2
            let pair = ShortLine.pairs.utf8Start + 2 * Int(truncatingIfNeeded: rest % 100)
            rest /= 100
            UnsafeMutableRawPointer(first + place).copyMemory(from: pair, byteCount: 2)
        }
        if place > 0 { first.initialize(to: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest)) }
    }

    private static let pairs: StaticString = """
        0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
        5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
        """

    private static func digits(of number: UInt64) -> Int {
        var (digits, rest) = (1, number)
        while rest >= 10_000 {
            rest /= 10_000
            digits &+= 4
        }
        return digits &+ (rest >= 1_000 ? 3 : rest >= 100 ? 2 : rest >= 10 ? 1 : 0)
    }
}

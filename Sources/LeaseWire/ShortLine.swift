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
        advance(bytes).initialize(from: literal.utf8Start, count: bytes)
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
    mutating func append(_ name: StaticString, _ duration: Duration) {
        append(name)
        append(UInt64(max(0, duration.wholeMilliseconds)))
        append("ms")
    }

    /// The last digits first, two for each division.
    mutating func append(_ number: UInt64) {
        var digits = 1
        var bound: UInt64 = 10
        while number >= bound, digits < 20 {
            digits += 1
            bound = digits < 20 ? bound &* 10 : .max
        }
        let first = advance(digits)
        var rest = number
        while digits > 1 {
            digits -= 2
            let pair = rest % 100
            rest /= 100
            (first + digits).initialize(to: ShortLine.digit(pair / 10))
            (first + digits + 1).initialize(to: ShortLine.digit(pair % 10))
        }
        if digits > 0 { first.initialize(to: ShortLine.digit(rest)) }
    }

    private static func digit(_ value: UInt64) -> UInt8 {
        UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value)
    }
}

// How the parts of a line are written: digits, instants, durations and texts, straight into the bytes of a
// batch.

import LeaseModel

/// The end of an array's room, filled from the front. What would not fit is a mistake of `EncodedSize`, and
/// traps.
struct LineOutput: ~Copyable {
    private let start: UnsafeMutablePointer<UInt8>
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
        self.start = start
        self.room = room
    }

    /// What was written, from an offset on.
    func written(from offset: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start + offset, count: count - offset)
    }

    private mutating func advance(_ bytes: Int) -> UnsafeMutablePointer<UInt8> {
        let end = count + bytes
        precondition(end <= room, "EncodedSize gave too little room")
        defer { count = end }
        return start + count
    }

    mutating func append(_ byte: UInt8) {
        advance(1).initialize(to: byte)
    }

    mutating func write(_ literal: StaticString) {
        let bytes = literal.utf8CodeUnitCount
        advance(bytes).initialize(from: literal.utf8Start, count: bytes)
    }

    mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            advance(source.count).initialize(from: first, count: source.count)
        }
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
        for index in 0..<8 {
            let digit = UInt8(truncatingIfNeeded: crc >> UInt32(28 - 4 * index) & 0xF)
            start[offset + index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
    }

    /// The last digit first, since a division by ten that the compiler knows of is the cheapest there is.
    private mutating func writeDigits(_ number: UInt64, count digits: Int) {
        let first = advance(digits)
        var rest = number
        var index = digits
        while index > 0 {
            index -= 1
            let (quotient, digit) = (rest / 10, rest % 10)
            (first + index).initialize(to: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit))
            rest = quotient
        }
    }
}

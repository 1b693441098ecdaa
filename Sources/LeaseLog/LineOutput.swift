// How the parts of a line are written: digits, instants, durations and texts, straight into bytes.

import LeaseModel

extension OutputSpan where Element == UInt8 {
    mutating func write(_ literal: StaticString) {
        literal.withUTF8Buffer { write($0) }
    }

    mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { write($0) }
    }

    /// One copy, and one check that there is room.
    private mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) {
        precondition(bytes.count <= freeCapacity, "EncodedSize gave too little room")
        withUnsafeMutableBufferPointer { buffer, count in
            let end = count + bytes.count
            _ = buffer.extracting(count..<end).initialize(fromContentsOf: bytes)
            count = end
        }
    }

    mutating func write(_ number: UInt64) {
        var digits = 1
        var bound: UInt64 = 10
        while number >= bound, digits < 20 {
            digits += 1
            bound = digits < 20 ? bound * 10 : .max
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
        for index in 0..<8 {
            let digit = UInt8(crc >> UInt32(28 - 4 * index) & 0xF)
            self[offset + index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
    }

    /// The last digit first, since a division by ten that the compiler knows of is the cheapest there is.
    private mutating func writeDigits(_ number: UInt64, count digits: Int) {
        let start = count
        append(repeating: UInt8(ascii: "0"), count: digits)
        var rest = number
        var index = start + digits
        while rest > 0 {
            index -= 1
            self[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}

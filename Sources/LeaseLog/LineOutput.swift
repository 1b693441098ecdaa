// How the parts of a line are written: digits, instants, durations and texts, straight into bytes.

import LeaseModel

extension OutputSpan where Element == UInt8 {
    mutating func write(_ literal: StaticString) {
        literal.withUTF8Buffer { write($0) }
    }

    mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { write($0) }
    }

    private mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) {
        for byte in bytes {
            append(byte)
        }
    }

    mutating func write(_ number: UInt64) {
        var scale: UInt64 = 1
        while number / 10 >= scale {
            scale *= 10
        }
        writeDigits(number, from: scale)
    }

    mutating func write(_ number: Int64) {
        if number < 0 {
            append(UInt8(ascii: "-"))
        }
        write(number.magnitude)
    }

    /// Seconds, with all nine decimals: no instant is rounded.
    mutating func write(_ instant: Instant) {
        let (seconds, fraction) = instant.nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        if instant.nanoseconds < 0 {
            append(UInt8(ascii: "-"))
        }
        write(seconds)
        append(UInt8(ascii: "."))
        writeDigits(fraction, from: 100_000_000)
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

    private mutating func writeDigits(_ number: UInt64, from greatest: UInt64) {
        var scale = greatest
        var rest = number
        while scale > 0 {
            append(UInt8(ascii: "0") + UInt8(rest / scale))
            rest %= scale
            scale /= 10
        }
    }
}

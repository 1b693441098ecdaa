// How the pieces of a reply get into a connection's buffer: no strings and no interpolation on the way.

import LeaseModel

extension [UInt8] {
    mutating func append(_ word: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    mutating func append(_ text: Text) {
        append(contentsOf: text.bytes)
    }

    mutating func append(_ keys: Keys) {
        append(contentsOf: keys.first.bytes)
        for key in keys.others {
            append(UInt8(ascii: ","))
            append(contentsOf: key.bytes)
        }
    }

    mutating func append(_ span: Span<UInt8>) {
        span.withUnsafeBufferPointer { append(contentsOf: $0) }
    }

    mutating func append(number: UInt64) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var first = 20
        var rest = number
        repeat {
            first -= 1
            digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        append(digits.span.extracting(first...))
    }

    mutating func append(number: some BinaryInteger) {
        if number < 0 {
            append(UInt8(ascii: "-"))
        }
        append(number: UInt64(number.magnitude))
    }

    /// Whole milliseconds, rounded down.
    mutating func append(_ duration: Duration) {
        append(number: UInt64(Swift.max(0, duration.wholeMilliseconds)))
        append("ms")
    }

    /// The name comes with the space before it and the `=` behind it.
    mutating func append(_ name: StaticString, _ duration: Duration) {
        append(name)
        append(duration)
    }

    /// Whole milliseconds, so that who waits as long does not come too early.
    mutating func append(_ name: StaticString, roundedUp duration: Duration) {
        append(name, number: duration.wholeMillisecondsRoundedUp)
        append("ms")
    }

    mutating func append(_ name: StaticString, number: UInt64) {
        append(name)
        append(number: number)
    }

    mutating func append(_ name: StaticString, number: some BinaryInteger) {
        append(name)
        append(number: number)
    }

    mutating func append(_ name: StaticString, _ text: Text) {
        append(name)
        append(text)
    }

    mutating func append(_ name: StaticString, _ keys: Keys) {
        append(name)
        append(keys)
    }

    mutating func append(_ name: StaticString, _ key: Key) {
        append(name)
        append(contentsOf: key.bytes)
    }
}

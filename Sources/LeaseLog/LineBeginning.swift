// How the last record began, for the next: within a pass only its number is another, mostly by one.

internal import LeaseModel

/// The place of a checksum, a number and an instant, as they were written last.
package struct LineBeginning: Sendable {
    /// The checksum and a space, 20 digits, a space; of the instant a sign, 10 digits of seconds, a point and
    /// 9 decimals.
    static let bytesMax = 56
    private static let firstDigit = 9

    private var sequence: Sequence64 = 0
    private var instant = Instant.zero
    /// Behind the last digit of the number.
    private var digitsEnd = 0
    private(set) var count = 0
    private(set) var bytes = InlineArray<56, UInt8>(repeating: 0)

    /// None yet.
    package init() {}

    init(_ sequence: Sequence64, _ instant: Instant, _ text: UnsafeRawBufferPointer) {
        precondition(text.count <= Self.bytesMax, "no beginning is longer")
        self.sequence = sequence
        self.instant = instant
        count = text.count
        for index in 0..<text.count {
            bytes[index] = text[index]
        }
        digitsEnd = Self.firstDigit
        while bytes[digitsEnd] != UInt8(ascii: " ") { digitsEnd += 1 }
    }

    /// Makes it that of another record, if that needs no more than the number's last digits.
    /// - Returns: whether it is; if not, it is to be made anew.
    mutating func goOn(to sequence: Sequence64, _ instant: Instant) -> Bool {
        guard instant == self.instant, count > 0 else { return false }
        if sequence == self.sequence { return true }
        guard sequence > self.sequence, sequence - self.sequence == 1 else { return false }
        var digit = digitsEnd - 1
        while bytes[digit] == UInt8(ascii: "9") {
            bytes[digit] = UInt8(ascii: "0")
            digit -= 1
            // Another digit would move all behind it.
            guard digit >= Self.firstDigit else { return false }
        }
        bytes[digit] += 1
        self.sequence = sequence
        return true
    }
}

// How the last record began, for the next: within a pass only its number is another, mostly by one.

internal import LeaseModel

/// The place of a checksum, a number and an instant, as they were written last.
package struct LineBeginning: Sendable {
    /// The checksum and a space, 20 digits, a space; of the instant a sign, 10 digits of seconds, a point and
    /// 9 decimals.
    static let bytesMax = 56
    typealias Bytes = InlineArray<56, UInt8>
    private static let firstDigit = 9

    private var sequence: Sequence64 = 0
    private var instant = Instant.zero
    /// Behind the last digit of the number.
    private var digitsEnd = 0
    private(set) var count = 0
    private(set) var bytes = Bytes(repeating: 0)
    /// How the last plain grant ended.
    var grantEnd = GrantEnd()

    /// None yet.
    package init() {}

    init(_ sequence: Sequence64, _ instant: Instant, _ text: UnsafeRawBufferPointer, grantEnd: GrantEnd) {
        precondition(text.count <= Self.bytesMax, "no beginning is longer")
        self.sequence = sequence
        self.instant = instant
        self.grantEnd = grantEnd
        count = text.count
        for index in 0..<text.count {
            bytes[index] = text[index]
        }
        digitsEnd = Self.firstDigit
        while bytes[digitsEnd] != UInt8(ascii: " ") { digitsEnd += 1 }
    }

    /// Where the one digit stands by which it differs from that of this record, which is the next of the same
    /// instant; nil: more of it is another, or nothing.
    @inline(__always)
    func digitBefore(_ sequence: Sequence64, _ instant: Instant) -> Int? {
        guard instant == self.instant, count > 0, sequence > self.sequence, sequence - self.sequence == 1
        else { return nil }
        let digit = digitsEnd - 1
        return bytes[digit] == UInt8(ascii: "9") ? nil : digit
    }

    /// Makes it that of the next record, by this digit alone.
    /// - Returns: the digit.
    @inline(__always)
    mutating func goOn(at digit: Int) -> UInt8 {
        sequence += 1
        let next = bytes[digit] + 1
        bytes[digit] = next
        return next
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

/// The peer and the ttl of a grant, as they were written last: who asks for one lease often asks for more.
struct GrantEnd: Sendable {
    /// ` uid=` with 10 digits, ` pid=` with a sign and 10, ` ttl=` with 19 and the unit.
    static let bytesMax = 64
    typealias Bytes = InlineArray<64, UInt8>

    private var uid: UInt32 = 0
    private var pid: Int32 = 0
    private var ttl = Duration.zero
    /// 0: none yet.
    private(set) var count = 0
    private(set) var bytes = Bytes(repeating: 0)

    init() {}

    init(_ uid: UInt32, _ pid: Int32, _ ttl: Duration, _ text: UnsafeRawBufferPointer) {
        precondition(text.count <= Self.bytesMax, "no end is longer")
        (self.uid, self.pid, self.ttl) = (uid, pid, ttl)
        count = text.count
        for index in 0..<text.count {
            bytes[index] = text[index]
        }
    }

    @inline(__always)
    func isOf(_ uid: UInt32, _ pid: Int32, _ ttl: Duration) -> Bool {
        count > 0 && uid == self.uid && pid == self.pid && ttl == self.ttl
    }
}

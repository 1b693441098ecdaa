// How the last record began, for the next: within a pass only its number is another, mostly in one digit.

internal import LeaseModel

/// The place of a checksum, a number and an instant, as they were written last: ten numbers that differ in
/// their last digit alone share one.
package struct LineBeginning: Sendable {
    /// The checksum and a space, 20 digits, a space; of the instant a sign, 10 digits of seconds, a point and
    /// 9 decimals.
    static let bytesMax = 56
    typealias Bytes = InlineArray<56, UInt8>
    private static let firstDigit = 9

    /// The numbers of which it is the beginning, but for the last digit; none yet.
    private var ten: Range<Sequence64> = 0..<0
    private var instant = Instant.zero
    /// Where the last digit of the number stands.
    private(set) var lastDigit = 0
    private(set) var count = 0
    private(set) var bytes = Bytes(repeating: 0)
    /// How the last plain grant ended.
    var grantEnd = GrantEnd()

    /// None yet.
    package init() {}

    init(_ sequence: Sequence64, _ instant: Instant, _ text: UnsafeRawBufferPointer, grantEnd: GrantEnd) {
        precondition(text.count <= Self.bytesMax, "no beginning is longer")
        ten = Self.ten(of: sequence)
        self.instant = instant
        self.grantEnd = grantEnd
        count = text.count
        for index in 0..<text.count {
            bytes[index] = text[index]
        }
        lastDigit = Self.firstDigit
        while bytes[lastDigit + 1] != UInt8(ascii: " ") { lastDigit += 1 }
    }

    /// (Of the last numbers of all there are fewer.)
    private static func ten(of sequence: Sequence64) -> Range<Sequence64> {
        let first = sequence - sequence % 10
        return first..<(first > .max - 10 ? .max : first + 10)
    }

    /// The last digit of this record's number; nil: more of its beginning is another.
    @inline(__always)
    func digit(of sequence: Sequence64, _ instant: Instant) -> UInt8? {
        guard instant == self.instant, ten.contains(sequence) else { return nil }
        return UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: sequence &- ten.lowerBound)
    }

    /// Makes it that of the first record behind these ten, if that needs no more than the number's last
    /// digits.
    /// - Returns: whether it is; if not, it is of no use any more, and is to be made anew.
    mutating func goOn(to sequence: Sequence64, _ instant: Instant) -> Bool {
        guard instant == self.instant, !ten.isEmpty, sequence == ten.upperBound else { return false }
        var digit = lastDigit - 1
        while digit >= Self.firstDigit, bytes[digit] == UInt8(ascii: "9") {
            bytes[digit] = UInt8(ascii: "0")
            digit -= 1
        }
        // Another digit would move all behind it.
        guard digit >= Self.firstDigit else { return false }
        bytes[digit] += 1
        ten = Self.ten(of: sequence)
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
        uid == self.uid && pid == self.pid && ttl == self.ttl && count > 0
    }
}

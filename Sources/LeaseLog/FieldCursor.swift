// How the parts of a line are read: each in the one spelling in which it is written, everything else refused.

import LeaseModel

/// The line is not what the encoder writes; where, the cursor tells.
struct Unreadable: Error {}

/// A place in a line that moves on with each part that is read. No input traps. Reading stops where a part
/// doesn't have its one spelling: a number with a leading zero or a plus sign, a percent code that isn't
/// needed.
struct FieldCursor {
    private(set) var at: Int
    /// The last owner that was read. The next one is mostly the same, and then they share their bytes: among
    /// a million leases that saves as many megabytes as an owner has bytes.
    private(set) var lastOwner: Text

    init(at: Int, lastOwner: Text = Text(printed: [])) {
        self.at = at
        self.lastOwner = lastOwner
    }

    /// Moves behind the literal, if it stands here. Inlined: it is known there, and so is how to compare it.
    @inline(__always)
    mutating func take(_ literal: StaticString, in line: Span<UInt8>) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard stands(UnsafeRawBufferPointer(start: literal.utf8Start, count: count), in: line) else {
            return false
        }
        at &+= count
        return true
    }

    /// Whether these bytes stand here: looked at eight at a time, and then four, two and one.
    @inline(__always)
    private func stands(_ wanted: UnsafeRawBufferPointer, in line: Span<UInt8>) -> Bool {
        guard wanted.count <= line.count &- at else { return false }
        return line.withUnsafeBytes { bytes in
            let (here, left) = (UnsafeRawBufferPointer(rebasing: bytes[at...]), wanted.count & 7)
            var place = 0
            while place < wanted.count &- left {
                guard same(UInt64.self, here, wanted, at: place) else { return false }
                place &+= 8
            }
            if left & 4 != 0, !same(UInt32.self, here, wanted, at: place) { return false }
            if left & 2 != 0, !same(UInt16.self, here, wanted, at: place &+ (left & 4)) { return false }
            return left & 1 == 0 || same(UInt8.self, here, wanted, at: wanted.count &- 1)
        }
    }

    @inline(__always)
    mutating func skip(_ literal: StaticString, in line: Span<UInt8>) throws(Unreadable) {
        guard take(literal, in: line) else { throw Unreadable() }
    }

    mutating func unsigned(in line: Span<UInt8>) throws(Unreadable) -> UInt64 {
        let start = at
        var number = firstDigits(in: line)
        while let digit = digit(in: line) {
            let (tens, tooMany) = number.multipliedReportingOverflow(by: 10)
            let (sum, tooGreat) = tens.addingReportingOverflow(digit)
            if tooMany || tooGreat { throw Unreadable() }
            number = sum
            at += 1
        }
        let hasLeadingZero = at - start > 1 && line[start] == UInt8(ascii: "0")
        guard at > start, !hasLeadingZero else { throw Unreadable() }
        return number
    }

    /// The number of the digits that stand here, eight at most, taken together. It takes none where the line
    /// ends within eight bytes: those are left to be taken one by one.
    @inline(__always)
    private mutating func firstDigits(in line: Span<UInt8>) -> UInt64 {
        guard line.count &- at >= 8 else { return 0 }
        let eight = line.withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        }
        let (number, count) = EightDigits.read(eight)
        at &+= count
        return number
    }

    mutating func signed(in line: Span<UInt8>) throws(Unreadable) -> Int64 {
        let isNegative = takeMinus(in: line)
        return try FieldCursor.signed(try unsigned(in: line), isNegative: isNegative)
    }

    mutating func pid(in line: Span<UInt8>) throws(Unreadable) -> Int32 {
        guard let pid = Int32(exactly: try signed(in: line)) else { throw Unreadable() }
        return pid
    }

    mutating func uid(in line: Span<UInt8>) throws(Unreadable) -> UInt32 {
        guard let uid = UInt32(exactly: try unsigned(in: line)) else { throw Unreadable() }
        return uid
    }

    mutating func token(_ name: StaticString, in line: Span<UInt8>) throws(Unreadable) -> Token {
        try skip(name, in: line)
        let token = try unsigned(in: line)
        guard token > 0 else { throw Unreadable() }
        return token
    }

    mutating func instant(in line: Span<UInt8>) throws(Unreadable) -> Instant {
        let isNegative = takeMinus(in: line)
        let seconds = try unsigned(in: line)
        try skip(".", in: line)
        let start = at
        var fraction = firstDigits(in: line)
        while at - start < 9 {
            guard let digit = digit(in: line) else { throw Unreadable() }
            fraction = fraction * 10 + digit
            at += 1
        }
        let (whole, tooMany) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, tooGreat) = whole.addingReportingOverflow(fraction)
        if tooMany || tooGreat { throw Unreadable() }
        return Instant(nanoseconds: try FieldCursor.signed(sum, isNegative: isNegative))
    }

    mutating func duration(_ name: StaticString, in line: Span<UInt8>) throws(Unreadable) -> Duration {
        try skip(name, in: line)
        guard let number = Int64(exactly: try unsigned(in: line)) else { throw Unreadable() }
        if take(Field.milliseconds, in: line) {
            let (nanoseconds, tooMany) = number.multipliedReportingOverflow(by: 1_000_000)
            if tooMany { throw Unreadable() }
            return Duration(nanoseconds: nanoseconds)
        }
        try skip(Field.nanoseconds, in: line)
        guard number % 1_000_000 != 0 else { throw Unreadable() }
        return Duration(nanoseconds: number)
    }

    mutating func durationIfThere(_ name: StaticString, in line: Span<UInt8>) throws(Unreadable) -> Duration?
    {
        let here = self
        guard take(name, in: line) else { return nil }
        self = here
        return try duration(name, in: line)
    }

    mutating func text(
        _ name: StaticString, bytesMax: Int = Limits.textBytesMax, in line: Span<UInt8>
    ) throws(Unreadable) -> Text {
        try skip(name, in: line)
        return try textHere(bytesMax: bytesMax, in: line)
    }

    mutating func owner(in line: Span<UInt8>) throws(Unreadable) -> Text {
        try skip(Field.owner, in: line)
        if isLastOwner(in: line) {
            at += lastOwner.bytes.count
        } else {
            lastOwner = try textHere(in: line)
        }
        return lastOwner
    }

    private func isLastOwner(in line: Span<UInt8>) -> Bool {
        let end = at + lastOwner.bytes.count
        guard end < line.count, line[end] == UInt8(ascii: " ") else { return false }
        return lastOwner.bytes.withUnsafeBytes { stands($0, in: line) }
    }

    mutating func textIfThere(_ name: StaticString, in line: Span<UInt8>) throws(Unreadable) -> Text? {
        take(name, in: line) ? try textHere(in: line) : nil
    }

    mutating func keys(in line: Span<UInt8>) throws(Unreadable) -> Keys {
        try skip(Field.key, in: line)
        let first = try key(in: line)
        guard at < line.count, line[at] == UInt8(ascii: ",") else { return Keys(first) }
        var others: [Key] = []
        while take(",", in: line) {
            guard others.count + 1 < Limits.keysPerRequestMax else { throw Unreadable() }
            others.append(try key(in: line))
        }
        return Keys(first, others)
    }

    mutating func keyIfThere(in line: Span<UInt8>) throws(Unreadable) -> Key? {
        take(Field.key, in: line) ? try key(in: line) : nil
    }

    mutating func processIfThere(in line: Span<UInt8>) throws(Unreadable) -> ProcessIdentity? {
        guard take(Field.process, in: line) else { return nil }
        let pid = try pid(in: line)
        try skip(":", in: line)
        return ProcessIdentity(pid: pid, startTicks: try unsigned(in: line))
    }

    private mutating func textHere(
        bytesMax: Int = Limits.textBytesMax, in line: Span<UInt8>
    ) throws(Unreadable) -> Text {
        let start = at
        while at < line.count, line[at] != UInt8(ascii: " ") {
            if PercentCoding.isPlainInText(line[at]) {
                at += 1
            } else if PercentCoding.isPlainInText(try percentCoded(in: line)) {
                throw Unreadable()
            }
        }
        guard at - start <= bytesMax else { throw Unreadable() }
        return Text(printed: line.extracting(start..<at).copied())
    }

    private mutating func key(in line: Span<UInt8>) throws(Unreadable) -> Key {
        let start = at
        var slashes = 0
        var partIsEmpty = true
        while at < line.count, line[at] != UInt8(ascii: " "), line[at] != UInt8(ascii: ",") {
            if line[at] == UInt8(ascii: "/") {
                if partIsEmpty { throw Unreadable() }
                slashes += 1
                partIsEmpty = true
                at += 1
                continue
            }
            partIsEmpty = false
            if PercentCoding.isPlainInKey(line[at]) {
                at += 1
            } else if PercentCoding.isPlainInKey(try percentCoded(in: line)) {
                throw Unreadable()
            }
        }
        guard slashes > 0, !partIsEmpty, at - start <= Limits.keyBytesMax else { throw Unreadable() }
        return Key(printed: line.extracting(start..<at).copied())
    }

    /// The byte that `%XX` stands for, its hex in upper case.
    private mutating func percentCoded(in line: Span<UInt8>) throws(Unreadable) -> UInt8 {
        guard at + 2 < line.count, line[at] == UInt8(ascii: "%"),
            let high = FieldCursor.upperHexValue(line[at + 1]),
            let low = FieldCursor.upperHexValue(line[at + 2])
        else { throw Unreadable() }
        at += 3
        return high << 4 | low
    }

    private mutating func takeMinus(in line: Span<UInt8>) -> Bool {
        guard at < line.count, line[at] == UInt8(ascii: "-") else { return false }
        at += 1
        return true
    }

    private func digit(in line: Span<UInt8>) -> UInt64? {
        guard at < line.count else { return nil }
        let digit = line[at] &- UInt8(ascii: "0")
        return digit < 10 ? UInt64(digit) : nil
    }

    private static func signed(_ magnitude: UInt64, isNegative: Bool) throws(Unreadable) -> Int64 {
        guard isNegative else {
            guard let number = Int64(exactly: magnitude) else { throw Unreadable() }
            return number
        }
        // There is no -0; and the smallest number has no positive twin.
        guard magnitude > 0, magnitude <= Int64.min.magnitude else { throw Unreadable() }
        return Int64(truncatingIfNeeded: 0 &- magnitude)
    }

    private static func upperHexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

@inline(__always)
private func same<Piece: FixedWidthInteger>(
    _ piece: Piece.Type, _ some: UnsafeRawBufferPointer, _ others: UnsafeRawBufferPointer, at place: Int
) -> Bool {
    some.loadUnaligned(fromByteOffset: place, as: piece)
        == others.loadUnaligned(fromByteOffset: place, as: piece)
}

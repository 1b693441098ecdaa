// What stands behind the `=` of an option: durations, numbers and texts.

import LeaseModel

enum ValueReader {
    /// A whole number of digits alone; nil where there is anything else, or where it does not fit.
    static func number(_ word: Span<UInt8>) -> UInt64? {
        number(word, 0..<word.count)
    }

    /// The same of a part of the line, behind which no digit stands. (It is not cut out of the line: eight
    /// digits are read at once, and there is mostly more to read them from.)
    @inline(__always)
    static func number(_ line: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        let (number, count) = EightDigits.read(line.eight(from: range.lowerBound))
        if count == range.count { return count > 0 ? number : nil }
        return count == 8 && range.count > 8 ? longNumber(line, range) : nil
    }

    @inline(never)
    private static func longNumber(_ line: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        guard range.count <= 16 else { return veryLongNumber(line, range) }
        let first = EightDigits.read(
            EightBytes.first(range.count - 8, of: line.eight(from: range.lowerBound)))
        let last = EightDigits.read(line.eight(from: range.upperBound - 8))
        guard first.count == range.count - 8, last.count == 8 else { return nil }
        return first.number * 100_000_000 + last.number
    }

    private static func veryLongNumber(_ line: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        var number: UInt64 = 0
        for index in range {
            guard ASCII.isDigit(line[index]) else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(line[index] - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            number = sum
        }
        return number
    }

    static func number(
        _ word: Span<UInt8>, _ name: WordName, from least: UInt64, to most: UInt64
    ) throws(Refusal) -> Int {
        guard let number = number(word), number >= least, number <= most else {
            throw refused(word, name, "a whole number from \(least) to \(most)")
        }
        return Int(number)
    }

    static func token(_ word: Span<UInt8>, _ name: WordName) throws(Refusal) -> Token {
        guard let number = number(word) else {
            throw refused(word, name, "a token: all digits, less than 2^64")
        }
        return number
    }

    static func sequence(_ word: Span<UInt8>, _ name: WordName) throws(Refusal) -> Sequence64 {
        guard let number = number(word) else {
            throw refused(word, name, "the seq= of an event: all digits, less than 2^64")
        }
        return number
    }

    /// A whole number and a unit, up to `Limits.durationMax`.
    static func duration(
        _ word: Span<UInt8>, _ name: WordName, atLeast least: Duration
    ) throws(Refusal) -> Duration {
        do throws(DurationError) {
            return try DurationReader.read(word, atLeast: least)
        } catch {
            let want =
                switch error {
                case .noUnit: "a unit: write \(name.form)\(withSeconds(word))"
                case .notADuration: "a whole number and a unit (ms, s, m, h, d), as in \(example(name))"
                case .tooShort: "at least \(least.wholeMilliseconds)ms"
                case .tooLong: "at most \(Limits.durationMax.wholeMilliseconds / 86_400_000)d"
                }
            throw refused(word, name, want)
        }
    }

    /// `wait=`: also `forever`.
    static func wait(_ word: Span<UInt8>) throws(Refusal) -> Duration {
        if let name = PackedName.read(word, 0..<word.count), case "forever" = name { return .forever }
        return try duration(word, .wait, atLeast: .zero)
    }

    /// Text of at most so many bytes as it is printed; empty only where that means something.
    static func text(
        _ word: Span<UInt8>, _ name: WordName, mayBeEmpty: Bool = false
    ) throws(Refusal) -> Text {
        guard word.count > 0 || mayBeEmpty else {
            throw refused(word, name, "some text; leave \(name.form) out if you have none")
        }
        let text: Text
        do throws(PercentError) {
            text = try Text.read(word)
        } catch {
            throw refused(word, name, "two hex digits behind each %; write %25 for a % itself")
        }
        let most = name == .result ? Limits.resultBytesMax : Limits.textBytesMax
        guard text.bytes.count <= most else {
            throw refused(word, name, "at most \(most) bytes as printed (%XX counts 3)")
        }
        return text
    }

    private static func example(_ name: WordName) -> String {
        name == .wait ? "\(name.form)10s or wait=forever" : "\(name.form)30s"
    }

    /// A bare number with the unit that was probably meant; a very long one is not repeated.
    private static func withSeconds(_ word: Span<UInt8>) -> String {
        word.count > 6 ? "30s" : String(decoding: word.copied(), as: UTF8.self) + "s"
    }

    private static func refused(_ word: Span<UInt8>, _ name: WordName, _ want: String) -> Refusal {
        .badValue(option: name.rawValue, value: word.copied(), want: want)
    }
}

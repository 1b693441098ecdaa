// The values of options of a command line: what is taken, and what is said of all else.

/// Why a value can't be taken.
package struct WrongValue: Error, Equatable {
    /// What to write instead, as in "a whole number from 1 to 9".
    package let wanted: String
    /// What was probably meant.
    package var meant: String?

    package init(wanted: String, meant: String? = nil) {
        self.wanted = wanted
        self.meant = meant
    }
}

/// Reads the values of options.
package enum OptionValue {
    package static let durationForms = "a duration as in 500ms, 30s, 10m, 2h or 1d"

    package static func number(
        _ value: String, _ range: ClosedRange<Int64>, _ what: String
    ) throws(WrongValue) -> Int64 {
        let digits = value.utf8
        guard digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
            let number = Int64(value), range.contains(number)
        else {
            throw WrongValue(wanted: "\(what) from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// At least 1 ms. `instead` is what is said of 0.
    package static func duration(
        _ value: String, _ forms: String = durationForms, instead: WrongValue? = nil
    ) throws(WrongValue) -> Duration {
        do throws(DurationError) {
            return try DurationReader.read(Array(value.utf8).span)
        } catch {
            if error == .tooShort, let instead { throw instead }
            throw wrong(error, value, forms)
        }
    }

    package static func durationOrZero(_ value: String) throws(WrongValue) -> Duration {
        do throws(DurationError) {
            return try DurationReader.read(Array(value.utf8).span)
        } catch {
            // Less than the least is 0 of some unit.
            if error == .tooShort { return .zero }
            throw wrong(error, value, durationForms + ", or 0s")
        }
    }

    package static func durationOrForever(_ value: String) throws(WrongValue) -> Duration {
        value == "forever" ? .forever : try durationOrZero(value)
    }

    /// One of the words, exactly as it is written.
    package static func choice(_ value: String, of words: [String]) throws(WrongValue) -> String {
        if words.contains(value) { return value }
        let forms = words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
        throw WrongValue(wanted: forms, meant: nearest(to: value, of: words))
    }

    package static func nearest(to value: String, of words: [String]) -> String? {
        Suggestion.nearest(to: Array(value.utf8), among: words.map { Array($0.utf8) })
            .map { String(decoding: $0, as: UTF8.self) }
    }

    private static func wrong(_ error: DurationError, _ value: String, _ forms: String) -> WrongValue {
        switch error {
        case .noUnit: WrongValue(wanted: forms, meant: value + "s")
        case .notADuration, .tooShort: WrongValue(wanted: forms)
        case .tooLong:
            WrongValue(wanted: "at most \(Limits.durationMax.wholeMilliseconds / 86_400_000)d")
        }
    }
}

// Durations as people write them: a whole number and a unit.

/// Reads `500ms`, `30s`, `10m`, `2h`, `1d`.
package enum DurationReader {
    /// Too long in every unit: further digits change nothing.
    private static let numberMax: Int64 = 1_000_000_000_000

    /// Takes any number of digits, and a result from `least` to `Limits.durationMax`.
    package static func read(
        _ word: Span<UInt8>, atLeast least: Duration = .milliseconds(1)
    ) throws(DurationError) -> Duration {
        var digits = 0
        var number: Int64 = 0
        while digits < word.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= word[digits] {
            number = min(number * 10 + Int64(word[digits] - UInt8(ascii: "0")), numberMax)
            digits += 1
        }
        guard digits > 0 else { throw .notADuration }
        guard digits < word.count else { throw .noUnit }
        guard let unit = milliseconds(unit: word.extracting(digits...)) else { throw .notADuration }
        guard number <= Limits.durationMax.wholeMilliseconds / unit else { throw .tooLong }
        let duration = Duration.milliseconds(number * unit)
        guard duration >= least else { throw .tooShort }
        return duration
    }

    private static func milliseconds(unit: Span<UInt8>) -> Int64? {
        if unit.count == 2, unit[0] == UInt8(ascii: "m"), unit[1] == UInt8(ascii: "s") { return 1 }
        guard unit.count == 1 else { return nil }
        return switch unit[0] {
        case UInt8(ascii: "s"): 1_000
        case UInt8(ascii: "m"): 60_000
        case UInt8(ascii: "h"): 3_600_000
        case UInt8(ascii: "d"): 86_400_000
        default: nil
        }
    }
}

/// Why a word is no duration.
package enum DurationError: Error, Equatable {
    /// A bare number.
    case noUnit
    /// Not a whole number and one of the units `ms`, `s`, `m`, `h`, `d`.
    case notADuration
    /// Less than the least that is wanted, as a rule 1 ms.
    case tooShort
    /// More than `Limits.durationMax`.
    case tooLong
}

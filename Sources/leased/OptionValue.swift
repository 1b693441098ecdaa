// The values of options: what is taken, and what is said of all else.

import LeaseModel
import LeaseServer

/// Why a value can't be taken.
struct WrongValue: Error, Equatable {
    /// What to write instead, as in "a whole number from 1 to 9".
    let wanted: String
    /// What was probably meant.
    var meant: String?
}

/// Reads the values of options.
enum OptionValue {
    /// More than any bound can be of use for.
    static let boundMax: Int64 = 1_000_000_000

    static func bound(_ value: String) throws(WrongValue) -> Int {
        Int(try number(value, 1...boundMax, "a whole number"))
    }

    static func descriptor(_ value: String) throws(WrongValue) -> Int32 {
        Int32(try number(value, 0...Int64(Int32.max), "the number of an open descriptor"))
    }

    /// Up to 0777, with or without zeros in front.
    static func mode(_ value: String) throws(WrongValue) -> UInt32 {
        let digits = value.utf8
        guard !digits.isEmpty, digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "7") ~= $0 }),
            let mode = UInt32(value, radix: 8), mode <= 0o777
        else {
            throw WrongValue(wanted: "permissions in octal from 0000 to 0777, as in 0660")
        }
        return mode
    }

    static func sync(_ value: String) throws(WrongValue) -> SyncPolicy {
        switch value {
        case "always": return .always
        case "never": return .never
        default:
            let forms = "always, never or \(durationForms)"
            if value.utf8.first.map({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) != true {
                throw WrongValue(wanted: forms, meant: nearest(to: value, of: ["always", "never"]))
            }
            return .every(try duration(value, forms, instead: .init(wanted: forms, meant: "always")))
        }
    }

    static func durationOrZero(_ value: String) throws(WrongValue) -> Duration {
        do throws(DurationError) {
            return try DurationReader.read(Array(value.utf8).span)
        } catch {
            // Less than the least is 0 of some unit.
            if error == .tooShort { return .zero }
            throw wrong(error, value, durationForms + ", or 0s")
        }
    }

    static func logLevel(_ value: String) throws(WrongValue) -> Options.LogLevel {
        let names = Options.LogLevel.allCases.map(\.rawValue)
        let name = try choice(value, of: names)
        guard let level = Options.LogLevel(rawValue: name) else { fatalError("a level has its name") }
        return level
    }

    /// One of the words, exactly as it is written.
    static func choice(_ value: String, of words: [String]) throws(WrongValue) -> String {
        if words.contains(value) { return value }
        let forms = words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
        throw WrongValue(wanted: forms, meant: nearest(to: value, of: words))
    }
}

extension OptionValue {
    private static let durationForms = "a duration as in 500ms, 30s, 10m, 2h or 1d"

    private static func number(
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

    /// `instead` is what is said of 0.
    private static func duration(
        _ value: String, _ forms: String, instead: WrongValue
    ) throws(WrongValue) -> Duration {
        do throws(DurationError) {
            return try DurationReader.read(Array(value.utf8).span)
        } catch {
            throw error == .tooShort ? instead : wrong(error, value, forms)
        }
    }

    private static func wrong(_ error: DurationError, _ value: String, _ forms: String) -> WrongValue {
        switch error {
        case .noUnit: WrongValue(wanted: forms, meant: value + "s")
        case .notADuration, .tooShort: WrongValue(wanted: forms)
        case .tooLong:
            WrongValue(wanted: "at most \(Limits.durationMax.wholeMilliseconds / 86_400_000)d")
        }
    }

    private static func nearest(to value: String, of words: [String]) -> String? {
        Suggestion.nearest(to: Array(value.utf8), among: words.map { Array($0.utf8) })
            .map { String(decoding: $0, as: UTF8.self) }
    }
}

// The values of options that only the daemon has.

import LeaseModel
import LeaseServer

extension OptionValue {
    /// More than any bound can be of use for: of what is counted, and of bytes.
    static let countMax: Int64 = 1_000_000_000
    static let bytesMax: Int64 = 1_000_000_000_000

    static func bound(_ value: String, upTo most: Int64) throws(WrongValue) -> Int {
        Int(try number(value, 1...most, "a whole number"))
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

    static func logLevel(_ value: String) throws(WrongValue) -> Options.LogLevel {
        let names = Options.LogLevel.allCases.map(\.rawValue)
        let name = try choice(value, of: names)
        guard let level = Options.LogLevel(rawValue: name) else { fatalError("a level has its name") }
        return level
    }
}

// Values for programs, written as JSON.

indirect enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Int64)
    /// Tokens may be too large for the other.
    case unsigned(UInt64)
    case text(String)
    case list([JSON])
    /// In the order in which they are written.
    case object([(name: String, value: JSON)])

    static func == (left: JSON, right: JSON) -> Bool { left.written == right.written }

    /// On one line, without its end. All of it is printable ASCII, so it can't drive a terminal.
    var written: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .text(let text): JSON.quoted(text)
        case .list(let values): "[" + values.map(\.written).joined(separator: ",") + "]"
        case .object(let fields):
            "{" + fields.map { "\(JSON.quoted($0.name)):\($0.value.written)" }.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var written = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: written += "\\\""
            case 0x5C: written += "\\\\"
            case 0x20..<0x7F: written.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16)
                written += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            }
        }
        return written + "\""
    }
}

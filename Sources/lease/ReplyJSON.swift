// The daemon's replies for programs: the fields keep their names, times are in milliseconds.

import LeaseModel
import LeaseWire

enum ReplyJSON {
    /// Values of these are texts, whatever they look like.
    private static let texts: Set<String> = ["owner", "note", "ahead", "request", "result", "clock"]

    /// The fields of a line, with `_` for the dashes in their names. Several keys make a list under `keys`;
    /// where there is always one, it is `key`.
    static func fields(of line: ReplyLine, hasOneKey: Bool = false) -> [(name: String, value: JSON)] {
        line.fields.map { field in
            let name = String(decoding: field.name.map { $0 == 0x2D ? 0x5F : $0 }, as: UTF8.self)
            let text = String(decoding: field.value, as: UTF8.self)
            if name == "key" {
                if hasOneKey { return ("key", .text(text)) }
                return ("keys", .list(text.split(separator: ",").map { .text(String($0)) }))
            }
            if texts.contains(name) { return (name, .text(Printed.decoded(field.value))) }
            if text == "yes" || text == "no" { return (name, .bool(text == "yes")) }
            if let number = UInt64(text) { return (name, .unsigned(number)) }
            if text.hasSuffix("ms"), let number = Int64(text.dropLast(2)) {
                return ("\(name)_ms", .number(number))
            }
            return (name, .text(Printed.decoded(field.value)))
        }
    }

    /// A whole reply: its status first.
    static func object(_ line: ReplyLine, _ status: ReplyStatus) -> JSON {
        var fields: [(name: String, value: JSON)] = [("status", .text(status.rawValue.lowercased()))]
        if status == .err {
            fields.append(("code", .text(Printed.decoded(line.word))))
            fields.append(("message", .text(String(decoding: line.message, as: UTF8.self))))
        }
        return .object(fields + self.fields(of: line, hasOneKey: status == .busy))
    }
}

extension ReplyLine {
    /// The field's value for people; nil where the line has none of that name.
    func shown(_ name: String) -> String? { value(name).map(Printed.shown) }

    func milliseconds(_ name: String) -> Int64? { number(name).flatMap { Int64(exactly: $0) } }
    func count(_ name: String) -> Int64 { milliseconds(name) ?? 0 }
}

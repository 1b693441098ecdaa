// What a line of the protocol says, read with nothing but the protocol's page in hand.

/// A request as a client sent it.
package struct Spoken {
    package let tag: String
    /// In small letters; empty where the line has no verb.
    package let verb: String
    /// Words without a `=`: keys, tokens, flags.
    package let words: [String]
    package let options: [String: String]

    package init(line: [UInt8]) {
        var rest = Spoken.split(line)[...]
        var tag = ""
        if let first = rest.first, first.hasPrefix("#"), Spoken.isTag(first.dropFirst()) {
            tag = String(first.dropFirst())
            rest = rest.dropFirst()
        }
        self.tag = tag
        verb = rest.first?.lowercased() ?? ""
        var words: [String] = []
        var options: [String: String] = [:]
        for word in rest.dropFirst() {
            if let mark = word.firstIndex(of: "="), !word[..<mark].contains("/") {
                options[String(word[..<mark])] = decoded(word[word.index(after: mark)...])
            } else {
                words.append(word.contains("/") ? decoded(word[...]) : word)
            }
        }
        self.words = words
        self.options = options
    }

    package var keys: [String] { words.filter { $0.contains("/") } }
    package var token: UInt64? { words.first.flatMap { UInt64($0) } }
    package func has(_ flag: String) -> Bool { words.contains(flag) }

    /// nil: not said. `forever` is longer than any run.
    package func span(_ name: String) -> Int64? {
        options[name].flatMap(Spoken.span)
    }

    package static func span(_ text: String) -> Int64? {
        if text == "forever" { return .max / 4 }
        let digits = text.prefix { $0.isNumber }
        guard let count = Int64(digits) else { return nil }
        switch text.dropFirst(digits.count) {
        case "ms": return count * 1_000_000
        case "s": return count * 1_000_000_000
        case "m": return count * 60_000_000_000
        case "h": return count * 3_600_000_000_000
        default: return nil
        }
    }

    private static func isTag(_ word: Substring) -> Bool {
        (1...32).contains(word.utf8.count)
            && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._:-".contains($0)) }
    }

    static func split(_ line: [UInt8]) -> [String] {
        line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }
            .map { String(decoding: $0, as: UTF8.self) }
    }
}

/// A line of a reply: its first words, and its fields.
package struct Told {
    /// `OK`, `BUSY`, `GONE`, `ERR`, or what a line within a reply begins with.
    package let status: String
    /// Of an `ERR`.
    package let code: String
    package let fields: [String: String]
    /// The first word behind the status that is no field.
    package let what: String

    package init(words: [String]) {
        status = words.first ?? ""
        code = status == "ERR" && words.count > 1 ? words[1] : ""
        var fields: [String: String] = [:]
        for word in words.dropFirst(status.contains("=") ? 0 : 1) {
            guard let mark = word.firstIndex(of: "=") else {
                if status == "ERR", word != code { break }
                continue
            }
            let name = String(word[..<mark])
            if fields[name] == nil { fields[name] = String(word[word.index(after: mark)...]) }
        }
        self.fields = fields
        what = words.dropFirst().first { !$0.contains("=") } ?? ""
    }

    package var token: UInt64? { number("token") }
    package func number(_ name: String) -> UInt64? { fields[name].flatMap { UInt64($0) } }
    package func span(_ name: String) -> Int64? { fields[name].flatMap(Spoken.span) }
    package func text(_ name: String) -> String? { fields[name].map { decoded($0[...]) } }
    package var keys: [String] {
        (fields["key"] ?? "").split(separator: ",").map { decoded($0) }
    }
}

/// Bytes behind `%XX`; what is no such thing stays.
func decoded(_ text: Substring) -> String {
    guard text.contains("%") else { return String(text) }
    var bytes: [UInt8] = []
    let source = Array(text.utf8)
    var index = 0
    while index < source.count {
        if source[index] == UInt8(ascii: "%"), index + 2 < source.count,
            let value = UInt8(String(decoding: source[index + 1...index + 2], as: UTF8.self), radix: 16)
        {
            bytes.append(value)
            index += 3
        } else {
            bytes.append(source[index])
            index += 1
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

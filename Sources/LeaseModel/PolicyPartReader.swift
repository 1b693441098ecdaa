// The parts in a policy's lines: names and allowed values of a kind, literals and stars of a pattern.

enum PolicyPartReader {
    /// Letters, digits, `-` and `_`, a letter first.
    static func requireName(_ word: PolicyWord, of what: String) throws(PolicyError) {
        guard let first = word.bytes.first, isLetter(first) else {
            throw word.error("the name of a \(what) begins with a letter; \(word.quoted) doesn't")
        }
        for index in word.bytes.indices where !isInName(word.bytes[index]) {
            throw word.error(
                "the name of a \(what) is made of letters, digits, \"-\" and \"_\"; "
                    + "\(word[index..<index + 1].quoted) is none of them",
                at: index)
        }
        guard word.bytes.count <= Limits.keyBytesMax - 2 else {
            throw word.error("the name of a \(what) has at most \(Limits.keyBytesMax - 2) bytes; shorten it")
        }
    }

    /// The parts of a `kind` line: `name` or `name:value,value`, at least one.
    static func parts(
        _ words: ArraySlice<PolicyWord>, of kind: PolicyWord
    ) throws(PolicyError) -> [Policy.Part] {
        var parts: [Policy.Part] = []
        for word in words {
            guard parts.count < Limits.keyPartsMax else {
                throw word.error("a kind has at most \(Limits.keyPartsMax) parts")
            }
            let part = try part(word)
            guard !parts.contains(where: { $0.name == part.name }) else {
                let name = PolicyWord.quoted(part.name)
                throw word.error("the part \(name) stands twice; give each its own name")
            }
            parts.append(part)
        }
        let shortest = parts.reduce(kind.bytes.count) { $0 + 1 + ($1.values.map(\.count).min() ?? 1) }
        guard shortest <= Limits.keyBytesMax else {
            throw kind.error(
                "no key of this kind would fit into \(Limits.keyBytesMax) bytes; shorten its name or values")
        }
        return parts
    }

    private static func part(_ word: PolicyWord) throws(PolicyError) -> Policy.Part {
        guard let colon = word.bytes.firstIndex(of: UInt8(ascii: ":")) else {
            try requireName(word, of: "part")
            return Policy.Part(name: word.bytes, values: [])
        }
        let name = word[0..<colon]
        try requireName(name, of: "part")
        var values: [[UInt8]] = []
        var seen: Set<[UInt8]> = []
        for piece in word[colon + 1..<word.bytes.count].pieces(partedBy: ",") {
            guard piece.bytes != [UInt8(ascii: "*")] else {
                throw piece.error("a part that takes any value is written without values: \(name.quoted)")
            }
            let value = try keyPart(piece)
            guard seen.insert(value).inserted else {
                let value = PolicyWord.quoted(value)
                throw piece.error("the value \(value) stands twice; leave one of them out")
            }
            values.append(value)
        }
        return Policy.Part(name: name.bytes, values: values)
    }

    /// The parts of a `key` line's pattern; nil stands for `*`.
    /// - Parameter allowed: the values of the kind's parts, of each part by themselves: a line may name
    ///   thousands, and thousands of patterns ask for one of them.
    static func pattern(
        _ pieces: ArraySlice<PolicyWord>, of kind: Policy.Kind, allowed: [Set<[UInt8]>], word: PolicyWord
    ) throws(PolicyError) -> [[UInt8]?] {
        guard pieces.count == kind.parts.count else {
            throw word.error(
                "the kind \(PolicyWord.quoted(kind.name)) has other parts; its keys look like "
                    + kind.wantedForm)
        }
        var parts: [[UInt8]?] = []
        for (piece, (part, allowed)) in zip(pieces, zip(kind.parts, allowed)) {
            if piece.bytes == [UInt8(ascii: "*")] {
                parts.append(nil)
                continue
            }
            let value = try keyPart(piece)
            guard allowed.isEmpty || allowed.contains(value) else {
                throw piece.error(
                    "\(PolicyWord.quoted(part.name)) can't be \(piece.quoted); line \(kind.line) allows "
                        + listed(part.values))
            }
            parts.append(value)
        }
        return parts
    }

    /// A pattern as bytes: two patterns are equal exactly when these are (a literal star is `%2A`).
    static func spelling(kind: [UInt8], _ parts: [[UInt8]?]) -> [UInt8] {
        parts.reduce(into: kind) { bytes, part in
            bytes.append(UInt8(ascii: "/"))
            bytes += part ?? [UInt8(ascii: "*")]
        }
    }

    /// A part of a key, decoded and written anew in its one spelling.
    static func keyPart(_ word: PolicyWord) throws(PolicyError) -> [UInt8] {
        guard !word.bytes.isEmpty else {
            throw word.error("a part of a key is missing here; none may be empty")
        }
        var printed: [UInt8] = []
        var index = 0
        while index < word.bytes.count {
            let raw = word.bytes[index]
            guard raw == UInt8(ascii: "%") || PercentCoding.isPlainInKey(raw) else {
                throw mustBeEncoded(word, index)
            }
            guard let byte = try? PercentCoding.decodeOne(word.bytes.span, at: &index) else {
                throw word.error(
                    "two hex digits must follow a \"%\"; the sign itself is written %25", at: index)
            }
            PercentCoding.append(byte, to: &printed, plain: PercentCoding.isPlainInKey)
        }
        return printed
    }

    private static func mustBeEncoded(_ word: PolicyWord, _ index: Int) -> PolicyError {
        let byte = word.bytes[index]
        var encoded: [UInt8] = []
        PercentCoding.append(byte, to: &encoded, plain: PercentCoding.isPlainInKey)
        let code = String(decoding: encoded, as: UTF8.self)
        guard byte != UInt8(ascii: "*") else {
            return word.error(
                "\"*\" stands for one whole part; the sign itself is written \(code)", at: index)
        }
        let sign = word[index..<index + 1].quoted
        return word.error("in a part of a key, \(sign) is written \(code)", at: index)
    }

    /// As many of the values as a message has room for.
    private static func listed(_ values: [[UInt8]]) -> String {
        let roomBytes = 120
        var shown = ""
        for value in values {
            guard shown.utf8.count + value.count <= roomBytes else { return shown + "..." }
            shown += String(decoding: value, as: UTF8.self) + ", "
        }
        return String(shown.dropLast(2))
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
    }

    private static func isInName(_ byte: UInt8) -> Bool {
        isLetter(byte) || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }
}

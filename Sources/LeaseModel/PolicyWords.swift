// A line of a policy file, cut into words that know where they stand.

/// A word, or a piece of one, with its place for messages.
struct PolicyWord {
    let bytes: [UInt8]
    let line: Int
    /// From 1, in bytes.
    let column: Int

    func error(_ message: String, at offset: Int = 0) -> PolicyError {
        PolicyError(line: line, column: column + offset, message: message)
    }

    /// The piece at these offsets.
    subscript(range: Range<Int>) -> PolicyWord {
        PolicyWord(bytes: Array(bytes[range]), line: line, column: column + range.lowerBound)
    }

    /// The pieces between the separators, empty ones too: one more than there are separators.
    func pieces(partedBy separator: Unicode.Scalar) -> [PolicyWord] {
        var pieces: [PolicyWord] = []
        var start = 0
        for index in bytes.indices where bytes[index] == UInt8(ascii: separator) {
            pieces.append(self[start..<index])
            start = index + 1
        }
        pieces.append(self[start..<bytes.count])
        return pieces
    }

    /// For a message, in quotation marks, its end left out where it is long.
    var quoted: String {
        PolicyWord.quoted(bytes)
    }

    static func quoted(_ bytes: [UInt8]) -> String {
        let shownMax = 60
        let shown = String(decoding: bytes.prefix(shownMax), as: UTF8.self)
        return bytes.count > shownMax ? "\"\(shown)...\"" : "\"\(shown)\""
    }
}

/// A line that says something.
struct PolicyLine {
    /// At least one.
    let words: [PolicyWord]
    let source: Policy.Line
    /// The column behind the last word: where something is missing.
    let endColumn: Int

    /// Takes a line without its end; nil where there is nothing in it but blanks and a comment.
    static func read(_ bytes: Span<UInt8>, number: Int) throws(PolicyError) -> PolicyLine? {
        guard bytes.count <= Limits.lineBytesMax else {
            throw PolicyError(
                line: number, column: Limits.lineBytesMax + 1,
                message: "this line has \(bytes.count) bytes; at most \(Limits.lineBytesMax) are read")
        }
        var words: [PolicyWord] = []
        var index = 0
        while let start = firstNotBlank(bytes, from: index), bytes[start] != UInt8(ascii: "#") {
            index = start
            while index < bytes.count, !isBlank(bytes[index]) {
                try requirePrintable(bytes[index], line: number, column: index + 1)
                index += 1
            }
            words.append(
                PolicyWord(bytes: bytes.extracting(start..<index).copied(), line: number, column: start + 1))
        }
        try requireNoControl(bytes, from: index, line: number)
        guard let first = words.first else { return nil }
        let text = bytes.extracting(first.column - 1..<index).copied()
        return PolicyLine(
            words: words, source: Policy.Line(number: number, text: text.map { $0 == tab ? space : $0 }),
            endColumn: index + 1)
    }

    /// What is said of something that is missing at the end.
    func endError(_ message: String) -> PolicyError {
        PolicyError(line: source.number, column: endColumn, message: message)
    }

    private static let tab = UInt8(ascii: "\t")
    private static let space = UInt8(ascii: " ")

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == space || byte == tab
    }

    private static func firstNotBlank(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < bytes.count, isBlank(bytes[index]) {
            index += 1
        }
        return index < bytes.count ? index : nil
    }

    private static func requirePrintable(
        _ byte: UInt8, line: Int, column: Int
    ) throws(PolicyError) {
        guard byte >= 0x80 else {
            return try requireNoControl(byte, line: line, column: column)
        }
        let hex = hex(byte)
        throw PolicyError(
            line: line, column: column,
            message: "the byte 0x\(hex) is not ASCII; in a part of a key it is written %\(hex)")
    }

    /// A comment may hold any letters, but no control characters: else a file whose lines end in CR alone
    /// would be one long comment.
    private static func requireNoControl(
        _ bytes: Span<UInt8>, from start: Int, line: Int
    ) throws(PolicyError) {
        for index in start..<bytes.count where !isBlank(bytes[index]) {
            try requireNoControl(bytes[index], line: line, column: index + 1)
        }
    }

    private static func requireNoControl(_ byte: UInt8, line: Int, column: Int) throws(PolicyError) {
        guard byte < 0x20 || byte == 0x7F else { return }
        let message =
            byte == UInt8(ascii: "\r")
            ? "there is a carriage return inside a line; lines end with LF or CR LF"
            : "there is a control character 0x\(hex(byte)); a policy is plain text"
        throw PolicyError(line: line, column: column, message: message)
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return byte < 0x10 ? "0" + digits : digits
    }
}

// Swift and C with their comments and texts blanked out, so that braces and words can be counted.

/// The code of a file, as bytes: what stands in a comment or between quotation marks has become spaces, but
/// for the ends of lines. What Swift interpolates into a text is blanked with it.
struct CodeText {
    let bytes: [UInt8]

    init(_ text: String, isC: Bool = false) {
        var blanker = Blanker(source: Array(text.utf8), isC: isC)
        bytes = blanker.run()
    }

    /// The line, from 1, in which a byte stands.
    func line(of index: Int) -> Int {
        1 + bytes[..<index].count { $0 == UInt8(ascii: "\n") }
    }

    var lines: [String] {
        String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}

private struct Blanker {
    let source: [UInt8]
    let isC: Bool
    var output: [UInt8] = []
    var index = 0

    init(source: [UInt8], isC: Bool) {
        self.source = source
        self.isC = isC
    }

    mutating func run() -> [UInt8] {
        while index < source.count {
            if at("//") {
                blank(until: \.isLineEnd)
            } else if at("/*") {
                blankComment()
            } else if let hashes = hashesBeforeQuote() {
                blankText(hashes: hashes)
            } else if isC, at("'") {
                blankCharacter()
            } else {
                output.append(source[index])
                index += 1
            }
        }
        return output
    }

    var isLineEnd: Bool { source[index] == UInt8(ascii: "\n") }

    private func at(_ word: String) -> Bool {
        source[index...].starts(with: word.utf8)
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where index < source.count {
            output.append(isLineEnd ? UInt8(ascii: "\n") : UInt8(ascii: " "))
            index += 1
        }
    }

    private mutating func blank(until isEnd: (Blanker) -> Bool) {
        while index < source.count, !isEnd(self) {
            blank()
        }
    }

    private mutating func blankComment() {
        var depth = 0
        repeat {
            if at("/*"), depth == 0 || !isC {
                depth += 1
                blank(2)
            } else if at("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while index < source.count && depth > 0
    }

    private mutating func blankCharacter() {
        blank()
        while index < source.count, !at("'"), !isLineEnd {
            blank(at("\\") ? 2 : 1)
        }
        blank()
    }

    /// How many `#` stand here before a quotation mark; nil where none begins.
    private func hashesBeforeQuote() -> Int? {
        var end = index
        while end < source.count, source[end] == UInt8(ascii: "#"), !isC {
            end += 1
        }
        return end < source.count && source[end] == UInt8(ascii: "\"") ? end - index : nil
    }

    private mutating func blankText(hashes: Int) {
        blank(hashes)
        let fence = String(repeating: "#", count: hashes)
        let quote = at("\"\"\"") && !isC ? "\"\"\"" : "\""
        blank(quote.utf8.count)
        while index < source.count, !at(quote + fence) {
            if at("\\" + fence + "("), !isC {
                blank(2 + hashes)
                blankInterpolation()
            } else if at("\\" + fence) {
                blank(2 + hashes)
            } else if quote.utf8.count == 1, isLineEnd {
                return
            } else {
                blank()
            }
        }
        blank(quote.utf8.count + hashes)
    }

    /// Up to the parenthesis that closes it; it may hold texts of its own.
    private mutating func blankInterpolation() {
        var depth = 1
        while index < source.count, depth > 0 {
            if let hashes = hashesBeforeQuote() {
                blankText(hashes: hashes)
                continue
            }
            if at("(") { depth += 1 }
            if at(")") { depth -= 1 }
            blank()
        }
    }
}

// Where functions begin and end.

/// A function, or a computed property, from the line of its first word to that of its last brace.
struct FunctionSpan: Equatable {
    let name: String
    let firstLine: Int
    let lastLine: Int

    var lineCount: Int { lastLine - firstLine + 1 }
}

extension CodeText {
    /// The functions of a Swift file, those inside others too.
    var swiftFunctions: [FunctionSpan] {
        var spans: [FunctionSpan] = []
        var index = 0
        while let word = nextWord(from: index) {
            index = word.upperBound
            let name = text(word)
            guard ["func", "init", "deinit", "subscript", "var"].contains(name), isDeclaration(word),
                let body = bodyStart(behind: word.upperBound, isVariable: name == "var")
            else { continue }
            let named = nextWord(from: index).map(text) ?? ""
            spans.append(
                FunctionSpan(
                    name: name == "func" || name == "var" ? named : name,
                    firstLine: line(of: word.lowerBound), lastLine: line(of: closingBrace(of: body))))
        }
        return spans
    }

    /// The functions of a C file: the outermost braces behind a parenthesis.
    var cFunctions: [FunctionSpan] {
        var spans: [FunctionSpan] = []
        var index = 0
        while let open = bytes[index...].firstIndex(of: UInt8(ascii: "{")) {
            let close = closingBrace(of: open)
            let before = bytes[..<open].last { !$0.isBlank }
            if before == UInt8(ascii: ")") {
                let line = line(of: open)
                spans.append(
                    FunctionSpan(name: lines[line - 1], firstLine: line, lastLine: self.line(of: close)))
            }
            index = close + 1
        }
        return spans
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    private func nextWord(from start: Int) -> Range<Int>? {
        guard let first = bytes[start...].firstIndex(where: \.isInWord) else { return nil }
        let end = bytes[first...].firstIndex { !$0.isInWord } ?? bytes.count
        return first..<end
    }

    /// Not the `init` of a call (`.init`, `self.init`), and no word of a longer name.
    private func isDeclaration(_ word: Range<Int>) -> Bool {
        guard word.lowerBound > 0 else { return true }
        let before = bytes[word.lowerBound - 1]
        return before.isBlank || before == UInt8(ascii: "{")
    }

    /// The brace that opens the body, if there is one: a property that is stored has none.
    private func bodyStart(behind start: Int, isVariable: Bool) -> Int? {
        var depth = 0
        for index in start..<bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "{") where depth == 0: return index
            case UInt8(ascii: "}") where depth == 0: return nil
            case UInt8(ascii: "="), UInt8(ascii: "\n"):
                if isVariable, depth == 0 { return nil }
            default: break
            }
            if depth < 0 { return nil }
        }
        return nil
    }

    private func closingBrace(of open: Int) -> Int {
        var depth = 0
        for index in open..<bytes.count {
            if bytes[index] == UInt8(ascii: "{") { depth += 1 }
            if bytes[index] == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { return index }
        }
        return bytes.count - 1
    }
}

extension UInt8 {
    fileprivate var isInWord: Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= self | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= self
            || self == UInt8(ascii: "_") || self >= 0x80
    }

    fileprivate var isBlank: Bool {
        self == UInt8(ascii: " ") || self == UInt8(ascii: "\n") || self == UInt8(ascii: "\t")
    }
}

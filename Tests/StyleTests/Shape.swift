// The shape of a file: its columns, its functions, its first sentence.

enum Shape {
    static let columnsMax = 110
    static let functionLinesMax = 70

    static func columnFaults(_ file: SourceFile) -> [String] {
        guard file.isSwift || file.isC, file.isBelow(["Sources", "Tests", "clients"]) else { return [] }
        return file.lines.enumerated().filter { $0.element.count > columnsMax }
            .map { "\(file.path):\($0.offset + 1): \($0.element.count) columns" }
    }

    static func functionFaults(_ file: SourceFile) -> [String] {
        guard file.isSwift || file.isC, file.isBelow(["Sources", "Tests", "clients"]) else { return [] }
        let code = CodeText(file.text, isC: file.isC)
        return (file.isC ? code.cFunctions : code.swiftFunctions).filter { $0.lineCount > functionLinesMax }
            .map { "\(file.path):\($0.firstLine): \($0.name) has \($0.lineCount) lines" }
    }

    /// The file's idea, in a sentence, before anything else. A file in which nothing stands has none.
    static func openingFaults(_ file: SourceFile) -> [String] {
        guard file.isSwift || file.isC, file.isBelow(["Sources", "Tests", "clients"]), !file.text.isEmpty
        else { return [] }
        let comment = file.lines.prefix { $0.hasPrefix("// ") }.map { $0.dropFirst(3) }
        let isSentence = comment.last?.hasSuffix(".") == true && comment[0].contains(" ")
        return isSentence ? [] : ["\(file.path): it does not begin with a sentence on what it is for"]
    }

    static func headerFaults(_ file: SourceFile) -> [String] {
        let macro = "_GNU_SOURCE"
        guard file.path.hasSuffix(".h") else { return [] }
        let code = CodeText(file.text, isC: true).lines
        return code.contains { $0.contains(macro) }
            ? ["\(file.path): \(macro) in a header clashes with Swift's own module of Glibc"] : []
    }
}

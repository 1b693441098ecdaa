// What lies where, what the manifest may say, and what no file may mention.

enum Tree {
    static func topLevelFaults(_ names: [String]) -> [String] {
        let allowed: Set<String> = ["Package.swift", "Sources", "Tests", "protocol", "clients", "README.md"]
        return names.filter { !allowed.contains($0) && !$0.hasPrefix(".") }
            .map { "\($0) has no place at the top level" }
    }

    static func manifestFaults(_ manifest: SourceFile) -> [String] {
        let code = CodeText(manifest.text).lines.joined(separator: "\n")
        return [".package(", "unsafeFlags"].filter { code.contains($0) }
            .map { "\(manifest.path): \($0) has no place in it" }
    }

    /// Places of one machine, and papers that are not part of the repository. In pieces, so that this file
    /// does not mention them.
    private static let unmentionable: [String] = [
        "/" + "work/", "/" + "farm/", "/" + "home/", ".." + "/shared", "DESIGN" + ".md", "STYLE" + ".md",
    ]

    /// A directory of that name inside a longer path is no place of a machine.
    static func mentionFaults(_ file: SourceFile) -> [String] {
        file.lines.enumerated().flatMap { number, line in
            unmentionable.filter { mentions(line, $0) }.map { word in
                "\(file.path):\(number + 1): it mentions \(word)"
            }
        }
    }

    private static func mentions(_ line: Substring, _ word: String) -> Bool {
        var rest = line
        while let found = rest.firstRange(of: word) {
            let before = rest[..<found.lowerBound].last
            let isInsidePath = before.map { $0.isLetter || $0.isNumber || "_-.}".contains($0) } ?? false
            if !isInsidePath || !word.hasPrefix("/") { return true }
            rest = rest[found.upperBound...]
        }
        return false
    }
}

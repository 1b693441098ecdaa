// What `protocol/PROTOCOL.md` and the code must both say: the codes of errors, and the bounds.

enum ProtocolPage {
    // The code's side.

    /// The codes of the cases in `ErrorCode.swift`.
    static func codes(ofEnum source: String) -> [String] {
        source.split(separator: "\n").compactMap { line -> String? in
            let words = line.split(separator: " ")
            guard words.first == "case", words.count > 1 else { return nil }
            guard let quoted = line.split(separator: "\"", omittingEmptySubsequences: false).dropFirst().first
            else { return String(words[1]) }
            return String(quoted)
        }
    }

    /// The bounds in `Limits.swift` that can be set, by flag, with their defaults as people write them.
    static func bounds(ofLimits source: String) -> [(flag: String, usual: String)] {
        source.split(separator: "\n").compactMap { line -> (flag: String, usual: String)? in
            let words = line.split(separator: " ")
            guard words.starts(with: ["public", "var"]), words.count > 4, words[2].hasSuffix("Max"),
                words[3] == "="
            else { return nil }
            return ("--" + dashed(words[2]), usual(words[4...]))
        }
    }

    private static func dashed(_ name: Substring) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? "-" + $1.lowercased() : String($1) }
    }

    /// `8_000` is written 8,000, and `2 << 20` 2,097,152.
    private static func usual(_ words: ArraySlice<Substring>) -> String {
        let numbers = words.compactMap { Int($0.filter { $0 != "_" }) }
        guard let first = numbers.first else { return "a number" }
        let digits = String(numbers.count > 1 ? first << numbers[1] : first)
        return digits.enumerated().reduce(into: "") { text, digit in
            let left = digits.count - digit.offset
            text += (digit.offset > 0 && left % 3 == 0 ? "," : "") + String(digit.element)
        }
    }

    // The page's side.

    /// The first cells of the table under `## Errors`.
    static func codes(onPage page: String) -> [String] {
        var isUnderErrors = false
        var codes: [String] = []
        for line in page.split(separator: "\n") {
            if line.hasPrefix("## ") { isUnderErrors = line == "## Errors" }
            if isUnderErrors, line.hasPrefix("| `") {
                codes.append(String(line.dropFirst(3).prefix { $0 != "`" }))
            }
        }
        return codes
    }

    /// Codes that stand behind an `ERR` anywhere.
    static func codesInReplies(onPage page: String) -> [String] {
        var codes: [String] = []
        var rest = page[...]
        while let found = rest.firstRange(of: "ERR ") {
            rest = rest[found.upperBound...]
            let code = rest.prefix { $0.isLowercase || $0 == "-" }
            if !code.isEmpty { codes.append(String(code)) }
        }
        return codes
    }

    /// Every `--…-max`.
    static func flags(onPage page: String) -> [String] {
        var flags: [String] = []
        var rest = page[...]
        while let found = rest.firstRange(of: "--") {
            let flag = rest[found.lowerBound...].prefix { $0 == "-" || $0.isLowercase }
            if flag.hasSuffix("-max") { flags.append(String(flag)) }
            rest = rest[flag.endIndex...]
        }
        return flags
    }

    // Both.

    static func codeFaults(page: String, errorCodes source: String) -> [String] {
        let (known, listed) = (codes(ofEnum: source), codes(onPage: page))
        let missing = known.filter { !listed.contains($0) }.map { "the code \($0) is not listed" }
        let unknown = (listed + codesInReplies(onPage: page)).filter { !known.contains($0) }
            .map { "there is no code \($0)" }
        let double = Set(listed).count < listed.count ? ["a code is listed twice"] : []
        return missing + unknown + double
    }

    static func boundFaults(page: String, limits source: String) -> [String] {
        let known = bounds(ofLimits: source)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("|") }
        let missing = known.filter { bound in
            !rows.contains { $0.contains("`\(bound.flag)`") && $0.contains(" \(bound.usual) ") }
        }
        let unknown = flags(onPage: page).filter { flag in !known.contains { $0.flag == flag } }
        return missing.map { "no row of a table has \($0.flag) and \($0.usual)" }
            + unknown.map { "there is no flag \($0)" }
    }
}

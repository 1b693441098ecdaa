// A policy file's text to a policy: its kinds, patterns and rules.

/// What is wrong with a policy file, where, and what to write instead.
public struct PolicyError: Error, Equatable, Sendable {
    /// From 1.
    public let line: Int
    /// From 1, in bytes.
    public let column: Int
    /// One sentence.
    public let message: String

    public init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }
}

/// Reads policy files.
public enum PolicyReader {
    /// Takes the whole file, of any bytes; the caller bounds its size by `Limits.policyBytesMax`. A file that
    /// says nothing gives a policy without kinds, which refuses every key.
    public static func read(_ bytes: Span<UInt8>) throws(PolicyError) -> Policy {
        var draft = PolicyDraft()
        var start = 0
        var number = 1
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") {
                end += 1
            }
            let hasReturn = end > start && bytes[end - 1] == UInt8(ascii: "\r")
            let text = bytes.extracting(start..<(hasReturn ? end - 1 : end))
            if let line = try PolicyLine.read(text, number: number) {
                try draft.take(line)
            }
            start = end + 1
            number += 1
        }
        return Policy(kinds: draft.kinds, patterns: draft.patterns, source: draft.source)
    }
}

/// What the lines up to here have said.
private struct PolicyDraft {
    var kinds: [Policy.Kind] = []
    var patterns: [Policy.Pattern] = []
    var source: [Policy.Line] = []
    /// The place of each kind in `kinds`, by name.
    private var kindPlaces: [[UInt8]: Int] = [:]
    /// For each kind the values that its parts may have, where it names them.
    private var allowed: [[Set<[UInt8]>]] = []
    /// The line of each pattern, by its one spelling.
    private var patternLines: [[UInt8]: Int] = [:]

    mutating func take(_ line: PolicyLine) throws(PolicyError) {
        let verb = line.words[0]
        switch String(decoding: verb.bytes, as: UTF8.self) {
        case "kind": try takeKind(line)
        case "key": try takePattern(line)
        default:
            let words = ["kind", "key"].map { Array($0.utf8) }
            let meant = PolicyDraft.question(Suggestion.nearest(to: verb.bytes, among: words))
            throw verb.error("a line begins with \"kind\" or \"key\", not with \(verb.quoted)\(meant)")
        }
        source.append(line.source)
    }

    private mutating func takeKind(_ line: PolicyLine) throws(PolicyError) {
        guard line.words.count > 1 else {
            throw line.endError("the kind's name is missing, as in \"kind user id limit=1\"")
        }
        let name = line.words[1]
        try PolicyPartReader.requireName(name, of: "kind")
        if let place = kindPlaces[name.bytes] {
            throw name.error(
                "the kind \(name.quoted) stands already in line \(kinds[place].line); rules for some of its "
                    + "keys go into a \"key\" line")
        }
        let firstRule = line.words.firstIndex(where: PolicyRuleReader.isRule) ?? line.words.count
        guard firstRule > 2 else {
            let message = "the kind \(name.quoted) needs at least one part, as in \"kind user id limit=1\""
            throw firstRule < line.words.count ? line.words[firstRule].error(message) : line.endError(message)
        }
        let parts = try PolicyPartReader.parts(line.words[2..<firstRule], of: name)
        try requireOnlyRules(line.words[firstRule...])
        let rules = try PolicyRuleReader.read(line.words[firstRule...])
        kindPlaces[name.bytes] = kinds.count
        allowed.append(parts.map { Set($0.values) })
        kinds.append(Policy.Kind(name: name.bytes, parts: parts, rules: rules, line: line.source.number))
    }

    private func requireOnlyRules(_ words: ArraySlice<PolicyWord>) throws(PolicyError) {
        for word in words where !PolicyRuleReader.isRule(word) {
            throw word.error("\(word.quoted) stands behind a rule; parts come before the rules")
        }
    }

    private mutating func takePattern(_ line: PolicyLine) throws(PolicyError) {
        guard line.words.count > 1 else {
            throw line.endError("the pattern is missing, as in \"key user/vip-7 limit=4\"")
        }
        let word = line.words[1]
        let pieces = word.pieces(partedBy: "/")
        guard pieces.count > 1 else {
            throw word.error(
                "\(word.quoted) is no pattern; one is written KIND/PART, as in user/vip-7 or species/*/video")
        }
        let place = try placeOfKind(pieces[0])
        let kind = kinds[place]
        let parts = try PolicyPartReader.pattern(
            pieces.dropFirst(), of: kind, allowed: allowed[place], word: word)
        let spelling = PolicyPartReader.spelling(kind: kind.name, parts)
        if let earlier = patternLines[spelling] {
            throw word.error(
                "the pattern \(word.quoted) stands already in line \(earlier); make one line of both")
        }
        guard spelling.count <= Limits.keyBytesMax else {
            throw word.error("no key is that long; a key has at most \(Limits.keyBytesMax) bytes")
        }
        let rules = try PolicyRuleReader.read(line.words[2...])
        patternLines[spelling] = line.source.number
        patterns.append(
            Policy.Pattern(kind: kind.name, parts: parts, rules: rules, line: line.source.number))
    }

    /// Of a line above this one.
    private func placeOfKind(_ piece: PolicyWord) throws(PolicyError) -> Int {
        guard piece.bytes != [UInt8(ascii: "*")] else {
            throw piece.error("a pattern names its kind; \"*\" stands only for a part behind it")
        }
        let name = try PolicyPartReader.keyPart(piece)
        if let place = kindPlaces[name] { return place }
        let meant = PolicyDraft.question(Suggestion.nearest(to: name, among: kinds.map(\.name)))
        throw piece.error("no line above this one has the kind \(PolicyWord.quoted(name))\(meant)")
    }

    private static func question(_ meant: [UInt8]?) -> String {
        guard let meant else { return "" }
        return "; did you mean \(PolicyWord.quoted(meant))?"
    }
}

// A policy laid out for look-ups: binary searches over bytes, with no allocation for a key that is found.

/// The kinds by name, each with its patterns. Patterns in which the same parts are literal form a group, in
/// which at most one fits a key; the groups stand most specific first.
struct PolicyIndex: Sendable {
    let entries: [KindEntry]

    init(kinds: [Policy.Kind], patterns: [Policy.Pattern]) {
        let patternsByKind = Dictionary(grouping: patterns, by: \.kind)
        entries = kinds.indices
            .map { KindEntry(kinds[$0], place: $0, patterns: patternsByKind[kinds[$0].name] ?? []) }
            .sorted { KeyOrder.compare($0.name, $0.name.indices, $1.name) < 0 }
    }

    /// The entry for the key's kind.
    func place(of key: KeyParts) -> Int? {
        place(ofKind: key.bytes.span.extracting(key.range(0)))
    }

    func place(ofKindOf key: Key) -> Int? {
        let bytes = key.bytes.span
        var end = 0
        while end < bytes.count, bytes[end] != UInt8(ascii: "/") {
            end += 1
        }
        return place(ofKind: bytes.extracting(0..<end))
    }

    private func place(ofKind name: Span<UInt8>) -> Int? {
        KeyOrder.find(entries.count) { KeyOrder.compare(name, entries[$0].name) }
    }
}

/// One kind, with all that is said of its keys. (An object: as a struct it would be copied for each look.)
final class KindEntry: Sendable {
    let name: [UInt8]
    /// Its place in the policy's `kinds`.
    let place: Int
    /// For each part its allowed values, sorted; none: any value.
    let values: [[[UInt8]]]
    private let own: GivenRules
    /// Of its keys, where there are no patterns.
    private let ownRules: Rules
    private let groups: [PatternGroup]

    init(_ kind: Policy.Kind, place: Int, patterns: [Policy.Pattern]) {
        name = kind.name
        self.place = place
        values = kind.parts.map { $0.values.sorted { KeyOrder.compare($0, $0.indices, $1) < 0 } }
        own = GivenRules(kind.rules, line: kind.line)
        ownRules = own.rules
        groups = PatternGroup.groups(of: patterns.filter { $0.parts.count == kind.parts.count })
    }

    /// The first part whose value is none of those allowed. The key must have as many parts as the kind.
    func firstWrongPart(_ key: KeyParts) -> Int? {
        for part in values.indices where !values[part].isEmpty {
            let range = key.range(part + 1)
            let found = KeyOrder.find(values[part].count) {
                KeyOrder.compare(key.bytes, range, values[part][$0])
            }
            if found == nil { return part }
        }
        return nil
    }

    /// The key must have as many parts as the kind. Most kinds have no patterns.
    func rules(_ key: KeyParts) -> Rules {
        groups.isEmpty ? ownRules : given(key).rules
    }

    /// The same, each with the line that gave it.
    func given(_ key: KeyParts) -> GivenRules {
        guard !groups.isEmpty else { return own }
        var rules = GivenRules([], line: 0)
        for group in groups {
            if let found = group.rules(key) { rules.fill(from: found) }
        }
        rules.fill(from: own)
        return rules
    }
}

/// The patterns of a kind in which the same parts are literal.
struct PatternGroup: Sendable {
    /// One pattern: the literals alone, in the order of their parts.
    private struct Entry {
        let literals: [[UInt8]]
        let rules: GivenRules
    }

    private let literalParts: [Int]
    /// Sorted by literals.
    private let entries: [Entry]

    private init(literalParts: [Int], patterns: [Policy.Pattern]) {
        self.literalParts = literalParts
        entries = patterns
            .map { Entry(literals: $0.parts.compactMap { $0 }, rules: GivenRules($0.rules, line: $0.line)) }
            .sorted { PatternGroup.compare($0.literals, $1.literals) < 0 }
    }

    /// Most specific first: more literal parts, then the literal further left.
    static func groups(of patterns: [Policy.Pattern]) -> [PatternGroup] {
        let byLiterals = Dictionary(grouping: patterns) { pattern in
            pattern.parts.indices.filter { pattern.parts[$0] != nil }
        }
        return byLiterals
            .map { PatternGroup(literalParts: $0.key, patterns: $0.value) }
            .sorted { $0.isMoreSpecific(than: $1) }
    }

    private func isMoreSpecific(than other: PatternGroup) -> Bool {
        let (count, otherCount) = (literalParts.count, other.literalParts.count)
        if count != otherCount { return count > otherCount }
        return literalParts.lexicographicallyPrecedes(other.literalParts)
    }

    func rules(_ key: KeyParts) -> GivenRules? {
        let place = KeyOrder.find(entries.count) { compare(key, entries[$0].literals) }
        return place.map { entries[$0].rules }
    }

    private func compare(_ key: KeyParts, _ literals: [[UInt8]]) -> Int {
        for place in literalParts.indices {
            let order = KeyOrder.compare(key.bytes, key.range(literalParts[place] + 1), literals[place])
            if order != 0 { return order }
        }
        return 0
    }

    private static func compare(_ left: [[UInt8]], _ right: [[UInt8]]) -> Int {
        for (one, other) in zip(left, right) {
            let order = KeyOrder.compare(one, one.indices, other)
            if order != 0 { return order }
        }
        return 0
    }
}

/// A key with the places of its parts, the kind being part 0; found without an allocation.
struct KeyParts {
    let bytes: [UInt8]
    /// With the kind; `Int.max` where there are more than any kind may have.
    private(set) var count = 1
    /// Where each part begins, and where the next would.
    private var starts = InlineArray<18, Int>(repeating: 0)

    init(_ key: Key) {
        bytes = key.bytes
        for index in bytes.indices where bytes[index] == UInt8(ascii: "/") {
            guard count <= Limits.keyPartsMax + 1 else {
                count = .max
                return
            }
            starts[count] = index + 1
            count += 1
        }
        starts[count] = bytes.count + 1
    }

    func range(_ part: Int) -> Range<Int> {
        starts[part]..<starts[part + 1] - 1
    }
}

/// One order of byte strings, by length and then by bytes: the quickest to tell, and no person sees it.
private enum KeyOrder {
    /// Negative, 0 or positive, as `left` comes before `right`, is equal, or comes after.
    static func compare(_ left: Span<UInt8>, _ right: [UInt8]) -> Int {
        if left.count != right.count { return left.count - right.count }
        for offset in right.indices where left[offset] != right[offset] {
            return Int(left[offset]) - Int(right[offset])
        }
        return 0
    }

    static func compare(_ left: [UInt8], _ range: Range<Int>, _ right: [UInt8]) -> Int {
        compare(left.span.extracting(range), right)
    }

    /// The place where `order` is 0, in what is sorted so that it falls from positive to negative.
    static func find(_ count: Int, _ order: (Int) -> Int) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            let found = order(middle)
            if found == 0 { return middle }
            if found > 0 {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return nil
    }
}

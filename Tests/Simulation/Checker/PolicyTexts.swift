// What the policy said and when: as a reload may come at any moment, a law asks for all that may have held.

/// What a kind's policy says.
package struct KindRules {
    package var limit: Int
    package var queue: Int?
    package var ttl: Int64
    package var maxTTL: Int64?
    package var maxHold: Int64?
    package var maxWait: Int64?
    package var maxPriority: Int64?
    package var keep: Int64?
    package var lockDelay: Int64?
    /// At most so many grants in any window of that length.
    package var rate: (grants: Int, window: Int64)?
    /// Who has stood longest in a full line goes.
    package var dropsOldest = false

    package init(limit: Int, ttl: Int64) {
        self.limit = limit
        self.ttl = ttl
    }

    static let plain = KindRules(limit: 1, ttl: 30_000_000_000)
}

/// One text of the policy: kinds by their name.
package typealias KindTable = [String: KindRules]

/// The texts that there were, in order.
struct RuleBook {
    private struct Text {
        let rules: KindTable
        /// It was written then.
        let from: Int64
    }

    private var texts: [Text] = []
    /// From then on the text of that number, or a later one, was in force.
    private var adopted: [(number: Int, by: Int64)] = []

    init(_ rules: KindTable) { texts = [Text(rules: rules, from: .min)] }

    var newest: Int { texts.count - 1 }
    /// Whether all that there was is the one text.
    var isOne: Bool { texts.count == 1 }

    mutating func write(_ rules: KindTable, at time: Int64) { texts.append(Text(rules: rules, from: time)) }

    mutating func adopt(_ number: Int, by time: Int64) { adopted.append((number, time)) }

    /// The number of the text that stood there at that time.
    func number(at time: Int64) -> Int { texts.lastIndex { $0.from <= time } ?? 0 }

    /// All that may have been in force at some moment of that time.
    func between(_ from: Int64, _ to: Int64) -> ArraySlice<KindTable> {
        guard texts.count > 1 else { return texts.map(\.rules)[...] }
        let first = adopted.filter { $0.by < from }.map(\.number).max() ?? 0
        let last = max(first, number(at: to))
        return texts[first...last].map(\.rules)[...]
    }
}

extension History {
    package mutating func policyWritten(_ rules: KindTable, at time: Int64) { book.write(rules, at: time) }

    func rules(of key: String, _ from: Int64, _ to: Int64) -> [KindRules?] {
        let kind = String(key.prefix { $0 != "/" })
        return book.between(from, to).map { $0[kind] }
    }

    /// The most slots that the key may have had. A lease of a kind that is gone has the plain rules.
    func limit(of key: String, _ from: Int64, _ to: Int64) -> Int {
        rules(of: key, from, to).map { ($0 ?? .plain).limit }.max() ?? 1
    }

    /// The least of a bound that surely held for one of the keys; nil: maybe none did.
    func surely(_ keys: [String], _ from: Int64, _ to: Int64, _ bound: (KindRules) -> Int64?) -> Int64? {
        keys.compactMap { key -> Int64? in
            let bounds = rules(of: key, from, to).map { $0.flatMap(bound) }
            return bounds.contains { $0 == nil } ? nil : bounds.compactMap { $0 }.max()
        }.min()
    }

    /// All values that a bound may have had for some of the keys.
    func maybe(_ keys: [String], _ from: Int64, _ to: Int64, _ bound: (KindRules) -> Int64?) -> [Int64] {
        keys.flatMap { key in rules(of: key, from, to).compactMap { $0.flatMap(bound) } }
    }

    /// Whether one of the keys may have been of no kind that there was.
    func mayBeUnknown(_ keys: [String], _ from: Int64, _ to: Int64) -> Bool {
        keys.contains { rules(of: $0, from, to).contains { $0 == nil } }
    }
}

// The rules of a key: rule by rule, what the most specific line of the policy says.

extension Policy {
    /// The rules that hold for a key. Made for the hot path: a key of the policy costs no allocation. A
    /// default ttl that is longer than the `max-ttl` from another line is cut to it.
    public func rules(for key: Key) throws(UnknownKey) -> Rules {
        let parts = KeyParts(key)
        return index.entries[try place(of: parts)].rules(parts)
    }

    /// The same rules; nil for a key that the policy does not know, where nobody asks why: what was meant is
    /// looked for among all kinds.
    public func rulesIfKnown(for key: Key) -> Rules? {
        let parts = KeyParts(key)
        guard let place = index.place(of: parts) else { return nil }
        let entry = index.entries[place]
        let isKnown = parts.count == entry.values.count + 1 && entry.firstWrongPart(parts) == nil
        return isKnown ? entry.rules(parts) : nil
    }

    /// The same rules, each with the line that gave it, in the order of `Policy.Rule`. What no line
    /// gave is left out, but for `limit`. A default ttl that was cut names the line of `max-ttl`.
    public func origins(for key: Key) throws(UnknownKey) -> [Origin] {
        let parts = KeyParts(key)
        return index.entries[try place(of: parts)].given(parts).origins
    }

    /// Where the key's kind stands among `kinds`; nil: it is none of them.
    public func placeOfKind(of key: Key) -> Int? {
        index.place(ofKindOf: key).map { index.entries[$0].place }
    }

    /// Where its kind's entry stands, if the kind has such keys.
    private func place(of parts: KeyParts) throws(UnknownKey) -> Int {
        guard let place = index.place(of: parts) else { throw unknownKind(parts) }
        let entry = index.entries[place]
        guard parts.count == entry.values.count + 1 else {
            throw .parts(kind: entry.name, wanted: kinds[entry.place].wantedForm)
        }
        if let wrong = entry.firstWrongPart(parts) {
            let part = kinds[entry.place].parts[wrong]
            throw .value(part: part.name, allowed: part.values)
        }
        return place
    }

    private func unknownKind(_ parts: KeyParts) -> UnknownKey {
        let name = Array(parts.bytes[parts.range(0)])
        return .kind(name: name, meant: Suggestion.nearest(to: name, among: kinds.map(\.name)))
    }
}

extension Policy.Kind {
    /// How the keys of this kind look, for a message: `species/ID/image|video`; the name where that is long.
    var wantedForm: String {
        let valuesBytesMax = 60
        return parts.reduce(String(decoding: name, as: UTF8.self)) { form, part in
            let values = Array(part.values.joined(separator: [UInt8(ascii: "|")]))
            let isShort = !values.isEmpty && values.count <= valuesBytesMax
            let shown = String(decoding: isShort ? values : part.name, as: UTF8.self)
            return form + "/" + (isShort ? shown : shown.uppercased())
        }
    }
}

/// What one line, or several together, say of each rule, with the line that did.
struct GivenRules {
    struct Given<Value: Sendable>: Sendable {
        let value: Value
        let line: Int
    }

    private(set) var limit: Given<Int>?
    private(set) var ttl: Given<Duration>?
    private(set) var maxTTL: Given<Duration>?
    private(set) var maxHold: Given<Duration>?
    private(set) var maxWait: Given<Duration>?
    private(set) var maxPriority: Given<Int>?
    private(set) var queue: Given<Int>?
    private(set) var overflow: Given<Overflow>?
    private(set) var rate: Given<Rate>?
    private(set) var keep: Given<Duration>?
    private(set) var lockDelay: Given<Duration>?

    init(_ rules: [Policy.Rule], line: Int) {
        for rule in rules {
            switch rule {
            case .limit(let slots): limit = Given(value: slots, line: line)
            case .ttl(let span): ttl = Given(value: span, line: line)
            case .maxTTL(let span): maxTTL = Given(value: span, line: line)
            case .maxHold(let span): maxHold = Given(value: span, line: line)
            case .maxWait(let span): maxWait = Given(value: span, line: line)
            case .maxPriority(let step): maxPriority = Given(value: step, line: line)
            case .queue(let length): queue = Given(value: length, line: line)
            case .overflow(let overflow): self.overflow = Given(value: overflow, line: line)
            case .rate(let rate): self.rate = Given(value: rate, line: line)
            case .keep(let span): keep = Given(value: span, line: line)
            case .lockDelay(let span): lockDelay = Given(value: span, line: line)
            }
        }
    }

    /// Takes from a less specific line what is not yet said.
    mutating func fill(from other: GivenRules) {
        limit = limit ?? other.limit
        ttl = ttl ?? other.ttl
        maxTTL = maxTTL ?? other.maxTTL
        maxHold = maxHold ?? other.maxHold
        maxWait = maxWait ?? other.maxWait
        maxPriority = maxPriority ?? other.maxPriority
        queue = queue ?? other.queue
        overflow = overflow ?? other.overflow
        rate = rate ?? other.rate
        keep = keep ?? other.keep
        lockDelay = lockDelay ?? other.lockDelay
    }

    private var defaultTTL: Given<Duration>? {
        guard let ttl, let maxTTL, ttl.value > maxTTL.value else { return ttl }
        return maxTTL
    }

    var rules: Rules {
        var rules = Rules(
            limit: limit?.value ?? 1, defaultTTL: defaultTTL?.value, maxTTL: maxTTL?.value,
            queue: queue?.value)
        rules.maxHold = maxHold?.value
        rules.maxWait = maxWait?.value
        rules.maxPriority = maxPriority?.value
        rules.overflow = overflow?.value ?? .refuse
        rules.rate = rate?.value
        rules.keep = keep?.value
        rules.lockDelay = lockDelay?.value
        return rules
    }

    var origins: [Policy.Origin] {
        var origins = [Policy.Origin(rule: .limit(limit?.value ?? 1), line: limit?.line ?? 0)]
        func add<Value>(_ given: Given<Value>?, _ rule: (Value) -> Policy.Rule) {
            guard let given else { return }
            origins.append(Policy.Origin(rule: rule(given.value), line: given.line))
        }
        add(defaultTTL, Policy.Rule.ttl)
        add(maxTTL, Policy.Rule.maxTTL)
        add(maxHold, Policy.Rule.maxHold)
        add(maxWait, Policy.Rule.maxWait)
        add(maxPriority, Policy.Rule.maxPriority)
        add(queue, Policy.Rule.queue)
        add(overflow, Policy.Rule.overflow)
        add(rate, Policy.Rule.rate)
        add(keep, Policy.Rule.keep)
        add(lockDelay, Policy.Rule.lockDelay)
        return origins
    }
}

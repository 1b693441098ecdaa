// The rules at the end of a policy's lines: `name=value` words to values.

enum PolicyRuleReader {
    private static let names = [
        "limit", "ttl", "max-ttl", "max-hold", "max-wait", "max-priority", "queue", "overflow", "rate",
        "keep", "lock-delay",
    ]

    static func isRule(_ word: PolicyWord) -> Bool {
        word.bytes.contains(UInt8(ascii: "="))
    }

    /// Reads the rest of a line, which must be rules: each once, and at one with each other.
    static func read(_ words: ArraySlice<PolicyWord>) throws(PolicyError) -> [Policy.Rule] {
        var rules: [Policy.Rule] = []
        var names: Set<String> = []
        for word in words {
            let (name, value) = try split(word)
            guard names.insert(name).inserted else {
                throw word.error("\(name)= stands twice in this line; leave one of them out")
            }
            rules.append(try rule(name, value, of: word))
        }
        try requireDefaultWithinMax(rules, words)
        return rules
    }

    private static func split(_ word: PolicyWord) throws(PolicyError) -> (name: String, value: PolicyWord) {
        guard let equals = word.bytes.firstIndex(of: UInt8(ascii: "=")) else {
            throw word.error("\(word.quoted) is no rule; a rule is written NAME=VALUE, as in limit=1")
        }
        let name = String(decoding: word.bytes[..<equals], as: UTF8.self)
        return (name, word[equals + 1..<word.bytes.count])
    }

    private static func rule(
        _ name: String, _ value: PolicyWord, of word: PolicyWord
    ) throws(PolicyError) -> Policy.Rule {
        switch name {
        case "limit": return .limit(try count(name, value, 1...Limits.slotsPerKeyMax))
        case "queue": return .queue(try count(name, value, 0...Limits.queuePerKeyMax))
        case "overflow": return .overflow(try overflow(value))
        case "rate": return .rate(try rate(value))
        case "max-priority": return .maxPriority(try count(name, value, 0...Limits.priorityMax))
        case "ttl": return .ttl(try duration(name, value))
        case "max-ttl": return .maxTTL(try duration(name, value))
        case "max-hold": return .maxHold(try duration(name, value))
        case "max-wait": return .maxWait(try duration(name, value))
        case "keep": return .keep(try duration(name, value))
        case "lock-delay": return .lockDelay(try duration(name, value))
        default: throw unknown(name, word)
        }
    }

    private static func unknown(_ name: String, _ word: PolicyWord) -> PolicyError {
        let asked = PolicyWord.quoted(Array(name.utf8) + [UInt8(ascii: "=")])
        guard let meant = Suggestion.nearest(to: Array(name.utf8), among: names.map { Array($0.utf8) }) else {
            let known = names.map { "\($0)=" }.joined(separator: ", ")
            return word.error("there is no rule \(asked); the rules are \(known)")
        }
        let rule = PolicyWord.quoted(meant + [UInt8(ascii: "=")])
        return word.error("there is no rule \(asked); did you mean \(rule)?")
    }

    private static func overflow(_ value: PolicyWord) throws(PolicyError) -> Overflow {
        guard let overflow = Overflow(rawValue: String(decoding: value.bytes, as: UTF8.self)) else {
            throw value.error("overflow= takes refuse or drop-oldest, not \(value.quoted)")
        }
        return overflow
    }

    private static func rate(_ value: PolicyWord) throws(PolicyError) -> Rate {
        let pieces = value.pieces(partedBy: "/")
        guard pieces.count == 2 else {
            throw value.error("rate= takes a number of grants and a window, as in rate=30/1h")
        }
        let grants = try count("rate", pieces[0], 1...Limits.rateGrantsMax)
        return Rate(grants: grants, window: try duration("rate", pieces[1]))
    }

    private static func count(
        _ name: String, _ value: PolicyWord, _ allowed: ClosedRange<Int>
    ) throws(PolicyError) -> Int {
        let isDigits = value.bytes.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        let number = isDigits ? Int(String(decoding: value.bytes, as: UTF8.self)) : nil
        guard let number, allowed.contains(number) else {
            throw value.error(
                "\(name)= takes a whole number from \(allowed.lowerBound) to \(allowed.upperBound), "
                    + "not \(value.quoted)")
        }
        return number
    }

    private static func duration(_ name: String, _ value: PolicyWord) throws(PolicyError) -> Duration {
        do {
            return try DurationReader.read(value.bytes.span)
        } catch {
            switch error {
            case .noUnit:
                throw value.error(
                    "\(name)= needs a unit behind its number: ms, s, m, h or d, as in \(name)=30s")
            case .notADuration:
                throw value.error(
                    "\(name)= takes a whole number and one unit (ms, s, m, h, d), as in \(name)=30s, "
                        + "not \(value.quoted)")
            case .tooShort: throw value.error("\(name)= must be at least 1ms")
            case .tooLong: throw value.error("\(name)= must be at most 3650d")
            }
        }
    }

    private static func requireDefaultWithinMax(
        _ rules: [Policy.Rule], _ words: ArraySlice<PolicyWord>
    ) throws(PolicyError) {
        let given = GivenRules(rules, line: 0)
        guard let ttl = given.ttl?.value, let maxTTL = given.maxTTL?.value, ttl > maxTTL else { return }
        for (rule, word) in zip(rules, words) where rule == .ttl(ttl) {
            throw word.error("ttl= is more than max-ttl= in this line; make it at most as long")
        }
    }
}

// Which keys there are and which rules hold for them.

/// The rules that hold for one key. nil: no bound, or not at all.
public struct Rules: Hashable, Sendable {
    /// How many exclusive leases may hold the key at once.
    public var limit: Int
    public var defaultTTL: Duration?
    public var maxTTL: Duration?
    /// The whole life of a lease from its grant, however often it is renewed.
    public var maxHold: Duration?
    public var maxWait: Duration?
    public var maxPriority: Int?
    /// The longest line; 0: nobody waits.
    public var queue: Int?
    /// What happens to one more in a line that is full.
    public var overflow = Overflow.refuse
    public var rate: Rate?
    /// How long a result is kept where `keep=` is not said.
    public var keep: Duration?
    /// How long a slot rests after a lease that expired or was disconnected.
    public var lockDelay: Duration?

    public init(limit: Int = 1, defaultTTL: Duration? = nil, maxTTL: Duration? = nil, queue: Int? = nil) {
        self.limit = limit
        self.defaultTTL = defaultTTL
        self.maxTTL = maxTTL
        self.queue = queue
    }
}

public enum Overflow: String, CaseIterable, Sendable {
    case refuse
    /// The one that has stood longest goes.
    case dropOldest = "drop-oldest"
}

/// So many grants in any window of that length.
public struct Rate: Hashable, Sendable {
    public let grants: Int
    public let window: Duration

    public init(grants: Int, window: Duration) {
        self.grants = grants
        self.window = window
    }
}

/// A policy, as read from a file or built in. `PolicyReader` makes one from text.
public struct Policy: Sendable {
    /// One `name=value` of a line, with what it is for.
    public enum Rule: Equatable, Sendable {
        case limit(Int)
        case ttl(Duration)
        case maxTTL(Duration)
        case maxHold(Duration)
        case maxWait(Duration)
        case maxPriority(Int)
        case queue(Int)
        case overflow(Overflow)
        case rate(Rate)
        case keep(Duration)
        case lockDelay(Duration)
    }

    /// A part of a kind: its name, and the values it may have where the policy names them.
    public struct Part: Equatable, Sendable {
        public let name: [UInt8]
        public let values: [[UInt8]]

        public init(name: [UInt8], values: [[UInt8]]) {
            self.name = name
            self.values = values
        }
    }

    public struct Kind: Equatable, Sendable {
        public let name: [UInt8]
        public let parts: [Part]
        public let rules: [Rule]
        /// Where it stands in the file, from 1.
        public let line: Int

        public init(name: [UInt8], parts: [Part], rules: [Rule], line: Int) {
            self.name = name
            self.parts = parts
            self.rules = rules
            self.line = line
        }
    }

    /// A `key` line: rules for the keys of a kind that fit; nil stands for `*`.
    public struct Pattern: Equatable, Sendable {
        public let kind: [UInt8]
        public let parts: [[UInt8]?]
        public let rules: [Rule]
        public let line: Int

        public init(kind: [UInt8], parts: [[UInt8]?], rules: [Rule], line: Int) {
            self.kind = kind
            self.parts = parts
            self.rules = rules
            self.line = line
        }
    }

    /// A line of the file as written, but for its comment and the blanks around it; a tab has become a space.
    public struct Line: Equatable, Sendable {
        public let number: Int
        public let text: [UInt8]

        public init(number: Int, text: [UInt8]) {
            self.number = number
            self.text = text
        }
    }

    /// A rule with the line that gave it; 0: none did, it always holds.
    public struct Origin: Equatable, Sendable {
        public let rule: Rule
        public let line: Int

        public init(rule: Rule, line: Int) {
            self.rule = rule
            self.line = line
        }
    }

    public let kinds: [Kind]
    public let patterns: [Pattern]
    /// The lines of the file without comments and empty lines, as `policy` prints them.
    public let source: [Line]
    /// The same rules, laid out for finding those of a key.
    let index: PolicyIndex

    /// Patterns of a kind that is not among `kinds`, or with another number of parts than it has, fit no key.
    public init(kinds: [Kind], patterns: [Pattern], source: [Line]) {
        self.kinds = kinds
        self.patterns = patterns
        self.source = source
        index = PolicyIndex(kinds: kinds, patterns: patterns)
    }
}

/// Why a key is not one of the policy's.
public enum UnknownKey: Error, Equatable, Sendable {
    /// No line names this kind; `meant` is the one that was probably meant.
    case kind(name: [UInt8], meant: [UInt8]?)
    /// The kind has other parts; `wanted` shows how its keys look, as in `species/ID/MEDIA`.
    case parts(kind: [UInt8], wanted: String)
    /// A part has a value that the policy does not allow.
    case value(part: [UInt8], allowed: [[UInt8]])
}

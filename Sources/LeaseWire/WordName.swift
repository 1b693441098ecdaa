// The names of options and flags, and how the bytes of a line are compared with a name.

/// An option (`name=value`) or a flag (`name`) of some verb. Written in lower case exactly.
enum WordName: String, CaseIterable {
    case owner, ttl, wait, priority, request, note, result, keep, limit, after, since, last, advance
    case whilePID = "while"
    case shared, join, ephemeral, notify, waiting

    var isFlag: Bool {
        switch self {
        case .shared, .join, .ephemeral, .notify, .waiting: true
        case .owner, .ttl, .wait, .priority, .request, .note, .result, .keep, .limit, .after, .since, .last,
            .advance, .whilePID:
            false
        }
    }

    /// As it is written: a flag by itself, an option with its `=`.
    var form: String {
        isFlag ? rawValue : rawValue + "="
    }

    /// The name that stands in `range`, or nil.
    static func find(_ line: Span<UInt8>, _ range: Range<Int>) -> WordName? {
        guard let packed = PackedName.read(line, range) else { return nil }
        for index in packedNames.indices where packedNames[index].packed == packed {
            return packedNames[index].name
        }
        return nil
    }

    /// Not an array, whose references would be counted at each word of each line.
    private static let packedNames = InlineArray<19, (packed: UInt128, name: WordName)> { index in
        (PackedName.of(allCases[index].rawValue), allCases[index])
    }
}

/// A set of options and flags: those that a verb takes, or those that were given already.
struct WordSet: OptionSet {
    let rawValue: UInt32

    init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    init(_ name: WordName) {
        rawValue = switch name {
        case .owner: 1 << 0
        case .ttl: 1 << 1
        case .wait: 1 << 2
        case .priority: 1 << 3
        case .request: 1 << 4
        case .note: 1 << 5
        case .result: 1 << 6
        case .keep: 1 << 7
        case .limit: 1 << 8
        case .after: 1 << 9
        case .since: 1 << 10
        case .last: 1 << 11
        case .advance: 1 << 12
        case .whilePID: 1 << 13
        case .shared: 1 << 14
        case .join: 1 << 15
        case .ephemeral: 1 << 16
        case .notify: 1 << 17
        case .waiting: 1 << 18
        }
    }
}

/// Short names as one number, so that a word is compared with each of them in one step.
enum PackedName {
    static let bytesMax = 16

    /// nil where the range is empty or too long for any name.
    static func read(_ line: Span<UInt8>, _ range: Range<Int>, anyCase: Bool = false) -> UInt128? {
        guard !range.isEmpty, range.count <= bytesMax else { return nil }
        var packed: UInt128 = 0
        for index in range {
            let byte = anyCase ? ASCII.lowercased(line[index]) : line[index]
            packed = packed << 8 | UInt128(byte)
        }
        return packed
    }

    static func of(_ name: String) -> UInt128 {
        precondition(name.utf8.count <= bytesMax, "a verb, an option or a flag has at most 16 letters")
        return name.utf8.reduce(0) { $0 << 8 | UInt128($1) }
    }
}

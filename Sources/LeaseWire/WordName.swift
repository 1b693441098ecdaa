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
        guard let name = PackedName.read(line, range) else { return nil }
        // (Written out: a table is looked for, and copied, for each word.)
        return switch name {
        case "owner": .owner
        case "ttl": .ttl
        case "wait": .wait
        case "priority": .priority
        case "request": .request
        case "note": .note
        case "result": .result
        case "keep": .keep
        case "limit": .limit
        case "after": .after
        case "since": .since
        case "last": .last
        case "advance": .advance
        case "while": .whilePID
        case "shared": .shared
        case "join": .join
        case "ephemeral": .ephemeral
        case "notify": .notify
        case "waiting": .waiting
        default: nil
        }
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
struct PackedName {
    static let bytesMax = 16

    /// The first byte lowest.
    private let bytes: UInt128

    private init(bytes: UInt128) {
        self.bytes = bytes
    }

    /// nil where the range is empty or too long for any name. In lower case, where verbs are looked for: a
    /// byte that is no letter does not become one by that.
    @inline(__always)
    static func read(_ line: Span<UInt8>, _ range: Range<Int>, inLowerCase: Bool = false) -> PackedName? {
        let count = range.count
        guard count > 0, count <= bytesMax else { return nil }
        let raised: UInt64 = inLowerCase ? 0x2020_2020_2020_2020 : 0
        let head = EightBytes.first(count, of: line.eight(from: range.lowerBound) | raised)
        guard count > 8 else { return PackedName(bytes: UInt128(head)) }
        let tail = EightBytes.first(count &- 8, of: line.eight(from: range.lowerBound &+ 8) | raised)
        return PackedName(bytes: UInt128(head) | UInt128(tail) << 64)
    }

    /// The eight bytes that begin there, in lower case, whether they are one word or not.
    @inline(__always)
    static func eight(_ line: Span<UInt8>, from place: Int) -> PackedName {
        PackedName(bytes: UInt128(line.eight(from: place) | 0x2020_2020_2020_2020))
    }

    /// Of a literal this is a number that the compiler knows.
    @inline(__always)
    private static func of(_ name: StaticString) -> PackedName {
        var bytes: UInt128 = 0
        for place in 0..<name.utf8CodeUnitCount {
            bytes |= UInt128(name.utf8Start[place]) &<< UInt128(8 &* place)
        }
        return PackedName(bytes: bytes)
    }

    @inline(__always)
    static func ~= (name: StaticString, packed: PackedName) -> Bool {
        of(name).bytes == packed.bytes
    }
}

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

    /// In any case of the letters, where names are looked for: a byte that is no letter does not become one
    /// by this.
    static let lowerCase = UInt128.max / 0xFF * 0x20

    /// nil where the range is empty or too long for any name.
    static func read(_ line: Span<UInt8>, _ range: Range<Int>) -> UInt128? {
        guard !range.isEmpty, range.count <= bytesMax else { return nil }
        precondition(range.lowerBound >= 0 && range.upperBound <= line.count)
        return line.withUnsafeBytes { packed(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    static func of(_ name: String) -> UInt128 {
        precondition(name.utf8.count <= bytesMax, "a verb, an option or a flag has at most 16 letters")
        return Array(name.utf8).withUnsafeBytes { packed($0) }
    }

    /// The first byte lowest. Both ends are read at once, as many bytes as there surely are; where they
    /// overlap they say the same.
    private static func packed(_ bytes: UnsafeRawBufferPointer) -> UInt128 {
        let count = bytes.count
        switch count {
        case 8...bytesMax:
            let (start, end) = ends(bytes, UInt64.self)
            return UInt128(start) | UInt128(end) << UInt128(8 * (count - 8))
        case 4...7:
            let (start, end) = ends(bytes, UInt32.self)
            return UInt128(UInt64(start) | UInt64(end) << UInt64(8 * (count - 4)))
        case 1...3:
            let middle = UInt32(bytes[count / 2]) << UInt32(8 * (count / 2))
            return UInt128(UInt32(bytes[0]) | middle | UInt32(bytes[count - 1]) << UInt32(8 * (count - 1)))
        default: return 0
        }
    }

    private static func ends<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _: Number.Type
    ) -> (start: Number, end: Number) {
        let last = bytes.count - MemoryLayout<Number>.size
        return (
            Number(littleEndian: bytes.loadUnaligned(as: Number.self)),
            Number(littleEndian: bytes.loadUnaligned(fromByteOffset: last, as: Number.self))
        )
    }
}

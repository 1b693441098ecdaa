// What is leased: a kind and its parts, in one spelling.

/// A name that can be leased: `kind/part[/part…]`, as in `user/42` or `species/31/video`. Kept in its one
/// spelling, so two keys are the same exactly when their bytes are.
public struct Key: Hashable, Sendable {
    /// As printed: parts of letters, digits and `._:@+-`, every other byte `%XX`, parted by `/`.
    public let bytes: [UInt8]

    /// Takes bytes that already are in the one spelling.
    public init(printed bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads a key as a client or a policy wrote it.
    public static func read(_ word: Span<UInt8>) throws(KeyError) -> Key {
        if KeySpelling.isPlainKey(word) { return Key(printed: word.copied()) }
        let bytes = try KeySpelling.rewritten(word)
        guard bytes.contains(UInt8(ascii: "/")) else { throw .noParts }
        try KeySpelling.requireFullParts(bytes.span)
        guard bytes.count <= Limits.keyBytesMax else { throw .tooLong(bytes: bytes.count) }
        return Key(printed: bytes)
    }

    /// Spells a key of raw parts, the kind first. What stands in them is encoded where it must be.
    public static func spelling(_ parts: [some Sequence<UInt8>]) throws(KeyError) -> Key {
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "/")) }
            for byte in part {
                PercentCoding.append(byte, to: &bytes, plain: PercentCoding.isPlainInKey)
            }
        }
        return try Key.read(bytes.span)
    }

    /// The first part: it says how many parts follow and which rules hold.
    public var kind: ArraySlice<UInt8> {
        bytes.prefix { $0 != UInt8(ascii: "/") }
    }

    /// The parts after the kind.
    public var parts: [ArraySlice<UInt8>] {
        Array(bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst())
    }

    public var string: String {
        String(decoding: bytes, as: UTF8.self)
    }
}

/// A key, or the beginning of one that ends where a part ends: it means that key and all below it.
public struct KeyPrefix: Hashable, Sendable {
    /// Without a slash at the end. Empty: every key.
    public let bytes: [UInt8]

    public static let all = KeyPrefix(bytes: [])

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads `species/31`, `species/31/` or `species/`.
    public static func read(_ word: Span<UInt8>) throws(KeyError) -> KeyPrefix {
        var bytes = try KeySpelling.rewritten(word)
        guard bytes.contains(UInt8(ascii: "/")) else { throw .noParts }
        if bytes.last == UInt8(ascii: "/") {
            bytes.removeLast()
        }
        try KeySpelling.requireFullParts(bytes.span)
        guard bytes.count <= Limits.keyBytesMax else { throw .tooLong(bytes: bytes.count) }
        return KeyPrefix(bytes: bytes)
    }

    public func matches(_ key: Key) -> Bool {
        matches(key.bytes.span)
    }

    /// - Parameter key: as printed.
    public func matches(_ key: Span<UInt8>) -> Bool {
        guard !bytes.isEmpty else { return true }
        guard key.count >= bytes.count else { return false }
        for index in bytes.indices where key[index] != bytes[index] { return false }
        return key.count == bytes.count || key[bytes.count] == UInt8(ascii: "/")
    }
}

/// Why a word is no key.
public enum KeyError: Error, Equatable {
    /// No `/` in it.
    case noParts
    /// Two slashes in a row, or one at the beginning or the end.
    case emptyPart
    /// A byte that must be written `%XX`.
    case mustBeEncoded(byte: UInt8)
    /// A `%` without two hex digits behind it.
    case badPercent
    case tooLong(bytes: Int)
}

/// How keys are spelled: decoded and written anew, nothing encoded without need.
private enum KeySpelling {
    /// Whether the word is a key in its one spelling already: nearly all are.
    static func isPlainKey(_ word: Span<UInt8>) -> Bool {
        guard word.count <= Limits.keyBytesMax else { return false }
        var slashes = 0
        var partIsEmpty = true
        for index in word.indices {
            let byte = word[index]
            if byte == UInt8(ascii: "/") {
                guard !partIsEmpty else { return false }
                slashes += 1
                partIsEmpty = true
            } else {
                guard PercentCoding.isPlainInKey(byte) else { return false }
                partIsEmpty = false
            }
        }
        return slashes > 0 && !partIsEmpty
    }

    static func rewritten(_ word: Span<UInt8>) throws(KeyError) -> [UInt8] {
        var index = 0
        while index < word.count, isPlainOrSlash(word[index]) {
            index += 1
        }
        guard index < word.count else { return word.copied() }
        return try rewrittenSlowly(word)
    }

    private static func rewrittenSlowly(_ word: Span<UInt8>) throws(KeyError) -> [UInt8] {
        var printed: [UInt8] = []
        printed.reserveCapacity(word.count)
        var index = 0
        while index < word.count {
            let raw = word[index]
            if isPlainOrSlash(raw) {
                printed.append(raw)
                index += 1
            } else if raw == UInt8(ascii: "%") {
                guard let byte = try? PercentCoding.decodeOne(word, at: &index) else { throw .badPercent }
                PercentCoding.append(byte, to: &printed, plain: PercentCoding.isPlainInKey)
            } else {
                throw .mustBeEncoded(byte: raw)
            }
        }
        return printed
    }

    static func requireFullParts(_ bytes: Span<UInt8>) throws(KeyError) {
        var partIsEmpty = true
        for index in bytes.indices {
            let isSlash = bytes[index] == UInt8(ascii: "/")
            if isSlash, partIsEmpty { throw .emptyPart }
            partIsEmpty = isSlash
        }
        if partIsEmpty { throw .emptyPart }
    }

    private static func isPlainOrSlash(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || PercentCoding.isPlainInKey(byte)
    }
}

// Text in the one form in which the daemon keeps and prints it: printable ASCII, every other byte
// percent-encoded.

/// Free text of a client (an owner, a note, a request's ID), kept as it is printed. Two texts are the same
/// when their bytes are, so no Unicode rule can make two owners one; and no text can forge a line or drive a
/// terminal.
public struct Text: Hashable, Sendable {
    /// Printable ASCII without spaces; `%` only as the beginning of `%XX` with upper-case hex.
    public let bytes: [UInt8]

    /// Takes bytes that already are in printed form.
    public init(printed bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Encodes raw bytes of any value.
    public init(encoding raw: some Sequence<UInt8>) {
        var printed: [UInt8] = []
        for byte in raw {
            PercentCoding.append(byte, to: &printed, plain: PercentCoding.isPlainInText)
        }
        bytes = printed
    }

    public init(_ string: String) {
        self.init(encoding: string.utf8)
    }

    /// Reads a value as a client wrote it: `%XX` decoded, everything written anew in the one printed form.
    public static func read(_ word: Span<UInt8>) throws(PercentError) -> Text {
        var allPlain = true
        for index in word.indices where !PercentCoding.isPlainInText(word[index]) {
            allPlain = false
            break
        }
        if allPlain {
            return Text(printed: word.copied())
        }
        var printed: [UInt8] = []
        var index = 0
        while index < word.count {
            let byte = try PercentCoding.decodeOne(word, at: &index)
            PercentCoding.append(byte, to: &printed, plain: PercentCoding.isPlainInText)
        }
        return Text(printed: printed)
    }

    /// The bytes that the text stands for, with `%XX` decoded.
    public var decoded: [UInt8] {
        var raw: [UInt8] = []
        var index = 0
        let span = bytes.span
        while index < span.count {
            guard let byte = try? PercentCoding.decodeOne(span, at: &index) else { break }
            raw.append(byte)
        }
        return raw
    }

    public var string: String {
        String(decoding: bytes, as: UTF8.self)
    }
}

/// A `%` that two hex digits don't follow; `at` counts bytes from the beginning of the word.
public struct PercentError: Error, Equatable {
    public let at: Int
}

/// Percent-encoding: which bytes stand for themselves, and how the others are written.
public enum PercentCoding {
    /// What a value may hold unencoded when it is printed: printable ASCII but for the space and `%`.
    public static func isPlainInText(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "%")
    }

    /// What a part of a key is made of: ASCII letters, digits and `._:@+-`. (Inlinable: each byte would else
    /// be a call into another module.)
    @inlinable
    public static func isPlainInKey(_ byte: UInt8) -> Bool {
        // A bit for each ASCII character: `+-.`, the digits, `:`, and then `@`, the letters and `_`.
        let below64: UInt64 = 0b1101 << 0x2B | 0x7FF << 0x30
        let from64: UInt64 = 1 | 0x3FF_FFFF << 1 | 1 << 0x1F | 0x3FF_FFFF << 0x21
        let bits = byte < 0x40 ? below64 : byte < 0x80 ? from64 : 0
        return bits >> UInt64(byte & 63) & 1 == 1
    }

    static func append(_ byte: UInt8, to printed: inout [UInt8], plain: (UInt8) -> Bool) {
        if plain(byte) {
            printed.append(byte)
        } else {
            printed.append(UInt8(ascii: "%"))
            printed.append(upperHexDigit(byte >> 4))
            printed.append(upperHexDigit(byte & 0xF))
        }
    }

    /// Reads the byte at `index`, which may be written `%XX`, and moves `index` behind it.
    static func decodeOne(_ word: Span<UInt8>, at index: inout Int) throws(PercentError) -> UInt8 {
        let byte = word[index]
        guard byte == UInt8(ascii: "%") else {
            index += 1
            return byte
        }
        guard index + 2 < word.count,
            let high = hexValue(word[index + 1]), let low = hexValue(word[index + 2])
        else { throw PercentError(at: index) }
        index += 3
        return high << 4 | low
    }

    private static func upperHexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Span<UInt8> {
    /// The same bytes in an array of their own.
    public func copied() -> [UInt8] {
        withUnsafeBufferPointer { Array($0) }
    }
}

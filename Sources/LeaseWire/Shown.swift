// How words that a client wrote are shown to people: printable, and never longer than a glance.

import LeaseModel

enum Shown {
    /// What an error repeats of a word.
    private static let wordBytesMax = 64
    /// What `policy` shows of a line of its file: with three bytes for each it still fits a line of the wire.
    private static let lineBytesMax = 2_048

    /// As it was written, but for bytes that are not printable ASCII, which are percent-encoded, and cut
    /// where it is long.
    static func word(_ bytes: [UInt8]) -> String {
        var shown: [UInt8] = []
        append(bytes.span, keepsSpaces: false, to: &shown)
        return String(decoding: shown, as: UTF8.self)
    }

    /// Text of the daemon's own or of the system's.
    static func sentence(_ text: String) -> String {
        var shown: [UInt8] = []
        append(Array(text.utf8).span, keepsSpaces: true, to: &shown)
        return String(decoding: shown, as: UTF8.self)
    }

    /// With `keepsSpaces`, it is a whole line: spaces stay, and TABs become spaces.
    static func append(_ bytes: Span<UInt8>, keepsSpaces: Bool, to output: inout [UInt8]) {
        let most = keepsSpaces ? lineBytesMax : wordBytesMax
        for index in 0..<min(bytes.count, most) {
            let byte = bytes[index]
            if keepsSpaces, byte == ASCII.space || byte == UInt8(ascii: "\t") {
                output.append(ASCII.space)
            } else if byte == UInt8(ascii: "%") || PercentCoding.isPlainInText(byte) {
                output.append(byte)
            } else {
                output.append(contentsOf: Text(encoding: CollectionOfOne(byte)).bytes)
            }
        }
        if bytes.count > most { output.append("...") }
    }
}

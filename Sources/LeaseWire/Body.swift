// The lines behind the first of a reply, kept until they are counted.

import LeaseModel

/// The lines behind the first, which must be counted before the first can be written.
struct Body {
    /// What leaves room for the longest first line.
    static let bytesMax = Limits.replyBytesMax - Limits.lineBytesMax
    /// What a line has beside its text: its indent, and the end of the one before.
    static let extraBytes = 3

    private var bytes: [UInt8] = []
    private var lineCount = 0
    private var isCut = false

    /// Adds a line without its indent and its end, or notes that it did not fit.
    mutating func addLine(_ write: (inout [UInt8]) -> Void) {
        guard !isCut else { return }
        let start = bytes.count
        if lineCount > 0 {
            bytes.append(ASCII.lineFeed)
        }
        bytes.append("  ")
        write(&bytes)
        if bytes.count > Body.bytesMax {
            bytes.removeSubrange(start...)
            isCut = true
        } else {
            lineCount += 1
        }
    }

    /// Appends the first line and all that were added, without the LF of the last.
    func appendFirstLine(
        hasMore: Bool, to output: inout [UInt8], fields: (inout [UInt8]) -> Void = { _ in }
    ) {
        output.append("OK lines=", number: lineCount)
        fields(&output)
        if hasMore || isCut { output.append(" more=yes") }
        guard lineCount > 0 else { return }
        output.append(ASCII.lineFeed)
        output.append(contentsOf: bytes)
    }
}

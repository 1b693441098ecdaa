// The small file of the numbers that may have been used: what makes tokens greater than all before, whatever
// is lost.

internal import LeaseLog
internal import LeaseModel

/// `numbers format=1 token=N sequence=M CRC`, one line. It is written and synced before any number in it is
/// used, so also where an end of the log is lost, no number is given twice.
package enum NumbersFile {
    package static let name = "numbers"

    package static func encode(_ numbers: Numbers) -> [UInt8] {
        let line = "numbers format=1 token=\(numbers.token) sequence=\(numbers.sequence) "
        let checksum = String(Checksum.of(Array(line.utf8).span), radix: 16)
        let padded = String(repeating: "0", count: 8 - checksum.count) + checksum
        return Array((line + padded + "\n").utf8)
    }

    /// nil: the file is not what `encode` wrote.
    package static func decode(_ bytes: [UInt8]) -> Numbers? {
        let words = bytes.split(separator: UInt8(ascii: " "))
        guard words.count == 5, let token = number(words[2], after: "token="),
            let sequence = number(words[3], after: "sequence="), max(token, sequence) <= LogFormat.numberMax
        else { return nil }
        let numbers = Numbers(token: token, sequence: sequence)
        return encode(numbers) == bytes ? numbers : nil
    }

    private static func number(_ word: ArraySlice<UInt8>, after name: String) -> UInt64? {
        guard word.starts(with: name.utf8) else { return nil }
        return UInt64(String(decoding: word.dropFirst(name.utf8.count), as: UTF8.self))
    }
}

// The reader of logs, and recovery, under libFuzzer: the pieces in which a file comes make no difference,
// what is taken is to the byte what is written for it, and no log ends the process.

import LeaseLog
import LeaseModel

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let mode = input.first else { return 0 }
    // Checksums are not guessed, and what makes sense of a line and the next even less.
    switch mode & 3 {
    case 0: check(Array(input.dropFirst()), piece: 1 + Int(mode >> 1))
    case 2:
        let log = LogComposer(input.dropFirst())
        check(log.file, piece: 1 + Int(mode >> 1))
        let first = 1 + Int(mode >> 2) % log.records.count
        if first < log.records.count { recover(log, from: first, frames: 1 + Int(mode >> 6)) }
    default: check(sealed(Array(input.dropFirst())), piece: 1 + Int(mode >> 1))
    }
    return 0
}

private func check(_ file: [UInt8], piece: Int) {
    let whole = read(file, piece: file.count)
    let pieces = read(file, piece: piece)
    precondition(whole == pieces, "it depends on the pieces in which it comes")
    precondition(file.starts(with: whole.written), "what was read is not what is written")
    switch whole.end {
    case .clean(let size): precondition(size == Int64(file.count) && whole.written == file, "not clean")
    case .torn(let good, _, let dropped, _):
        precondition(good == Int64(whole.written.count), "the good part is another")
        precondition(good + dropped == Int64(file.count), "something is neither good nor dropped")
    case .empty: precondition(file.isEmpty, "not empty")
    default: break
    }
    recover(file, end: whole.end)
}

private struct Outcome: Equatable {
    var written: [UInt8]
    var end: LogEnd
}

private func read(_ file: [UInt8], piece: Int) -> Outcome {
    var reader = LogReader()
    var records: [UInt8] = []
    var start = 0
    while start < file.count {
        let end = min(file.count, start + max(1, piece))
        reader.feed(file.span.extracting(start..<end)) { record, mark in
            RecordEncoder.append(record, mark: mark, to: &records)
        }
        start = end
    }
    let end = reader.finish(currentBoot: fuzzedBoot)
    var written: [UInt8] = []
    if let header = reader.header { RecordEncoder.append(header, to: &written) }
    return Outcome(written: written + records, end: end)
}

/// Each line with its right checksum in the place of whatever stands before its first space.
private func sealed(_ bytes: [UInt8]) -> [UInt8] {
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0) }
    // What stands behind the last end of a line is half a line.
    for index in lines.indices.dropLast() {
        let space = lines[index].firstIndex(of: UInt8(ascii: " ")) ?? -1
        let rest = Array(lines[index][(space + 1)...])
        let digits = String(Checksum.of(rest.span), radix: 16)
        lines[index] = Array((String(repeating: "0", count: 8 - digits.count) + digits + " ").utf8) + rest
    }
    return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
}

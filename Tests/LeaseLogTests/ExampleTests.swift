// The examples in `protocol/LOG.md` are logs: they are read here, and written anew to the byte.

import Foundation
import LeaseLog
import LeaseModel
import Testing

private func examples() throws -> [[UInt8]] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let page = try String(contentsOf: root.appending(path: "protocol/LOG.md"), encoding: .utf8)
    return page.components(separatedBy: "```log\n").dropFirst().map { rest in
        Array(rest.components(separatedBy: "```")[0].utf8)
    }
}

@Suite struct ExampleTests {
    @Test func theExamplesAreCleanLogs() throws {
        let examples = try examples()
        #expect(examples.count == 2)
        for example in examples {
            var written: [UInt8] = []
            var reader = LogReader()
            var records: [(Record, BatchMark?)] = []
            reader.feed(example.span) { record, mark in records.append((record, mark)) }
            #expect(reader.finish(currentBoot: nil) == .clean(size: Int64(example.count)))
            RecordEncoder.append(try #require(reader.header), to: &written)
            for (record, mark) in records {
                RecordEncoder.append(record, mark: mark, to: &written)
            }
            #expect(written == example)
        }
    }
}

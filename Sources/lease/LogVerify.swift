// `lease log verify`: reads a log by itself, without a daemon, and says whether it is whole.

import LeaseLog
import LeaseModel

enum LogVerify {
    /// - Returns: the exit code: 0 also where a crash tore the end, which a daemon would cut off.
    static func run(_ call: Invocation) throws(Complaint) -> Int32 {
        let (path, reader, end) = try LogFile.read(call.words[0]) { _, _ in }
        let summary = reader.summary(of: end)
        Paper.output.line(call.isJSON ? json(path, summary).written : sentence(path, summary))
        return isGood(end) ? ExitCode.done.rawValue : ExitCode.damaged.rawValue
    }

    private static func isGood(_ end: LogEnd) -> Bool {
        switch end {
        case .empty, .clean, .torn: true
        case .damaged, .newerFormat: false
        }
    }

    private static func sentence(_ path: String, _ summary: LogSummary) -> String {
        let records = People.count(Int64(summary.records), "record")
        var what = "\(records), \(People.count(summary.bytes, "byte"))"
        if let first = summary.firstSequence, let last = summary.lastSequence {
            what += ", numbers \(first) to \(last)"
        }
        switch summary.end {
        case .empty: return "\(path) is empty: a log that was not begun"
        case .clean: return "\(path) is whole: \(what)"
        case .torn(let goodSize, let goodLines, let dropped, _):
            return "\(path) is torn at the end: \(what), and behind line \(goodLines) (byte \(goodSize)) "
                + "\(People.count(dropped, "byte")) that a crash left, which a daemon cuts off"
        case .damaged(let line, let offset, let what):
            return "\(path) is damaged at line \(line) (byte \(offset)): \(what)"
        case .newerFormat(let number):
            return "\(path) has format \(number), which this version does not know"
        }
    }

    private static func json(_ path: String, _ summary: LogSummary) -> JSON {
        var fields: [(name: String, value: JSON)] = [
            ("file", .text(path)), ("whole", .bool(isWhole(summary.end))), ("end", .text(name(summary.end))),
            ("records", .number(Int64(summary.records))), ("bytes", .number(summary.bytes)),
            ("first", summary.firstSequence.map { .unsigned($0) } ?? .null),
            ("last", summary.lastSequence.map { .unsigned($0) } ?? .null),
        ]
        switch summary.end {
        case .empty, .clean: break
        case .torn(let goodSize, let goodLines, let dropped, _):
            fields += [
                ("good_lines", .number(Int64(goodLines))), ("good_bytes", .number(goodSize)),
                ("dropped_bytes", .number(dropped)),
            ]
        case .damaged(let line, let offset, let what):
            fields += [("line", .number(Int64(line))), ("offset", .number(offset)), ("what", .text(what))]
        case .newerFormat(let number): fields.append(("format", .unsigned(number)))
        }
        return .object(fields)
    }

    private static func isWhole(_ end: LogEnd) -> Bool {
        switch end {
        case .empty, .clean: true
        case .torn, .damaged, .newerFormat: false
        }
    }

    private static func name(_ end: LogEnd) -> String {
        switch end {
        case .empty: "empty"
        case .clean: "clean"
        case .torn: "torn"
        case .damaged: "damaged"
        case .newerFormat: "newer-format"
        }
    }
}

// `lease history`: what happened lately, from the daemon's memory or from a log.

import Glibc
import LeaseClient
import LeaseModel
import LeaseWire

enum History {
    static func show(_ call: Invocation) throws(Complaint) {
        let prefix = try Words.prefix(call.words.first)
        let last = call.last ?? 20
        if let path = call.logPath { return try show(LogHistory.read(path, below: prefix, last: last), call) }
        let answer = try Talk(call).ask(.history(prefix, last: last))
        let lines = answer.lines
        if call.isJSON { return Paper.output.line(JSON.list(lines.map(EventWords.object)).written) }
        let rows = lines.map { (when: People.time($0.count("ago")), line: $0) }
        show(rows, "AGO", hasMore: answer.first.value("more") != nil)
    }

    private static func show(_ history: LogHistory, _ call: Invocation) {
        if call.isJSON {
            let values = history.entries.map { entry -> JSON in
                guard case .object(let fields) = EventWords.object(entry.line) else { return .null }
                return .object(fields + [(name: "wall_ms", value: .number(entry.wallMilliseconds))])
            }
            Paper.output.line(JSON.list(values).written)
        } else {
            let rows = history.entries.map { (when: wallTime($0.wallMilliseconds), line: $0.line) }
            show(rows, "TIME", hasMore: history.hasMore)
        }
    }

    private static func show(_ rows: [(when: String, line: ReplyLine)], _ heading: String, hasMore: Bool) {
        // Not for programs that read the lines.
        if rows.isEmpty { return Paper.errors.line("nothing happened that is remembered") }
        let paper = Paper.output
        paper.write(EventWords.table(rows, heading, on: paper))
        if hasMore { Paper.errors.line("... (older ones with --last)") }
    }

    /// As in `2026-01-01 12:00:04`, where the machine is.
    private static func wallTime(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1_000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return "?" }
        var bytes = [CChar](repeating: 0, count: 32)
        let count = strftime(&bytes, bytes.count, "%F %T", &parts)
        return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

// `lease stats`: what was counted since the daemon began, by kind.

import LeaseClient
import LeaseModel
import LeaseWire

enum Statistics {
    static func show(_ call: Invocation) throws(Complaint) {
        let counts = Counts(try Talk(call).ask(.stats))
        let paper = Paper.output
        if call.isPrometheus { return paper.write(Exposition.written(counts)) }
        if call.isJSON { return paper.line(json(counts).written) }
        paper.line(now(counts.first))
        paper.line(log(counts))
        if let errors = counts.ofDaemon["errors"] { paper.line("errors: \(list(errors.fields))") }
        paper.write(table(counts, on: paper))
    }

    private static func now(_ first: ReplyLine) -> String {
        let connections = People.count(first.count("connections"), "connection")
        let uptime = People.time(first.count("uptime"))
        return "up for \(uptime): \(People.count(first.count("leases"), "lease")), "
            + "\(first.count("waiting")) waiting, \(People.count(first.count("kept"), "kept result")), "
            + "\(People.count(first.count("watches"), "watch", "watches")), "
            + "\(connections) (of \(first.count("opened")) so far)"
    }

    private static func log(_ counts: Counts) -> String {
        let log = counts.ofDaemon["log"]
        let syncs = counts.ofDaemon["syncs"]
        return "log: \(People.count(log?.count("bytes") ?? 0, "byte")), "
            + "\(People.count(log?.count("compactions") ?? 0, "compaction")), "
            + "\(People.count(syncs?.count("count") ?? 0, "sync")) (mean \(mean(syncs)))"
    }

    private static func table(_ counts: Counts, on paper: Paper) -> String {
        let endings = ["released", "expired", "evicted", "process-ended", "disconnected"]
        let names = ["granted", "waited", "busy", "renewed"] + endings
        var columns = Columns(
            ["KIND", "GRANTED", "WAITED", "BUSY", "RENEWED", "RELEASED", "EXPIRED", "EVICTED"]
                + ["PROCESS ENDED", "DISCONNECTED", "WAIT", "HELD", "BUSY BECAUSE"],
            right: Set(1...11))
        for part in counts.kinds + [counts.all] {
            let busy = (part.lines["counts"]?.fields ?? []).compactMap { field in
                let name = String(decoding: field.name, as: UTF8.self)
                return name.hasPrefix("busy-") ? "\(name.dropFirst(5)) \(Printed.shown(field.value))" : nil
            }
            columns.add(
                [part.kind ?? "(all)"] + names.map { "\(part.count($0))" }
                    + [mean(part.histogram("waits")), mean(part.histogram("holds"))]
                    + [busy.isEmpty ? "-" : busy.joined(separator: ", ")])
        }
        return columns.written(on: paper)
    }

    /// Of a histogram of times.
    private static func mean(_ line: ReplyLine?) -> String {
        guard let line, line.count("count") > 0 else { return "-" }
        return People.time(line.count("sum") / line.count("count"))
    }

    private static func list(_ fields: [ReplyLine.Field]) -> String {
        fields.map { "\(Printed.shown($0.name)) \(Printed.shown($0.value))" }.joined(separator: ", ")
    }

    private static func json(_ counts: Counts) -> JSON {
        let first = ReplyJSON.fields(of: counts.first).filter { $0.name != "lines" }
        let daemon = ["log", "syncs", "errors"].map { (name: $0, value: object(counts.ofDaemon[$0])) }
        let rest: [(name: String, value: JSON)] = [
            ("all", object(counts.all)), ("kinds", .list(counts.kinds.map(object))),
        ]
        return .object([(name: "status", value: .text("ok"))] + first + daemon + rest)
    }

    private static func object(_ part: Counts.Part) -> JSON {
        let kind = part.kind.map { [(name: "kind", value: JSON.text($0))] } ?? []
        let lines = ["counts", "waits", "holds", "renewals"].map { name in
            (name: name, value: object(part.lines[name]))
        }
        return .object(kind + lines)
    }

    private static func object(_ line: ReplyLine?) -> JSON {
        .object((line.map { ReplyJSON.fields(of: $0) } ?? []).filter { $0.name != "kind" })
    }
}

// What a bench came to, for people and for programs.

import Glibc

enum BenchReport {
    static func text(_ plan: BenchPlan, _ outcome: BenchOutcome, on paper: Paper) -> String {
        var lines = [
            paper.coloured("\(grouped(outcome.perSecond(outcome.requests))) requests a second", .bold)
                + ", over \(People.time(outcome.nanoseconds / 1_000_000)): \(counts(outcome))",
            "latency: \(summary(outcome.latencies))",
        ]
        lines += histogram(outcome.latencies, on: paper)
        if plan.waiters > 0 {
            lines.append("\(grouped(outcome.perSecond(outcome.handedOver))) grants a second to those in line")
            lines.append("time in line: \(summary(outcome.waits))")
            lines += histogram(outcome.waits, on: paper)
        }
        return lines.map { $0 + "\n" }.joined()
    }

    static func json(_ plan: BenchPlan, _ outcome: BenchOutcome) -> JSON {
        var fields: [(name: String, value: JSON)] = [
            ("status", .text("ok")), ("connections", .number(Int64(plan.connections))),
            ("in_flight", .number(Int64(plan.inFlight))), ("keys", .number(Int64(plan.keys))),
            ("duration_ms", .number(outcome.nanoseconds / 1_000_000)),
            ("requests_per_second", .number(outcome.perSecond(outcome.requests))),
            ("granted", .unsigned(outcome.granted)), ("busy", .unsigned(outcome.busy)),
            ("renewed", .unsigned(outcome.renewed)), ("released", .unsigned(outcome.released)),
            ("latency", json(outcome.latencies)),
        ]
        if plan.waiters > 0 {
            fields.append(("waiters", .number(Int64(plan.waiters))))
            fields.append(("handed_over", .unsigned(outcome.handedOver)))
            fields.append(("waits", json(outcome.waits)))
        }
        return .object(fields)
    }

    private static func json(_ latencies: Latencies) -> JSON {
        let rows = latencies.rows.map { row in
            JSON.object([("below_ns", .number(row.upTo)), ("count", .unsigned(row.count))])
        }
        return .object([
            ("p50_ns", .number(latencies.nanoseconds(at: 0.5))),
            ("p99_ns", .number(latencies.nanoseconds(at: 0.99))),
            ("p999_ns", .number(latencies.nanoseconds(at: 0.999))),
            ("max_ns", .number(latencies.longest)), ("histogram", .list(rows)),
        ])
    }

    private static func counts(_ outcome: BenchOutcome) -> String {
        let parts = [
            (outcome.granted, "granted"), (outcome.busy, "busy"), (outcome.renewed, "renewed"),
            (outcome.released, "released"),
        ]
        return parts.filter { $0.0 > 0 }.map { "\(grouped(Int64($0.0))) \($0.1)" }.joined(separator: ", ")
    }

    private static func summary(_ latencies: Latencies) -> String {
        guard latencies.total > 0 else { return "nothing was answered" }
        let shares = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)]
        let parts = shares.map { "\($0.0) \(time(latencies.nanoseconds(at: $0.1)))" }
        return (parts + ["max \(time(latencies.longest))"]).joined(separator: ", ")
    }

    /// A bar for each span of time, as long as its share.
    static func histogram(_ latencies: Latencies, on paper: Paper) -> [String] {
        let rows = latencies.rows
        let most = rows.map(\.count).max() ?? 0
        let ends = rows.map { "< \(time($0.upTo))" }
        let width = ends.map(\.count).max() ?? 0
        return zip(rows, ends).map { row, end in
            let share = Double(row.count) / Double(max(1, latencies.total))
            let bar = bar(row.count, of: most)
            let gap = String(repeating: " ", count: width - end.count)
            return "  \(gap)\(end)  \(percent(share))  \(paper.coloured(bar, .green))"
        }
    }

    private static let barMax = 50

    /// In eighths of a letter where the terminal can show them.
    private static func bar(_ count: UInt64, of most: UInt64) -> String {
        guard count > 0 else { return "" }
        let eighths = max(1, Int(count * UInt64(barMax) * 8 / most))
        guard isUTF8 else { return String(repeating: "#", count: (eighths + 7) / 8) }
        let rest = eighths % 8 == 0 ? "" : String(Unicode.Scalar(UInt32(0x2590 - eighths % 8)) ?? " ")
        return String(repeating: "\u{2588}", count: eighths / 8) + rest
    }

    private static let isUTF8: Bool = {
        let locale = Environment["LC_ALL"] ?? Environment["LC_CTYPE"] ?? Environment["LANG"] ?? ""
        return locale.lowercased().hasSuffix("utf-8") || locale.lowercased().hasSuffix("utf8")
    }()

    private static func percent(_ share: Double) -> String {
        let tenths = Int((share * 1_000).rounded())
        let text = "\(tenths / 10).\(tenths % 10)%"
        return String(repeating: " ", count: max(0, 6 - text.count)) + text
    }

    /// As in `850ns`, `9.5us`, `120us`, `2.1ms`, `1.5s`: two digits at least.
    static func time(_ nanoseconds: Int64) -> String {
        for (unit, size): (String, Int64) in [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)] {
            guard nanoseconds >= size else { continue }
            let tenths = nanoseconds * 10 / size
            return tenths % 10 == 0 || tenths >= 1_000
                ? "\(tenths / 10)\(unit)" : "\(tenths / 10).\(tenths % 10)\(unit)"
        }
        return "\(nanoseconds)ns"
    }

    /// With commas between thousands.
    static func grouped(_ number: Int64) -> String {
        var digits = Array(String(number))
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
        return String(digits)
    }
}

// The counts in Prometheus's text format: base units, and labels from closed sets only.

import LeaseModel
import LeaseWire

struct Exposition {
    private var text = ""

    /// What has no kind counts each lease and each reply once; what has one, with each kind of its keys.
    static func written(_ counts: Counts) -> String {
        var exposition = Exposition()
        exposition.addDaemon(counts)
        exposition.add([counts.all], "leased_", "")
        exposition.add(counts.kinds, "leased_kind_", ", by kind")
        return exposition.text
    }

    private mutating func addDaemon(_ counts: Counts) {
        let first = counts.first
        let log = counts.ofDaemon["log"]
        let gauges: [(String, String, String)] = [
            ("uptime_seconds", "How long the daemon has run", seconds(first.count("uptime"))),
            ("start_time_seconds", "When it began, since 1970", seconds(first.count("started"))),
            ("leases", "Leases that are held", "\(first.count("leases"))"),
            ("waiting_requests", "Requests in line", "\(first.count("waiting"))"),
            ("kept_results", "Results that are kept", "\(first.count("kept"))"),
            ("watches", "Watches that stand", "\(first.count("watches"))"),
            ("connections", "Connections that are open", "\(first.count("connections"))"),
            ("log_bytes", "The size of the log", "\(log?.count("bytes") ?? 0)"),
            ("log_reserved_bytes", "Up to where the disk has room", "\(log?.count("reserved") ?? 0)"),
        ]
        for gauge in gauges {
            begin("leased_\(gauge.0)", "gauge", gauge.1)
            sample("leased_\(gauge.0)", [], gauge.2)
        }
        let counters = [
            ("connections_opened_total", "Connections that there ever were", first.count("opened")),
            ("log_compactions_total", "Compactions of the log", log?.count("compactions") ?? 0),
        ]
        for counter in counters {
            begin("leased_\(counter.0)", "counter", counter.1)
            sample("leased_\(counter.0)", [], "\(counter.2)")
        }
        begin("leased_errors_total", "counter", "Errors that were answered")
        for code in ErrorCode.allCases {
            let count = counts.ofDaemon["errors"]?.count(code.rawValue) ?? 0
            sample("leased_errors_total", [("reason", code.rawValue)], "\(count)")
        }
        begin("leased_log_sync_seconds", "histogram", "How long each sync of the log or its ring took")
        histogram("leased_log_sync_seconds", [], counts.ofDaemon["syncs"], Exposition.times)
    }

    private mutating func add(_ parts: [Counts.Part], _ prefix: String, _ end: String) {
        addCounts(parts, prefix, end)
        let histograms = [
            ("wait_seconds", "waits", "The time in line", Exposition.times),
            ("hold_seconds", "holds", "From the grant to the end", Exposition.times),
            ("renewal_left_ratio", "renewals", "What was left of the ttl at renewal", Exposition.shares),
        ]
        for entry in histograms {
            begin(prefix + entry.0, "histogram", entry.2 + end)
            for part in parts { histogram(prefix + entry.0, labels(part), part.histogram(entry.1), entry.3) }
        }
    }

    private mutating func addCounts(_ parts: [Counts.Part], _ prefix: String, _ end: String) {
        let endings = EndReason.allCases.map { "\($0.word)" }
        let refusals = BusyReason.allCases.map { "\($0.word)" }
        add(parts, prefix, "requests_total", "Requests that were answered with a lease or a result" + end) {
            ["granted", "again", "done"].map { ("outcome", $0, $0) }
        }
        add(parts, prefix, "refusals_total", "Requests that were answered BUSY" + end) {
            refusals.map { ("reason", $0, "busy-\($0)") }
        }
        add(parts, prefix, "ended_leases_total", "Leases that ended" + end) {
            endings.map { ("reason", $0, $0) }
        }
        let plain = [
            ("waited_grants_total", "Grants to requests that had stood in line", "waited"),
            ("queued_requests_total", "Requests that came to stand in line", "queued"),
            ("left_requests_total", "Requests that left the line without a grant", "left"),
            ("renewals_total", "Renewals", "renewed"),
            ("kept_results_total", "Results that were kept", "kept"),
            ("forgotten_results_total", "Results that no longer are", "forgotten"),
        ]
        for entry in plain {
            add(parts, prefix, entry.0, entry.1 + end) { [("", "", entry.2)] }
        }
    }

    /// `each` gives a label, its value and the count's name; without a label, "".
    private mutating func add(
        _ parts: [Counts.Part], _ prefix: String, _ name: String, _ help: String,
        _ each: () -> [(label: String, value: String, count: String)]
    ) {
        begin(prefix + name, "counter", help)
        for part in parts {
            for entry in each() {
                let label = entry.label.isEmpty ? [] : [(entry.label, entry.value)]
                sample(prefix + name, labels(part) + label, "\(part.count(entry.count))")
            }
        }
    }
}

// MARK: lines

extension Exposition {
    /// The daemon's name of a bound, and the bound in base units.
    private static let times = [
        ("1ms", "0.001"), ("10ms", "0.01"), ("100ms", "0.1"), ("1s", "1"), ("10s", "10"), ("1m", "60"),
        ("10m", "600"), ("1h", "3600"), ("1d", "86400"),
    ]
    private static let shares = (1...9).map { ("\($0)0", "0.\($0)") }

    private func labels(_ part: Counts.Part) -> [(String, String)] {
        part.kind.map { [("kind", $0)] } ?? []
    }

    private mutating func begin(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help).\n# TYPE \(name) \(type)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: String) {
        let written = labels.map { "\($0.0)=\"\(Exposition.escaped($0.1))\"" }.joined(separator: ",")
        text += name + (labels.isEmpty ? "" : "{\(written)}") + " \(value)\n"
    }

    private mutating func histogram(
        _ name: String, _ labels: [(String, String)], _ line: ReplyLine?, _ bounds: [(String, String)]
    ) {
        for bound in bounds {
            sample(name + "_bucket", labels + [("le", bound.1)], "\(line?.count("le-\(bound.0)") ?? 0)")
        }
        let count = line?.count("count") ?? 0
        sample(name + "_bucket", labels + [("le", "+Inf")], "\(count)")
        let sum = line?.count("sum") ?? 0
        let isShare = line?.value("sum").map { !$0.suffix(2).elementsEqual("ms".utf8) } ?? false
        sample(name + "_sum", labels, isShare ? decimal(sum, digits: 2) : seconds(sum))
        sample(name + "_count", labels, "\(count)")
    }

    private func seconds(_ milliseconds: Int64) -> String { decimal(milliseconds, digits: 3) }

    /// With so many digits behind the point, and never in a language's own way.
    private func decimal(_ number: Int64, digits: Int) -> String {
        let shown = "\(number)"
        let padded = String(repeating: "0", count: max(0, digits + 1 - shown.utf8.count)) + shown
        return "\(padded.dropLast(digits)).\(padded.suffix(digits))"
    }

    private static func escaped(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            if character == "\"" || character == "\\" { text += "\\" }
            text.append(character)
        }
    }
}

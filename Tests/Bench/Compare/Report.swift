// The comparison as a table: what each server did, and what it is beside leased.

import TestSupport

/// What leased must reach, as a multiple of another server's requests a second.
struct Target {
    let syncing: Syncing
    let shape: Shape
    let other: String
    let ratio: Double

    private static func row(
        _ syncing: Syncing, _ other: String, _ ratios: [Double?]
    ) -> [Target] {
        zip(Shape.all, ratios).compactMap { shape, ratio in
            ratio.map { Target(syncing: syncing, shape: shape, other: other, ratio: $0) }
        }
    }

    static let all =
        row(.never, "Redis", [1.0, 2.5, 2.1, 5.5]) + row(.never, "memcached", [1.0, nil, 1.0, 0.9])
        + row(.never, "the floor", [0.97, 0.75, 0.9, 0.6]) + row(.always, "Redis", [1.0, 1.3, 1.3, 4])
        + row(.always, "the floor", [0.97, 0.9, 1.0, 0.8])
}

struct Comparison {
    let syncing: Syncing
    let shape: Shape
    let outcomes: [String: Outcome]

    /// leased's requests a second as a multiple of the other's.
    func ratio(to other: String) -> Double? {
        guard let own = outcomes["leased"], let its = outcomes[other] else { return nil }
        return own.requestsPerSecond / its.requestsPerSecond
    }
}

enum Report {
    static func table(_ comparisons: [Comparison]) -> String {
        let head = """
            | `--sync` | connections x in flight | server | requests/s | leased is | to reach | \
            processor time a request | p50 | p99 |
            | --- | --- | --- | --- | --- | --- | --- | --- | --- |

            """
        return head + comparisons.map(rows).joined()
    }

    private static func rows(_ comparison: Comparison) -> String {
        let order = Peers.all.map(\.name) + ["etcd", "PostgreSQL"]
        let rows = order.compactMap { name in comparison.outcomes[name].map { row(comparison, name, $0) } }
        return rows.joined()
    }

    private static func row(_ comparison: Comparison, _ name: String, _ outcome: Outcome) -> String {
        let ratio = name == "leased" ? nil : comparison.ratio(to: name)
        let target = Target.all.first {
            $0.syncing == comparison.syncing && $0.shape == comparison.shape && $0.other == name
        }
        let cells = [
            comparison.syncing.rawValue, comparison.shape.name, name, whole(outcome.requestsPerSecond),
            ratio.map { "\(fixed($0)) x" } ?? "", target.map { "\(fixed($0.ratio)) x" } ?? "",
            outcome.processorNanosecondsPerRequest > 0
                ? "\(whole(outcome.processorNanosecondsPerRequest)) ns" : "",
            outcome.p50Microseconds > 0 ? "\(whole(outcome.p50Microseconds)) us" : "",
            outcome.p99Microseconds > 0 ? "\(whole(outcome.p99Microseconds)) us" : "",
        ]
        return "| " + cells.joined(separator: " | ") + " |\n"
    }

    static func whole(_ number: Double) -> String {
        var digits = Array(String(Int64(number.rounded())))
        for place in stride(from: digits.count - 3, to: 0, by: -3) {
            digits.insert(",", at: place)
        }
        return String(digits)
    }

    static func fixed(_ number: Double) -> String {
        let hundredths = Int((number * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}

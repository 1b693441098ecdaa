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

extension Target {
    static func of(_ comparison: Comparison, _ other: String) -> Double? {
        all.first {
            $0.syncing == comparison.syncing && $0.shape == comparison.shape && $0.other == other
        }?.ratio
    }
}

/// What leased may need of processor time for a request, as a multiple of another server's.
enum ProcessorTarget {
    static func of(_ comparison: Comparison, _ other: String) -> Double? {
        guard comparison.syncing == .never, comparison.shape == Shape.all.last else { return nil }
        return ["Redis": 0.2, "the floor": 2.5][other]
    }
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

    func processorRatio(to other: String) -> Double? {
        guard let own = outcomes["leased"], let its = outcomes[other] else { return nil }
        return own.processorNanosecondsPerRequest / its.processorNanosecondsPerRequest
    }
}

enum Report {
    static func table(_ comparisons: [Comparison]) -> String {
        let head = """
            | `--sync` | connections x in flight | server | requests/s | leased is | to reach | \
            processor time a request | of it the kernel's | leased needs | at most | busy: server, load | \
            p50 | p99 |
            | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |

            """
        return head + comparisons.map(rows).joined()
    }

    private static func rows(_ comparison: Comparison) -> String {
        Peers.all.map(\.name).compactMap { name in
            comparison.outcomes[name].map { row(comparison, name, $0) }
        }.joined()
    }

    private static func row(_ comparison: Comparison, _ name: String, _ outcome: Outcome) -> String {
        let isOwn = name == "leased"
        let target = Target.of(comparison, name)
        let most = ProcessorTarget.of(comparison, name)
        let ratio = isOwn ? nil : comparison.ratio(to: name)
        let needs = isOwn ? nil : comparison.processorRatio(to: name)
        var cells: [String] = [comparison.syncing.rawValue, comparison.shape.name, name]
        cells.append(whole(outcome.requestsPerSecond))
        cells.append(times(ratio))
        cells.append(times(target) + verdict(target.map { (ratio ?? 0) >= $0 }))
        cells.append("\(whole(outcome.processorNanosecondsPerRequest)) ns")
        cells.append("\(whole(outcome.kernelShare * 100)) %")
        cells.append(times(needs))
        cells.append(times(most) + verdict(most.map { (needs ?? .infinity) <= $0 }))
        cells.append("\(whole(outcome.serverShare * 100)) %, \(whole(outcome.loadShare * 100)) %")
        cells.append("\(whole(outcome.p50Microseconds)) us")
        cells.append("\(whole(outcome.p99Microseconds)) us")
        return "| " + cells.joined(separator: " | ") + " |\n"
    }

    private static func times(_ ratio: Double?) -> String { ratio.map { "\(fixed($0)) x" } ?? "" }

    private static func verdict(_ isMet: Bool?) -> String { isMet == false ? " (missed)" : "" }

    /// For the README: what leased is beside each, in each shape.
    static func summary(_ comparisons: [Comparison]) -> String {
        let others = Peers.all.map(\.name).filter { $0 != "leased" }
        let present = others.filter { name in comparisons.contains { $0.outcomes[name] != nil } }
        var table = "| `--sync` | connections x in flight | requests/s | beside "
        table += present.joined(separator: " | ") + " |\n| --- | --- | ---: |"
        table += String(repeating: " ---: |", count: present.count) + "\n"
        for comparison in comparisons {
            guard let own = comparison.outcomes["leased"] else { continue }
            let ratios = present.map { times(comparison.ratio(to: $0)) }
            let cells = [comparison.syncing.rawValue, comparison.shape.name, whole(own.requestsPerSecond)]
            table += "| " + (cells + ratios).joined(separator: " | ") + " |\n"
        }
        return table
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

// `lease stats`: the same counts for people, as JSON, and in the text format of Prometheus.

import Foundation
import TestSupport
import Testing

/// A small reader of the text format: one family after the other, each explained before its samples.
private struct Families {
    struct Sample {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    private(set) var types: [String: String] = [:]
    private(set) var samples: [String: [Sample]] = [:]
    private(set) var faults: [String] = []

    init(_ text: String) {
        var explained = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP ") {
                explained = words[2]
            } else if line.hasPrefix("# TYPE ") {
                if words[2] != explained || types[explained] != nil { faults.append("\(line)") }
                types[explained] = words[3]
            } else if let sample = Families.sample(line), sample.name.hasPrefix(explained) {
                samples[explained, default: []].append(sample)
            } else {
                faults.append("\(line)")
            }
        }
        if !text.hasSuffix("\n") { faults.append("the last line has no end") }
    }

    private static func sample(_ line: Substring) -> Sample? {
        let form = /([a-z_]+)(?:\{([^{}]*)\})? ([0-9.]+)/
        guard let match = line.wholeMatch(of: form), let value = Double(match.3) else { return nil }
        var labels: [String: String] = [:]
        for label in (match.2 ?? "").split(separator: ",") {
            guard let parts = label.wholeMatch(of: /([a-z]+)="([A-Za-z0-9.+-]+)"/) else { return nil }
            guard labels.updateValue(String(parts.2), forKey: String(parts.1)) == nil else { return nil }
        }
        return Sample(name: String(match.1), labels: labels, value: value)
    }

    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples.values.joined().first { $0.name == name && $0.labels == labels }?.value
    }
}

@Suite struct StatisticsTests {
    private func busyRig() throws -> Rig {
        let rig = try Rig(["--clock=manual"])
        let client = try rig.daemon.connect()
        _ = client.ask("acquire user/1 species/3/video owner=secret-owner ttl=10s")
        _ = client.ask("acquire user/1")
        client.send("#w acquire user/1 wait=1m")
        #expect(holds { (try? rig.waitsInLine("user/1")) == true })
        _ = try rig.ask("clock advance=5s")
        _ = try rig.ask("renew 1")
        _ = try rig.ask("release 1")
        _ = try rig.ask("acquire dog/1")
        _ = try rig.ask("clock advance=1h")
        return rig
    }

    @Test func peopleAndProgramsGetTheSameCounts() throws {
        let rig = try busyRig()
        let shown = try rig.run("stats").output
        #expect(shown.contains("\nerrors: unknown-kind 1\n"), "\(shown)")
        let rows = shown.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let user = try #require(rows.first { $0.first == "user" })
        #expect(Array(user.prefix(5)) == ["user", "2", "1", "1", "1"] && user.suffix(2) == ["held", "1"])
        #expect(rows.last?.first == "(all)" && rows.last?[1] == "2")
        let fields = try rig.run("stats", "--json").fields
        #expect(fields["leases"] as? Int == 0 && (fields["errors"] as? [String: Int])?["unknown_kind"] == 1)
        let kinds = try #require(fields["kinds"] as? [[String: Any]])
        #expect(kinds.map { $0["kind"] as? String } == ["user", "conversation", "species"])
        let counts = kinds[0]["counts"] as? [String: Int]
        #expect(counts?["granted"] == 2 && counts?["busy_held"] == 1 && counts?["expired"] == 1)
        #expect((kinds[0]["waits"] as? [String: Int])?["le_10s"] == 1)
        let status = try rig.run("status", "--json").fields
        #expect(status["leases"] as? Int == 0 && status["waiting"] as? Int == 0)
    }

    @Test func prometheusCanReadThem() throws {
        let text = try busyRig().run("stats", "--prometheus").output
        let families = Families(text)
        #expect(families.faults == [])
        #expect(families.value("leased_kind_requests_total", ["kind": "user", "outcome": "granted"]) == 2)
        #expect(families.value("leased_requests_total", ["outcome": "granted"]) == 2)
        #expect(families.value("leased_kind_refusals_total", ["kind": "user", "reason": "held"]) == 1)
        #expect(families.value("leased_ended_leases_total", ["reason": "released"]) == 1)
        #expect(families.value("leased_errors_total", ["reason": "unknown-kind"]) == 1)
        #expect(families.value("leased_kind_wait_seconds_sum", ["kind": "user"]) == 5)
        #expect(families.value("leased_kind_wait_seconds_bucket", ["kind": "user", "le": "10"]) == 1)
        #expect(families.value("leased_kind_wait_seconds_bucket", ["kind": "user", "le": "1"]) == 0)
        #expect(families.value("leased_renewal_left_ratio_sum") == 0.5)
        #expect(families.value("leased_renewals_total") == 1)
        for (name, type) in families.types {
            let samples = families.samples[name] ?? []
            #expect((type == "counter") == name.hasSuffix("_total"), "\(name)")
            #expect(!samples.isEmpty, "\(name)")
            let labels = Set(samples.flatMap(\.labels.keys))
            #expect(labels.isSubset(of: ["kind", "outcome", "reason", "le"]))
            guard type == "histogram" else { continue }
            for (kind, buckets) in Dictionary(grouping: samples, by: { $0.labels["kind"] ?? "" }) {
                let counts = buckets.filter { $0.name == name + "_bucket" }
                let bounds = counts.map { Double($0.labels["le"] ?? "") ?? .infinity }
                #expect(bounds == bounds.sorted() && bounds.last == .infinity, "\(name) \(kind)")
                #expect(counts.map(\.value) == counts.map(\.value).sorted())
                #expect(buckets.first { $0.name == name + "_count" }?.value == counts.last?.value)
                #expect(buckets.contains { $0.name == name + "_sum" })
            }
        }
        #expect(!text.contains("secret-owner") && !text.contains("user/1"))
    }
}

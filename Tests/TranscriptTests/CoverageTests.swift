// The transcripts together show everything that the protocol can say.

import LeaseModel
import Testing

@testable import LeaseWire

@Suite struct TranscriptCoverageTests {
    /// They need a disk that fails or is full, or a stop that comes in the middle of a compaction.
    private static let exempted: Set<ErrorCode> = [.noSpace, .storage, .stopping, .compactionStopped]

    /// The words behind `A<` or `A>`, and behind the tag where there is one.
    private func talk(_ direction: String) -> [[String]] {
        Transcript.all.flatMap { $0.lines() }.filter { !$0.hasPrefix("#") }.compactMap { line in
            var words = line.split(separator: " ").map(String.init)
            guard let first = words.first, first.hasSuffix(direction) else { return nil }
            words.removeFirst()
            if words.count > 1, words[0].hasPrefix("#") { words.removeFirst() }
            return words.isEmpty ? nil : words
        }
    }

    /// What connections get: `ERR bad-key`, `BUSY why=held`.
    private func said() -> Set<String> {
        var said: Set<String> = []
        for words in talk("<") {
            if words[0] == "ERR" { said.insert("ERR \(words[1])") }
            if let why = words.first(where: { $0.hasPrefix("why=") }) { said.insert("\(words[0]) \(why)") }
        }
        return said
    }

    @Test func everyVerbIsUsed() {
        let asked = Set(talk(">").map { $0[0] })
        for verb in Verb.allCases {
            #expect(asked.contains(verb.rawValue), "no transcript uses \(verb.rawValue)")
        }
    }

    @Test func everyErrorOccurs() {
        let said = said()
        for code in ErrorCode.allCases where !Self.exempted.contains(code) {
            #expect(said.contains("ERR \(code.rawValue)"), "no transcript shows \(code.rawValue)")
        }
        for code in Self.exempted {
            #expect(!said.contains("ERR \(code.rawValue)"), "\(code.rawValue) need not be exempted any more")
        }
    }

    @Test func everyReasonOccurs() {
        let said = said()
        for reason in BusyReason.allCases {
            #expect(said.contains("BUSY why=\(reason.word)"), "no transcript shows why=\(reason.word)")
        }
        for word in EndReason.allCases.map({ "\($0.word)" }) + ["unknown"] {
            #expect(said.contains("GONE why=\(word)"), "no transcript shows why=\(word)")
        }
    }

    @Test func everyWordOfEveryVerbIsUsed() {
        let asked = talk(">")
        for entry in VerbTable.entries {
            let lines = asked.filter { $0[0] == entry.verb.rawValue }
            for word in entry.words {
                let form = word.name.form
                let isThere = lines.contains { line in
                    line.dropFirst().contains { word.name.isFlag ? $0 == form : $0.hasPrefix(form) }
                }
                #expect(isThere, "no transcript uses \(form) with \(entry.verb.rawValue)")
            }
        }
    }

    /// `granted`, `left why=timeout`. A watcher that is too slow needs a test of its own.
    @Test func everyEventOccurs() {
        var told: Set<String> = []
        for words in talk("<") where words[0] == "*" {
            guard let word = words.dropFirst().first(where: { !$0.contains("=") }) else { continue }
            told.insert(word)
            if let why = words.first(where: { $0.hasPrefix("why=") }) { told.insert("\(word) \(why)") }
        }
        let words = ["held", "granted", "renewed", "kept", "forgotten", "queued", "left", "expiring", "lost"]
        let wanted =
            words + EndReason.allCases.map { "\($0.word)" }
            + LeaveReason.allCases.map { "left why=\($0.word)" }
            + ForgetReason.allCases.map { "forgotten why=\($0.word)" }
            + EndReason.allCases.map { "lost why=\($0.word)" }
        for event in wanted {
            #expect(told.contains(event), "no transcript shows \(event)")
        }
    }
}

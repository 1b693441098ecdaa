// The reply to `stats`, by kinds.

import LeaseClient
import LeaseModel
import LeaseWire

struct Counts {
    /// What was counted of a kind, or of all.
    struct Part {
        /// nil: of all.
        let kind: String?
        /// By the words that begin them: `counts`, `waits`, `holds`, `renewals`. What is not there is 0.
        var lines: [String: ReplyLine] = [:]

        func count(_ name: String) -> Int64 { lines["counts"]?.count(name) ?? 0 }
        func histogram(_ name: String) -> ReplyLine? { lines[name] }
    }

    let first: ReplyLine
    /// `log`, `syncs`, `errors`.
    private(set) var ofDaemon: [String: ReplyLine] = [:]
    private(set) var all = Part(kind: nil)
    /// In the order of the policy.
    private(set) var kinds: [Part] = []

    init(_ answer: Answer) {
        first = answer.first
        for line in answer.lines {
            let word = String(decoding: line.word, as: UTF8.self)
            if let kind = line.shown("kind") {
                if kinds.last?.kind != kind { kinds.append(Part(kind: kind)) }
                kinds[kinds.count - 1].lines[word] = line
            } else if ["log", "syncs", "errors"].contains(word) {
                ofDaemon[word] = line
            } else {
                all.lines[word] = line
            }
        }
    }
}

// Whether a key could be had now, and if not why, in a sentence.

import LeaseClient
import LeaseModel
import LeaseWire

struct Why {
    private let key: Key
    private let first: ReplyLine
    private let holder: ReplyLine?
    private let resting: ReplyLine?
    private let waiter: ReplyLine?

    init(key: Key, _ answer: Answer) {
        self.key = key
        first = answer.first
        func line(_ word: String) -> ReplyLine? {
            answer.lines.first { $0.word.elementsEqual(word.utf8) }
        }
        // Holders come in the order in which they end.
        holder = line("holder")
        waiter = line("waiter")
        resting = line("resting")
    }

    private var holders: Int64 { first.count("holders") }
    private var waiting: Int64 { first.count("waiting") }
    private var isShared: Bool { holder?.value("shared") != nil }

    private var isFree: Bool { holders < first.count("limit") && waiting == 0 && !isShared && resting == nil }

    var sentence: String {
        let name = key.string
        if isFree {
            return holders == 0
                ? "\(name) is free" : "\(name) has room: \(holders) of \(first.count("limit")) are taken"
        }
        var parts: [String] = []
        if let holder, let text = Refusal.holder(holder) {
            let others = holders > 1 ? " and \(People.count(holders - 1, "other"))" : ""
            parts.append("\(name) is held\(isShared ? " shared" : "") by \(text)\(others)")
        }
        if resting != nil { parts.append("\(name) rests, since a holder of it was lost") }
        if let waiter, let owner = waiter.shown("owner") {
            let who = "\(owner) (pid \(waiter.shown("pid") ?? "?"))"
            parts.append(
                parts.isEmpty
                    ? "\(name) has room, but \(People.count(waiting, "request")) came before, \(who) first"
                    : "\(waiting) in line, \(who) first")
        }
        parts.append("you'd be \(People.ordinal(waiting + 1)) in line")
        return parts.joined(separator: "; ")
    }

    var json: JSON {
        .object([
            ("key", .text(key.string)), ("free", .bool(isFree)), ("sentence", .text(sentence)),
            ("holder", holder.map(Looking.object) ?? .null), ("waiting", .number(waiting)),
        ])
    }
}

// Whether a key could be had now, and if not why, in a sentence.

import LeaseClient
import LeaseModel
import LeaseWire

struct Why {
    private let key: Key
    private let first: ReplyLine
    private let holder: ReplyLine?
    private let waiter: ReplyLine?
    /// Slots that rest, in the order in which they have rested.
    private let rests: [ReplyLine]
    private let prospect: Prospect

    init(key: Key, _ answer: Answer) {
        self.key = key
        first = answer.first
        func lines(_ word: String) -> [ReplyLine] {
            answer.lines.filter { $0.word.elementsEqual(word.utf8) }
        }
        // Holders come in the order in which they end.
        holder = lines("holder").first
        waiter = lines("waiter").first
        rests = lines("resting")
        prospect = Prospect(answer)
    }

    private var holders: Int64 { first.count("holders") }
    private var resting: Int64 { first.count("resting") }
    private var limit: Int64 { first.count("limit") }
    private var isShared: Bool { holder?.value("shared") != nil }

    private var hasRoom: Bool { holders + resting < limit && !isShared }
    /// When the rate lets somebody have it; nil: now.
    private var rateLeft: Int64? { first.milliseconds("retry") }
    private var isFree: Bool { hasRoom && rateLeft == nil && prospect.waiting == 0 }

    var sentence: String {
        let name = key.string
        if isFree {
            if holders + resting == 0 { return "\(name) is free" }
            let rest = resting == 1 ? ", and one rests" : resting > 1 ? ", and \(resting) rest" : ""
            return "\(name) has room: \(holders) of \(limit) are taken\(rest)\(restLeft)"
        }
        var parts: [String] = []
        if let holder, let text = Refusal.holder(holder) {
            let others = holders > 1 ? " and \(People.count(holders - 1, "other"))" : ""
            parts.append("\(name) is held\(isShared ? " shared" : "") by \(text)\(others)")
        }
        if resting > 0, !hasRoom { parts.append(restSentence) }
        if hasRoom, let rateLeft {
            parts.append(
                "\(name) was granted as often as its rate allows for another \(People.time(rateLeft))")
        }
        if let line = lineSentence(isFirst: parts.isEmpty) { parts.append(line) }
        return (parts + [prospect.sentence]).joined(separator: "; ")
    }

    private var restSentence: String {
        let why = "\(restLeft), since a holder of it was lost"
        if holders == 0, limit == 1 { return "\(key.string) rests\(why)" }
        return (resting == 1 ? "one slot rests" : "\(resting) slots rest") + why
    }

    /// Till one can be had; where a reload has taken slots away, more than one has to have rested.
    private var restLeft: String {
        let place = min(max(0, Int(holders + resting - limit)), rests.count - 1)
        guard rests.indices.contains(place) else { return "" }
        return " for another \(People.time(rests[place].count("left")))"
    }

    private func lineSentence(isFirst: Bool) -> String? {
        guard let waiter, let owner = waiter.shown("owner") else { return nil }
        let who = "\(owner) (pid \(waiter.shown("pid") ?? "?")) first"
        if !isFirst { return "\(prospect.waiting) in line, \(who)" }
        let requests = People.count(prospect.waiting, "request")
        return "\(key.string) has room, but \(requests) came before, \(who)"
    }

    var json: JSON {
        .object([
            ("key", .text(key.string)), ("free", .bool(isFree)), ("sentence", .text(sentence)),
            ("holder", holder.map(Looking.object) ?? .null), ("waiting", .number(prospect.waiting)),
        ])
    }
}

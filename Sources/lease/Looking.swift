// What only looks: the holders of a key, the leases, the policy, the daemon itself.

import LeaseClient
import LeaseModel
import LeaseWire

enum Looking {
    static func get(_ call: Invocation) throws(Complaint) {
        let key = try Words.key(call.words[0])
        let answer = try Talk(call).ask(.get(key, limit: call.limit ?? 100))
        let lines = answer.lines
        guard !call.isJSON else {
            let groups = grouped(lines).map { (name: $0.name, value: JSON.list($0.lines.map(object))) }
            // The lists have the names of the counts, which may be greater where a list was cut.
            let names = ["holders": "holding", "lines": nil]
            let first = ReplyJSON.fields(of: answer.first, hasOneKey: true).compactMap { field in
                names[field.name, default: field.name].map { (name: $0, value: field.value) }
            }
            return Paper.output.line(JSON.object(first + groups).written)
        }
        let paper = Paper.output
        paper.line(heading(answer.first, paper))
        for group in grouped(lines) where !group.lines.isEmpty {
            switch group.name {
            case "holders": paper.write(LeaseTable.written(group.lines, on: paper, hasKey: false))
            case "waiters": paper.write(WaiterTable.written(group.lines, on: paper, hasKey: false))
            default: group.lines.forEach { paper.line("\(group.name) \(rest(of: $0))") }
            }
        }
        if answer.first.value("more") != nil { paper.line("... (more with --limit)") }
    }

    static func why(_ call: Invocation) throws(Complaint) {
        let key = try Words.key(call.words[0])
        let answer = try Talk(call).ask(.get(key, limit: 1_000))
        let why = Why(key: key, answer)
        Paper.output.line(call.isJSON ? why.json.written : why.sentence)
    }

    static func list(_ call: Invocation) throws(Complaint) {
        let talk = try Talk(call)
        var asked = ListRequest(prefix: try Words.prefix(call.words.first), waiting: call.isWaiting)
        var lines: [ReplyLine] = []
        var hasMore = true
        while hasMore, lines.count < call.limit ?? .max {
            asked.limit = min(Limits.listLimitMax, (call.limit ?? .max) - lines.count)
            let answer = try talk.ask(.list(asked))
            let page = answer.lines
            lines += page
            // Those who wait have no pages.
            hasMore = answer.first.value("more") != nil && !call.isWaiting && !page.isEmpty
            asked.after = page.last?.number("token") ?? .max
        }
        let paper = Paper.output
        if call.isJSON { return paper.line(JSON.list(lines.map(object)).written) }
        if lines.isEmpty {
            // Not for programs that read the lines.
            return Paper.errors.line(call.isWaiting ? "nobody waits" : "no leases")
        }
        paper.write(
            call.isWaiting
                ? WaiterTable.written(lines, on: paper, hasKey: true)
                : LeaseTable.written(lines, on: paper, hasKey: true))
    }

    static func policy(_ call: Invocation) throws(Complaint) {
        var key: Key?
        if let word = call.words.first { key = try Words.key(word) }
        let answer = try Talk(call).ask(.policy(key))
        let paper = Paper.output
        if key != nil {
            if call.isJSON { return paper.line(JSON.list(answer.lines.map(rule)).written) }
            var columns = Columns(["RULE", "VALUE", "FROM"])
            for line in answer.lines {
                guard let field = line.fields.first else { continue }
                let from = line.shown("from-line").map { "line \($0)" } ?? line.shown("from") ?? ""
                columns.add([Printed.shown(field.name), shownRule(field.value), from])
            }
            return paper.write(columns.written(on: paper))
        }
        let texts = answer.texts.map { String(decoding: $0.dropFirst(2), as: UTF8.self) }
        if call.isJSON { return paper.line(JSON.list(texts.map(policyLine)).written) }
        texts.forEach(paper.line)
    }

    static func ping(_ call: Invocation) throws(Complaint) {
        let before = BootClock.now()
        let talk = try Talk(call)
        _ = try talk.ask(.ping)
        let took = before.until(BootClock.now())
        let microseconds = took.nanoseconds / 1_000
        let path = talk.search.path ?? ""
        let answer = JSON.object([
            ("status", .text("ok")), ("socket", .text(path)), ("took_us", .number(microseconds)),
        ])
        Paper.output.line(call.isJSON ? answer.written : "\(path) answers (\(microseconds)us)")
    }
}

extension Looking {
    static func object(_ line: ReplyLine) -> JSON { .object(ReplyJSON.fields(of: line)) }

    /// `3: kind user id`.
    private static func policyLine(_ text: String) -> JSON {
        let number = text.prefix { $0 != ":" }
        return .object([
            ("line", Int64(number).map { .number($0) } ?? .null),
            ("text", .text(String(text.dropFirst(number.count + 2)))),
        ])
    }

    /// `limit=1 from-line=3`, its first field being a rule.
    private static func rule(_ line: ReplyLine) -> JSON {
        let fields = ReplyJSON.fields(of: line)
        guard let first = fields.first, let rule = line.fields.first else { return .object(fields) }
        let name = ("rule", JSON.text(String(decoding: rule.name, as: UTF8.self)))
        let value = (first.name.hasSuffix("_ms") ? "value_ms" : "value", first.value)
        return .object([name, value] + fields.dropFirst())
    }

    /// Holders and waiters, there or not, and then what else there may be, by the word that begins its line.
    private static func grouped(_ lines: [ReplyLine]) -> [(name: String, lines: [ReplyLine])] {
        var groups: [(name: String, lines: [ReplyLine])] = [("holders", []), ("waiters", [])]
        for line in lines {
            let word = String(decoding: line.word, as: UTF8.self)
            let name = word == "holder" || word == "waiter" ? word + "s" : word
            if let index = groups.firstIndex(where: { $0.name == name }) {
                groups[index].lines.append(line)
            } else {
                groups.append((name, [line]))
            }
        }
        return groups
    }

    private static func heading(_ line: ReplyLine, _ paper: Paper) -> String {
        let rules = line.fields.compactMap { field -> String? in
            let name = String(decoding: field.name, as: UTF8.self)
            guard !["lines", "key", "holders", "waiting", "more"].contains(name) else { return nil }
            return "\(name) \(shownRule(field.value))"
        }
        let holders = People.count(line.count("holders"), "holder")
        let key = paper.coloured(line.shown("key") ?? "", .bold)
        return "\(key): \(holders), \(line.count("waiting")) waiting; " + rules.joined(separator: ", ")
    }

    /// Times as people write them, also that of a rate: `30/1h`.
    private static func shownRule(_ value: [UInt8]) -> String {
        let text = Printed.shown(value)
        let parts = text.split(separator: "/").map(String.init)
        guard let last = parts.last, last.hasSuffix("ms"), let time = Int64(last.dropLast(2)) else {
            return text
        }
        return (parts.dropLast() + [People.time(time)]).joined(separator: "/")
    }

    private static func rest(of line: ReplyLine) -> String {
        line.fields.map { field in
            "\(String(decoding: field.name, as: UTF8.self))=\(Printed.shown(field.value))"
        }.joined(separator: " ")
    }
}

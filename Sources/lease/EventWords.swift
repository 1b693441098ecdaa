// What happened, for people and for programs: the same words from the daemon and from a log.

import LeaseModel
import LeaseWire

enum EventWords {
    /// One line, without its end: the change's number first, by which a watch can be taken up again.
    static func line(_ line: ReplyLine, on paper: Paper) -> String {
        let sequence = line.shown("seq") ?? ""
        let word = what(line)
        let gap = String(repeating: " ", count: max(0, wordWidth - word.count))
        let token = line.shown("token").map { ["lease \($0)"] } ?? []
        let details = details(line)
        let rest = [who(line)] + token + (details.isEmpty ? [] : [details])
        return "\(paper.coloured(sequence, .faint))  \(paper.coloured(word, colour(word)))\(gap)  "
            + "\(line.shown("key") ?? "")  \(rest.joined(separator: ", "))"
    }

    /// `when` is what stands in the first column.
    static func table(
        _ lines: [(when: String, line: ReplyLine)], _ heading: String, on paper: Paper
    ) -> String {
        var columns = Columns(
            [heading, "SEQ", "EVENT", "TOKEN", "KEY", "OWNER", "PID", "UID", "DETAILS"],
            right: [0, 1, 3, 6, 7])
        for entry in lines {
            let line = entry.line
            let named = ["token", "key", "owner", "pid", "uid"].map { line.shown($0) ?? "" }
            columns.add([entry.when, line.shown("seq") ?? "", what(line)] + named + [details(line)])
        }
        return columns.written(on: paper)
    }

    /// With the word of the event under `event`.
    static func object(_ line: ReplyLine) -> JSON {
        .object([(name: "event", value: .text(what(line)))] + ReplyJSON.fields(of: line))
    }

    static func what(_ line: ReplyLine) -> String { Printed.shown(line.word) }

    /// The longest word that is usual.
    private static let wordWidth = "process-ended".count

    private static func who(_ line: ReplyLine) -> String {
        let place = "pid \(line.shown("pid") ?? "?"), uid \(line.shown("uid") ?? "?")"
        return line.shown("owner").map { "\($0) (\(place))" } ?? place
    }

    /// Whatever else the line says, in its order.
    private static func details(_ line: ReplyLine) -> String {
        let said: Set = ["seq", "ago", "key", "token", "owner", "pid", "uid"]
        let parts = line.fields.compactMap { field -> String? in
            let name = String(decoding: field.name, as: UTF8.self)
            let value = Printed.shown(field.value)
            if said.contains(name) || (name == "priority" && value == "0") { return nil }
            if value == "yes", name != "note" { return name }
            let isTime = field.value.suffix(2).elementsEqual("ms".utf8)
            let time = name == "note" || !isTime ? nil : line.milliseconds(name)
            return "\(name) \(time.map(People.time) ?? value)"
        }
        return parts.joined(separator: ", ")
    }

    private static func colour(_ word: String) -> Paper.Colour {
        switch word {
        case "granted", "held", "kept": .green
        case "expired", "evicted", "process-ended", "disconnected": .red
        case "queued", "left": .yellow
        default: .bold
        }
    }
}

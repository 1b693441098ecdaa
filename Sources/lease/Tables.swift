// Leases and waiters in columns.

import LeaseModel
import LeaseWire

enum LeaseTable {
    static func written(_ lines: [ReplyLine], on paper: Paper, hasKey: Bool) -> String {
        let key = hasKey ? ["KEY"] : []
        let numbers = hasKey ? [0, 3, 4, 5, 6] : [0, 2, 3, 4, 5]
        let hasDetails = lines.contains { !details($0, hasKey: hasKey).isEmpty }
        var columns = Columns(
            ["TOKEN"] + key + ["OWNER", "PID", "UID", "AGE", "LEFT"] + (hasDetails ? ["DETAILS"] : []),
            right: Set(numbers))
        for line in lines {
            columns.add(
                [line.shown("token") ?? ""] + (hasKey ? [line.shown("key") ?? ""] : [])
                    + [line.shown("owner") ?? "", line.shown("pid") ?? "", line.shown("uid") ?? ""]
                    + [People.time(line.count("age")), People.time(line.count("left"))]
                    + (hasDetails ? [details(line, hasKey: hasKey)] : []))
        }
        return columns.written(on: paper)
    }

    private static func details(_ line: ReplyLine, hasKey: Bool) -> String {
        Details.text(line, ["shared", "ephemeral"], hasKey ? ["while", "note"] : ["while", "key", "note"])
    }
}

enum WaiterTable {
    static func written(_ lines: [ReplyLine], on paper: Paper, hasKey: Bool) -> String {
        let hasDetails = lines.contains { !details($0, hasKey: hasKey).isEmpty }
        var columns = Columns(
            [hasKey ? "KEY" : "PLACE", "OWNER", "PID", "UID", "WAITED", "LEFT"]
                + (hasDetails ? ["DETAILS"] : []),
            right: hasKey ? [2, 3, 4, 5] : [0, 2, 3, 4, 5])
        for line in lines {
            columns.add(
                [line.shown(hasKey ? "key" : "position") ?? ""]
                    + [line.shown("owner") ?? "", line.shown("pid") ?? "", line.shown("uid") ?? ""]
                    + [People.time(line.count("waited")), line.milliseconds("left").map(People.time) ?? "-"]
                    + (hasDetails ? [details(line, hasKey: hasKey)] : []))
        }
        return columns.written(on: paper)
    }

    private static func details(_ line: ReplyLine, hasKey: Bool) -> String {
        let priority = line.count("priority")
        let first = priority > 0 ? ["priority \(priority)"] : []
        let others = Details.text(line, ["shared"], hasKey ? [] : ["key"])
        return (first + (others.isEmpty ? [] : [others])).joined(separator: ", ")
    }
}

private enum Details {
    /// Flags by their names, texts behind theirs.
    static func text(_ line: ReplyLine, _ flags: [String], _ texts: [String]) -> String {
        let set = flags.filter { line.value($0) != nil }
        let said = texts.compactMap { name in line.shown(name).map { "\(name) \($0)" } }
        return (set + said).joined(separator: ", ")
    }
}

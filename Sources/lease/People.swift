// How times, places and texts are written for people.

import LeaseModel

enum People {
    /// As in `640ms`, `9.5s`, `28s`, `2m04s`, `10m`, `3h07m`, `2d05h`: two units at most, rounded down.
    static func time(_ milliseconds: Int64) -> String {
        let seconds = milliseconds / 1_000
        if milliseconds < 1_000 { return "\(max(0, milliseconds))ms" }
        if seconds < 10 {
            let tenths = milliseconds % 1_000 / 100
            return tenths == 0 ? "\(seconds)s" : "\(seconds).\(tenths)s"
        }
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3_600 { return "\(seconds / 60)m" + rest(seconds % 60, "s") }
        if seconds < 86_400 { return "\(seconds / 3_600)h" + rest(seconds / 60 % 60, "m") }
        return "\(seconds / 86_400)d" + rest(seconds / 3_600 % 24, "h")
    }

    static func time(_ duration: Duration) -> String { time(duration.wholeMilliseconds) }

    /// As it is typed: all of it, in the greatest unit that leaves nothing over.
    static func typed(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        let units: [(length: Int64, name: String)] = [
            (86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms"),
        ]
        let unit = units.first { milliseconds >= $0.length && milliseconds % $0.length == 0 }
        return unit.map { "\(milliseconds / $0.length)\($0.name)" } ?? "0s"
    }

    /// As in `1st`, `2nd`, `13th`.
    static func ordinal(_ number: Int64) -> String {
        let teens = 11...13 ~= number % 100
        let ending =
            switch number % 10 {
            case 1 where !teens: "st"
            case 2 where !teens: "nd"
            case 3 where !teens: "rd"
            default: "th"
            }
        return "\(number)\(ending)"
    }

    static func count(_ number: Int64, _ noun: String, _ plural: String? = nil) -> String {
        "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
    }

    /// Two digits, or nothing at all.
    private static func rest(_ number: Int64, _ unit: String) -> String {
        if number == 0 { return "" }
        return number < 10 ? "0\(number)\(unit)" : "\(number)\(unit)"
    }
}

/// Texts as they come from the daemon, which prints everything but printable ASCII as `%XX`.
enum Printed {
    /// For people: spaces and what is printable beyond ASCII are shown, and nothing that could drive a
    /// terminal.
    static func shown(_ printed: [UInt8]) -> String {
        let text = decoded(printed)
        var shown = ""
        for scalar in text.unicodeScalars {
            if isHarmless(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += Text(String(scalar)).string
            }
        }
        return shown
    }

    /// For programs: what the client wrote, with U+FFFD for what is no UTF-8.
    static func decoded(_ printed: [UInt8]) -> String {
        String(decoding: Text(printed: printed).decoded, as: UTF8.self)
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            false
        default: true
        }
    }
}

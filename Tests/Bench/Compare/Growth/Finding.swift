// What was found of one promise: a figure beside its target.

/// One figure and what it is to be.
struct Finding {
    let subject: String
    let figure: String
    let target: String
    /// nil: there is no target, the figure is for reference.
    let isMet: Bool?

    /// At most so much.
    static func most(_ subject: String, _ value: Double, _ unit: String, target: Double) -> Finding {
        Finding(
            subject: subject, figure: shown(value, unit), target: "at most \(shown(target, unit))",
            isMet: value <= target)
    }

    /// At least so much.
    static func least(_ subject: String, _ value: Double, _ unit: String, target: Double) -> Finding {
        Finding(
            subject: subject, figure: shown(value, unit), target: "at least \(shown(target, unit))",
            isMet: value >= target)
    }

    static func note(_ subject: String, _ value: Double, _ unit: String) -> Finding {
        Finding(subject: subject, figure: shown(value, unit), target: "", isMet: nil)
    }

    var line: String {
        let verdict = isMet.map { $0 ? "met" : "MISSED" } ?? ""
        return "| \(subject) | \(figure) | \(target) | \(verdict) |\n"
    }

    static let head = "| what grows | figure | target | |\n| --- | --- | --- | --- |\n"

    private static func shown(_ value: Double, _ unit: String) -> String {
        let number = value < 100 ? Report.fixed(value) : Report.whole(value)
        return unit.isEmpty ? number : "\(number) \(unit)"
    }
}

func milliseconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1e6 }

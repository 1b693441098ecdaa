// Clients with one task: to watch everything, or to move the manual clock.

import SimulationChecker

/// What a client watches, and up to where it has been told.
struct Watching {
    let prefixes: String
    /// 0: it begins with what there is.
    var told: UInt64
    var isOn = false

    var line: String {
        let words = prefixes.isEmpty ? "watch" : "watch " + prefixes
        return told == 0 ? words : words + " since=\(told)"
    }
}

/// What its keeper knows of the manual clock: it shows something between these.
struct ManualClock {
    var low: Int64 = 0
    var high: Int64 = 0
    /// An answer is to come.
    var isAsked = false
    /// What came of the last advance is not known: it is asked for before the next.
    var isUnsure = true
    /// It went back, or further than anybody asked for.
    var isWrong = false

    mutating func disconnected() {
        isAsked = false
        isUnsure = true
    }
}

extension Client {
    mutating func observe(_ draw: inout Draw) -> [Wish] {
        if watching?.isOn == true {
            return draw.chance(10) ? [.send(Array("history last=\(1 + draw.below(40))\n".utf8))] : []
        }
        if watching == nil { watching = Watching(prefixes: "", told: 0) }
        watching!.isOn = true
        return [.send(Array("#w \(watching!.line)\n".utf8))]
    }

    /// By a little, or by so much that much is over.
    mutating func keepClock(_ world: Scenario, _ draw: inout Draw, isHealed: Bool = false) -> [Wish] {
        guard !clock.isAsked else { return [] }
        clock.isAsked = true
        guard !clock.isUnsure else { return [.send(Array("#k clock\n".utf8))] }
        let most = draw.one(of: [1, 10, world.pause / millisecond, 2 * world.ttlMax / millisecond])
        let step = isHealed ? world.longest / millisecond / 4 : 1 + draw.range(0...most)
        clock.high = max(clock.high, clock.low + step * millisecond)
        return [.send(Array("#k clock advance=\(step)ms\n".utf8))]
    }

    mutating func hearAsKeeper(_ told: Told) {
        if role == .observer, told.status == "ERR" {
            // What it missed is no longer remembered.
            watching = nil
        }
        guard role == .clockKeeper else { return }
        clock.isAsked = false
        clock.isUnsure = true
        guard told.fields["clock"] == "manual", let now = told.span("now") else { return }
        clock.isWrong = clock.isWrong || now < clock.low || now > clock.high
        clock.low = now
        clock.high = now
        clock.isUnsure = false
    }
}

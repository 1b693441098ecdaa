// What a client asks for, drawn from its habits.

import SimulationChecker

extension Client {
    mutating func line(_ world: Scenario, _ processes: Processes, _ draw: inout Draw) -> String {
        let habits = world.habits
        var tag = ""
        if draw.chance(habits.tags) {
            lastTag += 1
            tag = "#t\(lastTag) "
            // Seldom one that waits already.
            if draw.chance(2), let waiting = tags.last { tag = "#\(waiting) " }
        }
        if isInDoubt, let last = retries.last {
            isInDoubt = false
            return tag + last
        }
        if draw.chance(habits.nonsense / 3) { return tag + nonsense(&draw) }
        if draw.chance(habits.compacts / 4), uid == 0 { return tag + "compact" }
        if draw.chance(habits.looks) { return tag + look(world, &draw) }
        if draw.chance(habits.watches / 6) { return tag + watch(world, &draw) }
        if draw.chance(habits.reloads / 6), uid == 0 { return tag + "reload" }
        if draw.chance(habits.drains / 20), uid == 0 { return tag + "drain" }
        if draw.chance(habits.results / 10) { return tag + "forget \(draw.one(of: world.keys))" }
        if draw.chance(habits.evicts / 4), uid == 0 { return tag + "evict \(draw.below(60))" }
        if draw.chance(10), let waiting = tags.last { return tag + "cancel \(waiting)" }
        if !held.isEmpty, draw.chance(55) { return tag + tend(world, processes, &draw) }
        if draw.chance(habits.retries / 2), !retries.isEmpty { return tag + draw.one(of: retries) }
        let wish = acquire(world, processes, &draw)
        if !tag.isEmpty, wish.contains(" wait=") { tags.append(String(tag.dropFirst().dropLast())) }
        return tag + wish
    }

    private mutating func tend(_ world: Scenario, _ processes: Processes, _ draw: inout Draw) -> String {
        // Seldom one that may be anybody's.
        let token = draw.chance(3) ? UInt64(1 + draw.below(60)) : draw.one(of: held)
        if draw.chance(50) {
            forget(token)
            guard draw.chance(world.habits.results) else { return "release \(token)" }
            lastResult += 1
            let keep = draw.chance(50) ? " keep=\(1 + draw.below(Int(world.ttlMax / millisecond)))ms" : ""
            return "release \(token) result=\(name)-\(lastResult)\(keep)"
        }
        var line = "renew \(token)"
        if draw.chance(40) { line += " ttl=\(1 + draw.below(Int(world.ttlMax / millisecond)))ms" }
        if draw.chance(world.habits.ephemeral / 4) { line += " ephemeral" }
        if draw.chance(world.habits.processes / 4) { line += " while=\(processes.start(uid: uid))" }
        return line
    }

    private mutating func acquire(_ world: Scenario, _ processes: Processes, _ draw: inout Draw) -> String {
        let habits = world.habits
        let joins = draw.chance(habits.joins)
        var keys = [draw.one(of: world.keys)]
        while draw.chance(habits.several / (joins ? 10 : 2)), keys.count < 4 {
            keys.append(draw.one(of: world.keys))
        }
        var seen: Set<String> = []
        var line = "acquire " + keys.filter { seen.insert($0).inserted }.joined(separator: " ")
        line += " owner=\(name)"
        if draw.chance(70) { line += " ttl=\(1 + draw.below(Int(world.ttlMax / millisecond)))ms" }
        if draw.chance(habits.waits) {
            let most = Int(world.waitMax / millisecond)
            line += draw.chance(15) ? " wait=forever" : " wait=\(1 + draw.below(most))ms"
        }
        if joins { line += " join" }
        if draw.chance(habits.notifies) { line += " notify" }
        if draw.chance(habits.shared / (joins ? 10 : 2)) { line += " shared" }
        if draw.chance(habits.priorities / 2) { line += " priority=\(draw.below(10))" }
        if draw.chance(habits.ephemeral / 2) { line += " ephemeral" }
        if draw.chance(habits.processes / 3) { line += " while=\(processes.start(uid: uid))" }
        if draw.chance(20) { line += " note=a%20b" }
        if draw.chance(habits.retries) {
            lastRequest += 1
            line += " request=\(name)-\(lastRequest)"
            retries.append(line)
            if retries.count > 4 { retries.removeFirst() }
        }
        return line
    }

    private func look(_ world: Scenario, _ draw: inout Draw) -> String {
        let key = draw.one(of: world.keys)
        let tokens = past + held
        switch draw.below(9) {
        case 0, 1: return "get \(key)"
        case 2: return "list"
        case 3: return "list waiting"
        case 4: return "history last=\(1 + draw.below(50))"
        case 5: return "history \(key)"
        case 6: return draw.one(of: ["ping", "whoami", "policy", "help", "stats", "policy \(key)"])
        default: return tokens.isEmpty ? "check \(1 + draw.below(50))" : "check \(draw.one(of: tokens))"
        }
    }

    /// Everything or some of it, from now on or from where it was before, or no more.
    private mutating func watch(_ world: Scenario, _ draw: inout Draw) -> String {
        if draw.chance(15) { return "unwatch" }
        if let watching, draw.chance(50) { return watching.line }
        let kind = draw.one(of: ["user/", "pool/", "room/"])
        let key = draw.one(of: world.keys)
        let prefixes = draw.one(of: ["", kind, key, kind + " " + key])
        watching = Watching(prefixes: prefixes, told: 0)
        return watching!.line
    }

    private func nonsense(_ draw: inout Draw) -> String {
        draw.one(of: [
            "bad", "", "acquire bad", "acquire user/0 ttl=bad", "renew bad", "release user/bad", "bad\u{1}",
            "acquire user/0 user/0 bad", "get bad/key", "#bad!tag ping", "cancel bad",
            "acquire " + String(repeating: "bad/", count: 2_100),
        ])
    }
}

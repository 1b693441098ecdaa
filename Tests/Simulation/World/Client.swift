// A client with habits: it asks, holds, retries, forgets, stops reading, and goes without a word.

import SimulationChecker

/// What a client wants to do with its connection.
enum Wish {
    case send([UInt8])
    case endInput
    case hangUp
    /// To go on with another one, without a word on this one: what comes there is read by nobody.
    case abandon
}

struct Client {
    let uid: UInt32
    let name: String
    var pid: Int32 = 0
    var wire: Wire?
    /// Tokens that it believes to have.
    var held: [UInt64] = []
    /// Tokens that it had, and may ask about.
    var past: [UInt64] = []
    /// Tags of requests that may still wait.
    var tags: [String] = []
    /// Requests that it would send again: with what they asked for.
    var retries: [String] = []
    var received: [UInt8] = []
    var readsAgainAt: Int64 = 0
    var hasEndedInput = false
    /// It does not know what came of its last request: it sends it again first.
    private var isInDoubt = false
    private var lastTag = 0
    private var lastRequest = 0

    init(uid: UInt32, name: String) {
        self.uid = uid
        self.name = name
    }

    /// The connection is gone; what it holds, it holds.
    mutating func disconnected() {
        wire = nil
        tags = []
        received = []
        hasEndedInput = false
    }

    // What it is told.

    mutating func hear(_ bytes: [UInt8]) {
        received += bytes
        while let end = received.firstIndex(of: UInt8(ascii: "\n")) {
            let line = received[..<end]
            received.removeFirst(end + 1)
            var words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            if let first = words.first, first.hasPrefix("#") {
                tags.removeAll { "#" + $0 == first }
                words.removeFirst()
            }
            hear(Told(words: words))
        }
    }

    private mutating func hear(_ told: Told) {
        guard let token = told.token else { return }
        switch told.status {
        case "OK" where told.fields["held"] != nil, "GONE": forget(token)
        case "OK" where told.fields["owner"] == nil && told.fields["ttl"] != nil && !held.contains(token):
            held.append(token)
        default: break
        }
    }

    private mutating func forget(_ token: UInt64) {
        held.removeAll { $0 == token }
        if !past.contains(token) { past.append(token) }
        if past.count > 8 { past.removeFirst() }
    }

    // What it does.

    /// The next thing that it does on its connection.
    mutating func act(_ world: Scenario, _ processes: Processes, _ draw: inout Draw) -> [Wish] {
        let habits = world.habits
        if draw.chance(habits.hangsUp / 4) { return [.hangUp] }
        if draw.chance(habits.abandons / 4) {
            isInDoubt = true
            return [.abandon]
        }
        if hasEndedInput { return [] }
        if draw.chance(habits.halfCloses / 8) {
            hasEndedInput = true
            return [.endInput]
        }
        if draw.chance(habits.forgets / 4), !held.isEmpty { forget(held[draw.below(held.count)]) }
        var lines = [line(world, processes, &draw)]
        while draw.chance(habits.pipelines) { lines.append(line(world, processes, &draw)) }
        let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        guard draw.chance(habits.splits), bytes.count > 1 else { return [.send(bytes)] }
        let split = 1 + draw.below(bytes.count - 1)
        return [.send(Array(bytes[..<split])), .send(Array(bytes[split...]))]
    }

    /// Gives back what it has: how a run ends.
    mutating func giveUp() -> [Wish] {
        guard !hasEndedInput, !held.isEmpty else { return [] }
        let lines = held.map { "release \($0)\n" }
        held.removeAll()
        return [.send(Array(lines.joined().utf8))]
    }

    private mutating func line(_ world: Scenario, _ processes: Processes, _ draw: inout Draw) -> String {
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
        if draw.chance(habits.evicts / 4), uid == 0 { return tag + "evict \(draw.below(60))" }
        if draw.chance(10), let waiting = tags.last { return tag + "cancel \(waiting)" }
        if !held.isEmpty, draw.chance(55) { return tag + tend(world, processes, &draw) }
        if draw.chance(habits.retries / 2), !retries.isEmpty { return tag + draw.one(of: retries) }
        let wish = acquire(world, processes, &draw)
        if !tag.isEmpty, wish.contains(" wait=") { tags.append(String(tag.dropFirst().dropLast())) }
        return tag + wish
    }

    private mutating func tend(_ world: Scenario, _ processes: Processes, _ draw: inout Draw) -> String {
        let token = draw.one(of: held)
        if draw.chance(50) {
            forget(token)
            return "release \(token)"
        }
        var line = "renew \(token)"
        if draw.chance(40) { line += " ttl=\(1 + draw.below(Int(world.ttlMax / millisecond)))ms" }
        if draw.chance(world.habits.ephemeral / 4) { line += " ephemeral" }
        if draw.chance(world.habits.processes / 4) { line += " while=\(processes.start(uid: uid))" }
        return line
    }

    private mutating func acquire(_ world: Scenario, _ processes: Processes, _ draw: inout Draw) -> String {
        let habits = world.habits
        var keys = [draw.one(of: world.keys)]
        while draw.chance(habits.several / 2), keys.count < 4 { keys.append(draw.one(of: world.keys)) }
        var seen: Set<String> = []
        var line = "acquire " + keys.filter { seen.insert($0).inserted }.joined(separator: " ")
        line += " owner=\(name)"
        if draw.chance(70) { line += " ttl=\(1 + draw.below(Int(world.ttlMax / millisecond)))ms" }
        if draw.chance(habits.waits) {
            let most = Int(world.waitMax / millisecond)
            line += draw.chance(15) ? " wait=forever" : " wait=\(1 + draw.below(most))ms"
        }
        if draw.chance(habits.shared / 2) { line += " shared" }
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
        switch draw.below(7) {
        case 0, 1: return "get \(key)"
        case 2: return "list"
        case 3: return "list waiting"
        case 4: return draw.one(of: ["ping", "whoami", "policy", "help", "policy \(key)"])
        default: return tokens.isEmpty ? "check \(1 + draw.below(50))" : "check \(draw.one(of: tokens))"
        }
    }

    private func nonsense(_ draw: inout Draw) -> String {
        draw.one(of: [
            "bad", "", "acquire bad", "acquire user/0 ttl=bad", "renew bad", "release user/bad", "bad\u{1}",
            "acquire user/0 user/0 bad", "get bad/key", "#bad!tag ping", "cancel bad",
            "acquire " + String(repeating: "bad/", count: 2_100),
        ])
    }
}

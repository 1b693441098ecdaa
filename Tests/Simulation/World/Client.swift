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

/// What a client is there for.
enum Role {
    /// Takes leases, and does what comes to its mind.
    case user
    /// Watches everything, and comes back to it.
    case observer
    /// Moves the manual clock.
    case clockKeeper
    /// Asks at the end whether everything is free.
    case auditor
}

struct Client {
    let uid: UInt32
    let name: String
    let role: Role
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
    var isInDoubt = false
    var lastTag = 0
    var lastRequest = 0
    var lastResult = 0
    /// Its watch, and up to where it has been told.
    var watching: Watching?
    var clock = ManualClock()

    init(uid: UInt32, name: String, role: Role = .user) {
        self.uid = uid
        self.name = name
        self.role = role
    }

    /// The connection is gone; what it holds, it holds.
    mutating func disconnected() {
        wire = nil
        watching?.isOn = false
        clock.disconnected()
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
            if words.first == "*" {
                hearEvent(Array(words.dropFirst()))
            } else {
                hear(Told(words: words))
            }
        }
    }

    private mutating func hearEvent(_ words: [String]) {
        let told = Told(words: words)
        switch told.status {
        case "lost": if let token = told.token { forget(token) }
        case "cut":
            watching?.isOn = false
            watching?.told = told.number("seq") ?? 0
        default: if let sequence = told.number("seq") { watching?.told = sequence }
        }
    }

    private mutating func hear(_ told: Told) {
        if role != .user { hearAsKeeper(told) }
        guard let token = told.token else { return }
        switch told.status {
        case "OK" where told.fields["held"] != nil, "GONE": forget(token)
        case "OK" where told.fields["owner"] == nil && told.fields["ttl"] != nil && !held.contains(token):
            held.append(token)
        default: break
        }
    }

    mutating func forget(_ token: UInt64) {
        held.removeAll { $0 == token }
        if !past.contains(token) { past.append(token) }
        if past.count > 8 { past.removeFirst() }
    }

    // What it does.

    /// The next thing that it does on its connection.
    mutating func act(_ world: Scenario, _ processes: Processes, _ draw: inout Draw) -> [Wish] {
        switch role {
        case .observer: return observe(&draw)
        case .clockKeeper: return keepClock(world, &draw)
        case .auditor: return []
        case .user: break
        }
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
}

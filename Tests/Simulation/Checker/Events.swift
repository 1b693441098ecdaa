// What came by itself: the events of a watch, and the notices of a request and its lease.

/// A watch, and everything that it was told.
struct Watched {
    let ask: Int
    let connection: Int
    let tag: String
    let prefixes: [String]
    /// Everything behind this number is to be told: it asked for that, or the picture was of then.
    let from: UInt64
    /// How many leases its picture was to show; nil: it came back with `since=`.
    let leases: Int?
    var held: [(told: Told, at: Int64)] = []
    var changes: [(sequence: UInt64, told: Told, at: Int64)] = []
    /// Up to here it has been told everything.
    var to: UInt64
    var endedAt: Int64?

    var isComplete: Bool { leases == nil || held.count == leases }

    func concerns(_ keys: [String]) -> Bool {
        prefixes.isEmpty
            || prefixes.contains { prefix in
                let stem = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
                return keys.contains { $0 == stem || $0.hasPrefix(stem + "/") }
            }
    }
}

/// A word about a request, or the lease that came of it.
struct Notice {
    let connection: Int
    let tag: String
    let told: Told
    let at: Int64
    /// How many requests had been sent, and whether this one had been answered.
    let isBeforeAnswer: Bool
}

extension History {
    /// Whether a watch was to be told of all keys, and of everybody's.
    func isOfAll(_ watch: Watched) -> Bool {
        watch.prefixes.isEmpty && (!isPrivate || talks[watch.connection]!.uid == 0)
    }

    mutating func hearEvent(_ connection: Int, _ tag: String, _ words: [String], at time: Int64) {
        guard let first = words.first else { return accuse("events", "an event that says nothing") }
        if first.hasPrefix("seq=") || first == "cut" {
            let what = first == "cut" ? words : Array(words.dropFirst()) + [first]
            return hearWatch(connection, tag, Told(words: what), at: time)
        }
        let told = Told(words: words)
        guard let ask = asks.last(where: { isNotified($0, connection, tag) }) else {
            return accuse("notices", "nobody asked connection \(connection) for `\(words)`")
        }
        notices.append(
            Notice(
                connection: connection, tag: tag, told: told, at: time, isBeforeAnswer: ask.answer == nil))
    }

    private func isNotified(_ ask: Ask, _ connection: Int, _ tag: String) -> Bool {
        ask.connection == connection && ask.spoken.tag == tag && ask.spoken.verb == "acquire"
            && ask.spoken.has("notify") && ask.answer?.status != "ERR"
    }

    private mutating func hearWatch(_ connection: Int, _ tag: String, _ told: Told, at time: Int64) {
        guard let place = talks[connection]?.watch, watches[place].tag == tag,
            let sequence = told.number("seq")
        else { return accuse("events", "connection \(connection) watches nothing, and got \(told)") }
        let last = watches[place].to
        switch told.status {
        case "cut":
            talks[connection]!.watch = nil
            watches[place].endedAt = time
            let hasBegun = watches[place].isComplete && !(sequence == 0 && watches[place].changes.isEmpty)
            if hasBegun ? sequence < last : sequence != 0 {
                accuse("events", "a watch that was told all up to \(last) is cut at \(sequence)")
            }
            watches[place].to = max(last, sequence)
        case "held":
            if watches[place].isComplete || sequence != watches[place].from {
                accuse("events", "a lease too much is shown: \(told)")
            }
            watches[place].held.append((told, time))
        case "queued", "left":
            if !watches[place].isComplete || sequence < last {
                accuse("events", "\(told.status) with \(sequence) came behind \(last)")
            }
            watches[place].to = max(last, sequence)
        default:
            if !watches[place].isComplete || sequence <= last {
                accuse("events", "\(told.status) with \(sequence) came behind \(last)")
            }
            watches[place].changes.append((sequence, told, time))
            watches[place].to = sequence
        }
    }

    /// What an answer means for all that comes behind it on its connection.
    mutating func follow(_ number: Int, _ told: Told, _ connection: Int, at time: Int64) {
        let ask = asks[number]
        switch (ask.spoken.verb, told.status) {
        case ("watch", "OK"):
            endWatch(connection, at: time)
            let since = ask.spoken.options["since"].flatMap { UInt64($0) }
            let newest = told.number("seq") ?? 0
            talks[connection]!.watch = watches.count
            watches.append(
                Watched(
                    ask: number, connection: connection, tag: ask.spoken.tag, prefixes: ask.spoken.keys,
                    from: since ?? newest, leases: told.number("leases").map { Int($0) },
                    to: since ?? newest))
        case ("unwatch", "OK"), ("quit", "OK"): endWatch(connection, at: time)
        case ("reload", "OK"): book.adopt(book.number(at: ask.sentAt), by: time)
        default: break
        }
    }

    private mutating func endWatch(_ connection: Int, at time: Int64) {
        if let place = talks[connection]?.watch { watches[place].endedAt = time }
        talks[connection]?.watch = nil
    }
}

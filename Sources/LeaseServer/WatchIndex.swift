// Which watches an event may concern: found by the beginnings of its keys, however many there are.

internal import LeaseModel

/// Watches by their prefixes. Where a thousand clients each watch their own key, an event is no work for all
/// the others; and where thousands watch the same, one that goes is not looked for among them.
struct WatchIndex {
    /// One prefix of a watch, or that it has none.
    private struct Entry {
        let place: Int
        /// Which of its prefixes; 0 also where it has none.
        let number: Int
    }

    /// Entries in no order.
    private struct Entries {
        private var all: [Entry] = []

        var isEmpty: Bool { all.isEmpty }

        func collect(into places: inout [Int]) {
            for entry in all { places.append(entry.place) }
        }

        /// - Returns: its position.
        mutating func add(_ entry: Entry) -> Int {
            all.append(entry)
            return all.count - 1
        }

        /// - Returns: the one that has this position now, if there is one.
        mutating func remove(at position: Int) -> Entry? {
            let last = all.removeLast()
            guard position < all.count else { return nil }
            all[position] = last
            return last
        }
    }

    /// Those who watch everything.
    private var everywhere = Entries()
    /// The others by the hash of a prefix; others may have the same hash.
    private var below: [UInt64: Entries] = [:]
    /// For each watch where the entries of its prefixes stand.
    private var positions: [[Int]] = []
    private let seed: UInt64

    init(seed: UInt64) {
        self.seed = seed
    }

    /// The place must be vacant. Places are small numbers.
    mutating func insert(_ place: Int, _ prefixes: [KeyPrefix]) {
        while positions.count <= place {
            positions.append([])
        }
        if prefixes.isEmpty { positions[place] = [everywhere.add(Entry(place: place, number: 0))] }
        for (number, prefix) in prefixes.enumerated() {
            let entry = Entry(place: place, number: number)
            positions[place].append(below[hash(prefix), default: Entries()].add(entry))
        }
    }

    /// The prefixes are those that it was inserted with.
    mutating func remove(_ place: Int, _ prefixes: [KeyPrefix]) {
        if prefixes.isEmpty { note(everywhere.remove(at: positions[place][0]), at: positions[place][0]) }
        for (number, prefix) in prefixes.enumerated() {
            let (hash, position) = (hash(prefix), positions[place][number])
            note(below[hash]?.remove(at: position), at: position)
            if below[hash]?.isEmpty == true { below[hash] = nil }
        }
        positions[place].removeAll()
    }

    private mutating func note(_ moved: Entry?, at position: Int) {
        guard let moved else { return }
        positions[moved.place][moved.number] = position
    }

    /// Adds the places of those who watch everything.
    func collect(into places: inout [Int]) {
        everywhere.collect(into: &places)
    }

    /// Adds the places of those whom this key may concern. A prefix ends where a part of the key does.
    func collect(_ key: Span<UInt8>, into places: inout [Int]) {
        guard !below.isEmpty else { return }
        var hash = seed
        for index in key.indices {
            if key[index] == UInt8(ascii: "/"), let found = below[hash] { found.collect(into: &places) }
            hash = WatchIndex.step(hash, key[index])
        }
        if let found = below[hash] { found.collect(into: &places) }
    }

    /// Each once, in their order.
    static func putInOrder(_ places: inout [Int]) {
        guard places.count > 1 else { return }
        places.sort()
        var last = 0
        for next in 1..<places.count where places[next] != places[last] {
            last += 1
            places[last] = places[next]
        }
        places.removeSubrange((last + 1)...)
    }

    private func hash(_ prefix: KeyPrefix) -> UInt64 {
        prefix.bytes.reduce(seed) { WatchIndex.step($0, $1) }
    }

    private static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
}

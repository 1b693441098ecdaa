// Which watches an event may concern: found by the beginnings of its keys, however many there are.

internal import LeaseModel

/// Watches by their prefixes. Where a thousand clients each watch their own key, an event is no work for all
/// the others.
struct WatchIndex {
    /// The places of those who watch everything.
    private var everywhere: [Int] = []
    /// Places by the hash of a prefix; others may have the same hash.
    private var below: [UInt64: [Int]] = [:]
    private let seed: UInt64

    init(seed: UInt64) {
        self.seed = seed
    }

    mutating func insert(_ place: Int, _ prefixes: [KeyPrefix]) {
        if prefixes.isEmpty { everywhere.append(place) }
        for prefix in prefixes {
            below[hash(prefix), default: []].append(place)
        }
    }

    mutating func remove(_ place: Int, _ prefixes: [KeyPrefix]) {
        if prefixes.isEmpty { everywhere.removeAll { $0 == place } }
        for prefix in prefixes {
            let hash = hash(prefix)
            below[hash]?.removeAll { $0 == place }
            if below[hash]?.isEmpty == true { below[hash] = nil }
        }
    }

    /// Adds the places of those who watch everything.
    func collect(into places: inout [Int]) {
        places += everywhere
    }

    /// Adds the places of those whom this key may concern. A prefix ends where a part of the key does.
    func collect(_ key: Span<UInt8>, into places: inout [Int]) {
        guard !below.isEmpty else { return }
        var hash = seed
        for index in key.indices {
            if key[index] == UInt8(ascii: "/"), let found = below[hash] { places += found }
            hash = WatchIndex.step(hash, key[index])
        }
        if let found = below[hash] { places += found }
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

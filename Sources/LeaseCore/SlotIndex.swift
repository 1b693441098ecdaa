// A hash table from names to slots that grows one bucket at a time (linear hashing, W. Litwin, VLDB 1980).

/// Finds slots by a hash. It knows nothing of the elements: who asks compares those few with the same hash.
/// Growing splits one bucket with every few insertions, so there is no moment at which the whole table is
/// moved.
///
/// Among a million leases every step to another place in memory is a cache miss, and a look-up costs little
/// else. So a bucket is one cache line, with the hashes beside their slots, split before most overflow.
package struct SlotIndex: ~Copyable {
    private static var fill: Int { 5 }

    private var buckets = CacheLines()
    /// Where buckets go on that have more than fits into a line.
    private var overflow = CacheLines()
    private var vacantOverflow: [Slot] = []
    private var count = 0
    /// The table has between `base` and 2 × `base` buckets; those before `split` are split already.
    private var base: UInt32 = 4
    private var split: UInt32 = 0
    private var moved: [CacheLines.Entry] = []

    package init() {
        for _ in 0..<base {
            buckets.append()
        }
    }

    /// The slot with this hash that is the one, or `.none`.
    package func find(_ hash: UInt32, where isIt: (Slot) -> Bool) -> Slot {
        let bucket = bucket(of: hash)
        // No look at each entry's own place: they stand in one line.
        let entries = buckets.entries(bucket)
        for word in entries where UInt32(truncatingIfNeeded: word) == hash {
            let entry = CacheLines.Entry(word)
            if isIt(entry.slot) { return entry.slot }
        }
        var line = buckets.next(bucket)
        while line != .none {
            for place in 0..<overflow.count(line) {
                let entry = overflow[line, place]
                if entry.hash == hash, isIt(entry.slot) { return entry.slot }
            }
            line = overflow.next(line)
        }
        return .none
    }

    /// Reads where these will be looked for. Where a look-up would wait for memory, they wait together: here
    /// none needs the one before.
    /// - Returns: something that depends on what was read, so that it is.
    func reach(_ hashes: [UInt32]) -> Int {
        let further = hashes.map { buckets.next(bucket(of: $0)) }
        return further.reduce(0) { $1 == .none ? $0 : $0 &+ overflow.count($1) }
    }

    package mutating func insert(_ slot: Slot, hash: UInt32) {
        add(CacheLines.Entry(hash: hash, slot: slot))
        count += 1
        if count > buckets.count * Self.fill {
            splitOneBucket()
        }
    }

    /// The hash is the one that it was inserted with.
    package mutating func remove(_ slot: Slot, hash: UInt32) {
        count -= 1
        let bucket = bucket(of: hash)
        if buckets.remove(slot, from: bucket) { return }
        var (before, line) = (Slot.none, buckets.next(bucket))
        while !overflow.remove(slot, from: line) {
            (before, line) = (line, overflow.next(line))
        }
        guard overflow.count(line) == 0 else { return }
        let after = overflow.next(line)
        if before == .none { buckets.setNext(bucket, after) } else { overflow.setNext(before, after) }
        vacantOverflow.append(line)
    }

    private func bucket(of hash: UInt32) -> Slot {
        let low = hash & (base - 1)
        return low < split ? hash & (2 * base - 1) : low
    }

    private mutating func add(_ entry: CacheLines.Entry) {
        let bucket = bucket(of: entry.hash)
        if buckets.add(entry, to: bucket) { return }
        var line = buckets.next(bucket)
        while line != .none, !overflow.add(entry, to: line) {
            line = overflow.next(line)
        }
        guard line == .none else { return }
        line = vacantOverflow.popLast() ?? overflow.append()
        overflow.setNext(line, buckets.next(bucket))
        buckets.setNext(bucket, line)
        _ = overflow.add(entry, to: line)
    }

    private mutating func splitOneBucket() {
        let old = split
        let new = buckets.append()
        split += 1
        if split == base {
            base *= 2
            split = 0
        }
        var line = buckets.next(old)
        buckets.takeAll(of: old, into: &moved)
        while line != .none {
            vacantOverflow.append(line)
            let next = overflow.next(line)
            overflow.takeAll(of: line, into: &moved)
            line = next
        }
        for entry in moved {
            let home = bucket(of: entry.hash)
            precondition(home == old || home == new, "a bucket splits in two")
            add(entry)
        }
        moved.removeAll(keepingCapacity: true)
    }
}

/// Hashes of names. The seed is drawn by who starts the daemon, so that no client can choose names that
/// collide.
package struct Hasher32: Sendable {
    let seed: UInt64

    package init(seed: UInt64) {
        self.seed = seed
    }

    private static func mixed(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    package func hash(_ number: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: Self.mixed(number ^ seed, 0x9E37_79B9_7F4A_7C15) >> 7)
    }

    /// Of numbers that are given one after the other: 64 of them in a row have their buckets side by side, so
    /// that who comes to one number after the other doesn't wait for memory each time. Each of those 64 has
    /// a place of its own, so they are spread no worse.
    package func hash(inOrder number: UInt64) -> UInt32 {
        hash(number >> 6) ^ UInt32(truncatingIfNeeded: number & 63)
    }

    package func hash(_ bytes: [UInt8], _ number: UInt64 = 0) -> UInt32 {
        bytes.withUnsafeBytes { hash($0, number) }
    }

    @inline(__always)
    func hash(_ raw: UnsafeRawBufferPointer, _ number: UInt64) -> UInt32 {
        var state = seed ^ number &* 0xD6E8_FEB8_6659_FD93
        var index = 0
        while index + 8 <= raw.count {
            let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            state = Self.mixed(state ^ word, 0xA076_1D64_78BD_642F)
            index += 8
        }
        // Four, two and one of the last, below eight.
        var rest: UInt64 = 0
        if raw.count & 4 != 0 {
            rest = UInt64(raw.loadUnaligned(fromByteOffset: index, as: UInt32.self))
            index += 4
        }
        if raw.count & 2 != 0 {
            rest = rest << 16 | UInt64(raw.loadUnaligned(fromByteOffset: index, as: UInt16.self))
            index += 2
        }
        if raw.count & 1 != 0 { rest = rest << 8 | UInt64(raw[index]) }
        state = Self.mixed(state ^ rest, 0xE703_7ED1_A0B4_28DB ^ UInt64(raw.count))
        return UInt32(truncatingIfNeeded: state >> 11)
    }
}

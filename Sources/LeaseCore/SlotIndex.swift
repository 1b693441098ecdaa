// A hash table from names to slots that grows one bucket at a time (linear hashing, W. Litwin, VLDB 1980).

/// Finds slots by a hash. It knows nothing of the elements: who asks walks the few slots with the same hash
/// and compares. Growing splits one bucket for each insertion, so there is no moment at which the whole table
/// is moved.
package struct SlotIndex: ~Copyable {
    struct Link {
        var next: Slot
        var hash: UInt32
    }

    /// The first slot of each bucket's chain.
    private var buckets = Chunks<Slot>()
    /// By slot: its hash, and the next in its chain.
    private var links = Chunks<Link>()
    private var count = 0
    /// The table has between `base` and 2 × `base` buckets; those before `split` are split already.
    private var base: UInt32 = 16
    private var split: UInt32 = 0

    package init() {
        for _ in 0..<base {
            buckets.append(.none)
        }
    }

    /// The first slot with this hash, or `.none`; go on with `next(after:)`.
    package func first(_ hash: UInt32) -> Slot {
        sameHash(buckets[bucket(of: hash)], hash)
    }

    package func next(after slot: Slot) -> Slot {
        sameHash(links[slot].next, links[slot].hash)
    }

    package mutating func insert(_ slot: Slot, hash: UInt32) {
        while links.count <= Int(slot) {
            links.append(Link(next: .none, hash: 0))
        }
        let bucket = bucket(of: hash)
        links[slot] = Link(next: buckets[bucket], hash: hash)
        buckets[bucket] = slot
        count += 1
        if count > buckets.count {
            splitOneBucket()
        }
    }

    package mutating func remove(_ slot: Slot) {
        let bucket = bucket(of: links[slot].hash)
        let after = links[slot].next
        if buckets[bucket] == slot {
            buckets[bucket] = after
        } else {
            var before = buckets[bucket]
            while links[before].next != slot {
                before = links[before].next
            }
            links[before].next = after
        }
        links[slot].next = .none
        count -= 1
    }

    private func bucket(of hash: UInt32) -> Slot {
        let low = hash & (base - 1)
        return low < split ? hash & (2 * base - 1) : low
    }

    private func sameHash(_ start: Slot, _ hash: UInt32) -> Slot {
        var slot = start
        while slot != .none, links[slot].hash != hash {
            slot = links[slot].next
        }
        return slot
    }

    private mutating func splitOneBucket() {
        let old = split
        let new = buckets.append(.none)
        split += 1
        if split == base {
            base *= 2
            split = 0
        }
        var slot = buckets[old]
        buckets[old] = .none
        while slot != .none {
            let after = links[slot].next
            let home = bucket(of: links[slot].hash)
            precondition(home == old || home == new, "a bucket splits in two")
            links[slot].next = buckets[home]
            buckets[home] = slot
            slot = after
        }
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

    package func hash(_ bytes: [UInt8], _ number: UInt64 = 0) -> UInt32 {
        bytes.withUnsafeBytes { raw in
            var state = seed ^ number &* 0xD6E8_FEB8_6659_FD93
            var index = 0
            while index + 8 <= raw.count {
                let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                state = Self.mixed(state ^ word, 0xA076_1D64_78BD_642F)
                index += 8
            }
            var rest: UInt64 = 0
            while index < raw.count {
                rest = rest << 8 | UInt64(raw[index])
                index += 1
            }
            state = Self.mixed(state ^ rest, 0xE703_7ED1_A0B4_28DB ^ UInt64(raw.count))
            return UInt32(truncatingIfNeeded: state >> 11)
        }
    }
}

// What ends next: a heap of instants whose elements know their place, so that any of them can be moved or
// taken out.

internal import LeaseModel

/// A heap of slots by (instant, tie), in which four stand below each: half as many levels as with two, and
/// the four stand side by side in memory. Each slot stands in it at most once.
struct DeadlineHeap: ~Copyable {
    struct Entry {
        var instant: Instant
        /// What comes first among equal instants: the token of a lease, the arrival of a waiter.
        var tie: UInt64
        var slot: Slot

        func comes(before other: Entry) -> Bool {
            instant != other.instant ? instant < other.instant : tie < other.tie
        }
    }

    private var entries = Chunks<Entry>()
    /// By slot: its place in `entries`, or `.none`.
    private var places = Chunks<Slot>()

    init() {}

    var count: Int { entries.count }

    var first: Entry? {
        entries.count > 0 ? entries[0] : nil
    }

    mutating func insert(_ slot: Slot, at instant: Instant, tie: UInt64) {
        while places.count <= Int(slot) {
            places.append(.none)
        }
        precondition(places[slot] == .none, "a slot stands in the heap once")
        let place = entries.append(Entry(instant: instant, tie: tie, slot: slot))
        places[slot] = place
        moveUp(place)
    }

    mutating func remove(_ slot: Slot) {
        let place = places[slot]
        precondition(place != .none, "only what stands in the heap can be taken out")
        places[slot] = .none
        let last = entries.removeLast()
        guard last.slot != slot else { return }
        entries[place] = last
        places[last.slot] = place
        moveDown(place)
        moveUp(place)
    }

    mutating func move(_ slot: Slot, to instant: Instant) {
        let place = places[slot]
        precondition(place != .none, "only what stands in the heap can be moved")
        entries[place].instant = instant
        moveDown(place)
        moveUp(places[slot])
    }

    private mutating func moveUp(_ start: Slot) {
        var place = start
        let entry = entries[place]
        while place > 0 {
            let parent = (place - 1) / 4
            guard entry.comes(before: entries[parent]) else { break }
            entries[place] = entries[parent]
            places[entries[place].slot] = place
            place = parent
        }
        guard place != start else { return }
        entries[place] = entry
        places[entry.slot] = place
    }

    private mutating func moveDown(_ start: Slot) {
        var place = start
        let entry = entries[place]
        let end = Slot(entries.count)
        while 4 * place + 1 < end {
            var child = 4 * place + 1
            var first = entries[child]
            let last = min(child + 3, end - 1)
            var next = child
            while next < last {
                next += 1
                let other = entries[next]
                if other.comes(before: first) { (child, first) = (next, other) }
            }
            guard first.comes(before: entry) else { break }
            entries[place] = first
            places[first.slot] = place
            place = child
        }
        guard place != start else { return }
        entries[place] = entry
        places[entry.slot] = place
    }
}

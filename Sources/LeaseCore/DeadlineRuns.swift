// What ends next among very many, of which most are put in in the order in which they end.

internal import LeaseModel

/// Slots by (instant, tie), as in a heap. Leases with the same ttl end in the order in which they were
/// granted or renewed, so nearly every one fits behind the last of a row: it is put in there, and taken out
/// from anywhere, without a look at the others. What fits behind none of the rows goes into a heap.
struct DeadlineRuns: ~Copyable {
    struct Node {
        var instant = Instant.zero
        var tie: UInt64 = 0
        var previous: Slot = .none
        var next: Slot = .none
        var home = Home.nowhere

        func comes(before instant: Instant, _ tie: UInt64) -> Bool {
            self.instant != instant ? self.instant < instant : self.tie < tie
        }
    }

    enum Home: Equatable {
        case nowhere, heap
        case run(Slot)
    }

    struct Run {
        var first: Slot = .none
        var last: Slot = .none
    }

    /// As many different ttls as there are at the same time, usually, and some more.
    private static let runsMax = 8

    private var nodes = Chunks<Node>()
    /// No more than there has been use for.
    private var runs = Chunks<Run>()
    private var heap = DeadlineHeap()
    private(set) var count = 0

    init() {}

    var first: DeadlineHeap.Entry? {
        var first = heap.first
        for run in 0..<Slot(runs.count) where runs[run].first != .none {
            let slot = runs[run].first
            if let first, !nodes[slot].comes(before: first.instant, first.tie) { continue }
            first = DeadlineHeap.Entry(instant: nodes[slot].instant, tie: nodes[slot].tie, slot: slot)
        }
        return first
    }

    mutating func insert(_ slot: Slot, at instant: Instant, tie: UInt64) {
        while nodes.count <= Int(slot) {
            nodes.append(Node())
        }
        precondition(nodes[slot].home == .nowhere, "a slot stands in it once")
        count += 1
        if let run = run(for: instant, tie) {
            let last = runs[run].last
            nodes[slot] = Node(instant: instant, tie: tie, previous: last, home: .run(run))
            if last == .none { runs[run].first = slot } else { nodes[last].next = slot }
            runs[run].last = slot
        } else {
            nodes[slot] = Node(instant: instant, tie: tie, home: .heap)
            heap.insert(slot, at: instant, tie: tie)
        }
    }

    mutating func remove(_ slot: Slot) {
        switch nodes[slot].home {
        case .nowhere: preconditionFailure("only what stands in it can be taken out")
        case .heap: heap.remove(slot)
        case .run(let run): unlink(slot, from: run)
        }
        nodes[slot].home = .nowhere
        count -= 1
    }

    mutating func move(_ slot: Slot, to instant: Instant) {
        let tie = nodes[slot].tie
        remove(slot)
        insert(slot, at: instant, tie: tie)
    }

    /// The run whose last comes closest before it, so that long ttls don't stand in the way of short ones;
    /// else an empty one. nil: there are no more.
    private mutating func run(for instant: Instant, _ tie: UInt64) -> Slot? {
        var best: Slot?
        var empty: Slot?
        for run in 0..<Slot(runs.count) {
            let last = runs[run].last
            guard last != .none else {
                empty = empty ?? run
                continue
            }
            guard nodes[last].comes(before: instant, tie) else { continue }
            if let best {
                let other = runs[best].last
                if nodes[last].comes(before: nodes[other].instant, nodes[other].tie) { continue }
            }
            best = run
        }
        if let found = best ?? empty { return found }
        return runs.count < Self.runsMax ? runs.append(Run()) : nil
    }

    private mutating func unlink(_ slot: Slot, from run: Slot) {
        let (previous, next) = (nodes[slot].previous, nodes[slot].next)
        if previous == .none { runs[run].first = next } else { nodes[previous].next = next }
        if next == .none { runs[run].last = previous } else { nodes[next].previous = previous }
    }
}

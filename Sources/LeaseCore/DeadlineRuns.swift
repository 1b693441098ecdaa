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
        /// The number of its run, or one of the two below.
        var home = nowhere
    }

    private static let nowhere = UInt8.max
    private static let inHeap = UInt8.max - 1

    private struct Run {
        var first: Slot = .none
        var last: Slot = .none
        /// Of the last one: all that a newcomer is compared with. Where there is none, before all others.
        var lastInstant = Instant(nanoseconds: .min)
        var lastTie: UInt64 = 0
    }

    /// As many different ttls as there are at the same time, usually, and some more.
    private static let runsMax = 8

    private var nodes = Chunks<Node>()
    private var runs = InlineArray<8, Run>(repeating: Run())
    /// No more than there has been use for.
    private var runCount = 0
    private var heap = DeadlineHeap()

    init() {}

    private static func comes(
        _ instant: Instant, _ tie: UInt64, before later: Instant, _ laterTie: UInt64
    ) -> Bool {
        instant != later ? instant < later : tie < laterTie
    }

    var first: DeadlineHeap.Entry? {
        var first = heap.first
        for run in 0..<runCount where runs[run].first != .none {
            let slot = runs[run].first
            let node = nodes.address(of: slot)
            let (instant, tie) = (node.pointee.instant, node.pointee.tie)
            if let first, !Self.comes(instant, tie, before: first.instant, first.tie) { continue }
            first = DeadlineHeap.Entry(instant: instant, tie: tie, slot: slot)
        }
        return first
    }

    mutating func insert(_ slot: Slot, at instant: Instant, tie: UInt64) {
        if nodes.count <= Int(slot) { addNodes(upTo: slot) }
        let node = nodes.address(of: slot)
        precondition(node.pointee.home == Self.nowhere, "a slot stands in it once")
        let run = run(for: instant, tie)
        guard run < Self.runsMax else {
            node.pointee = Node(instant: instant, tie: tie, home: Self.inHeap)
            return heap.insert(slot, at: instant, tie: tie)
        }
        let last = runs[run].last
        node.pointee = Node(instant: instant, tie: tie, previous: last, home: UInt8(run))
        if last == .none { runs[run].first = slot } else { nodes.address(of: last).pointee.next = slot }
        runs[run].last = slot
        (runs[run].lastInstant, runs[run].lastTie) = (instant, tie)
    }

    @inline(never)
    private mutating func addNodes(upTo slot: Slot) {
        while nodes.count <= Int(slot) {
            nodes.append(Node())
        }
    }

    @inline(__always)
    mutating func remove(_ slot: Slot) {
        let node = nodes.address(of: slot)
        let home = node.pointee.home
        precondition(home != Self.nowhere, "only what stands in it can be taken out")
        if home == Self.inHeap { heap.remove(slot) } else { unlink(node, from: Int(home)) }
        node.pointee.home = Self.nowhere
    }

    mutating func move(_ slot: Slot, to instant: Instant) {
        let tie = nodes[slot].tie
        remove(slot)
        insert(slot, at: instant, tie: tie)
    }

    /// The run whose last comes closest before it, so that long ttls don't stand in the way of short ones; an
    /// empty one comes before all. `runsMax`: there are no more.
    @inline(__always)
    private mutating func run(for instant: Instant, _ tie: UInt64) -> Int {
        let none = Self.runsMax
        var best = none
        for run in 0..<runCount {
            let (last, lastTie) = (runs[run].lastInstant, runs[run].lastTie)
            guard Self.comes(last, lastTie, before: instant, tie) else { continue }
            if best == none || Self.comes(runs[best].lastInstant, runs[best].lastTie, before: last, lastTie) {
                best = run
            }
        }
        guard best == none, runCount < Self.runsMax else { return best }
        runCount += 1
        return runCount - 1
    }

    @inline(__always)
    private mutating func unlink(_ node: UnsafeMutablePointer<Node>, from run: Int) {
        let (previous, next) = (node.pointee.previous, node.pointee.next)
        if previous == .none {
            runs[run].first = next
        } else {
            nodes.address(of: previous).pointee.next = next
        }
        if next != .none {
            nodes.address(of: next).pointee.previous = previous
            return
        }
        guard previous != .none else {
            runs[run] = Run()
            return
        }
        runs[run].last = previous
        let last = nodes.address(of: previous)
        (runs[run].lastInstant, runs[run].lastTie) = (last.pointee.instant, last.pointee.tie)
    }
}

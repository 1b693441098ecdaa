// The core's own containers against plain arrays and dictionaries.

import LeaseModel
import SeededRandom
import Testing

@testable import LeaseCore

@Suite struct ContainerTests {
    @Test func chunksKeepWhatTheyAreGiven() {
        final class Counted {
            nonisolated(unsafe) static var alive = 0
            let number: Int
            init(_ number: Int) {
                self.number = number
                Counted.alive += 1
            }
            deinit { Counted.alive -= 1 }
        }
        do {
            var chunks = Chunks<Counted>()
            for number in 0..<2_500 {
                #expect(chunks.append(Counted(number)) == Slot(number))
            }
            #expect((0..<2_500).allSatisfy { chunks[Slot($0)].number == $0 })
            for number in (1_000..<2_500).reversed() {
                #expect(chunks.removeLast().number == number)
            }
            chunks[999] = Counted(-1)
            #expect(chunks.append(Counted(7)) == 1_000)
            #expect(chunks.count == 1_001)
            #expect(Counted.alive == 1_001)
        }
        #expect(Counted.alive == 0)
    }

    @Test func aSlabUsesSlotsAgain() {
        var slab = Slab<Int>()
        let slots = (0..<3_000).map { slab.insert($0) }
        for slot in slots where slot % 3 == 0 {
            slab.remove(slot, leaving: -1)
        }
        #expect(slab.count == 2_000)
        let again = (0..<1_000).map { slab.insert(10_000 + $0) }
        #expect(Set(again) == Set(slots.filter { $0 % 3 == 0 }))
        #expect(slab.slotCount == 3_000)
        #expect(slots.allSatisfy { $0 % 3 == 0 ? slab[$0] >= 10_000 : slab[$0] == Int($0) })
    }

    /// Few hashes, so that chains are long; slots come, go and come again.
    @Test(arguments: [UInt32(3), 400, 1_000_000])
    func theIndexFindsWhatADictionaryFinds(hashes: UInt32) {
        var draw = SeededRandom(seed: UInt64(hashes))
        var index = SlotIndex()
        var model: [UInt32: Set<Slot>] = [:]
        var hashOf: [Slot: UInt32] = [:]
        for step in 0..<6_000 {
            let slot = Slot(draw.below(2_000))
            if let hash = hashOf.removeValue(forKey: slot) {
                index.remove(slot, hash: hash)
                model[hash]!.remove(slot)
            } else {
                let hash = UInt32(draw.below(Int(hashes))) &* 0x9E37_79B1
                index.insert(slot, hash: hash)
                model[hash, default: []].insert(slot)
                hashOf[slot] = hash
            }
            guard step % 500 == 499 else { continue }
            for hash in model.keys {
                var found: [Slot] = []
                #expect(index.find(hash) { (slot) in found.append(slot); return false } == .none)
                #expect(found.count == model[hash]!.count && Set(found) == model[hash]!)
                #expect(model[hash]!.allSatisfy { slot in index.find(hash) { $0 == slot } == slot })
            }
            #expect(index.find(0x1234_5679) { _ in true } == .none || model[0x1234_5679] != nil)
        }
    }

    /// So that who comes to one token after the other finds them side by side, and no two in one place.
    @Test func numbersInARowHashToPlacesSideBySide() {
        let hasher = Hasher32(seed: 7)
        for first in stride(from: UInt64(0), to: 64_000, by: 64) {
            let hashes = (first..<(first + 64)).map { hasher.hash(inOrder: $0) }
            #expect(Set(hashes.map { $0 >> 6 }).count == 1 && Set(hashes).count == 64)
        }
        // From one row to the next they jump.
        #expect(Set((0..<1_000).map { hasher.hash(inOrder: $0 * 64) >> 6 }).count > 990)
    }

    /// Tokens jump, so that places in the ring are wanted by several; old leases and late ones end.
    @Test(arguments: [UInt64(1), 2, 3])
    func leasesAreFoundByTheirTokens(seed: UInt64) {
        var draw = SeededRandom(seed: seed)
        var index = TokenIndex(Hasher32(seed: seed), late: 4_096)
        var slots: [Token: Slot] = [:]
        var tokens: [Token] = []
        var lastToken: Token = 0
        for step in 0..<20_000 {
            lastToken += draw.below(4) == 0 ? 4_096 : 1
            tokens.append(lastToken)
            slots[lastToken] = Slot(tokens.count - 1)
            let former = index.insert(Slot(tokens.count - 1), lastToken)
            if former != .none { index.insertOlder(former, tokens[Int(former)]) }
            let token = tokens[draw.below(tokens.count)]
            #expect(index.find(token) { tokens[Int($0)] } == slots[token] ?? .none)
            if step % 3 > 0, let slot = slots.removeValue(forKey: token) { index.remove(slot, token) }
        }
        for token in tokens + [0, lastToken + 1] {
            #expect(index.find(token) { tokens[Int($0)] } == slots[token] ?? .none)
        }
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func theHeapPutsFirstWhatEndsFirst(seed: UInt64) {
        var draw = SeededRandom(seed: seed)
        var heap = DeadlineHeap()
        var model: [Slot: (instant: Int64, tie: UInt64)] = [:]
        var lastTie: UInt64 = 0
        for _ in 0..<8_000 {
            let slot = Slot(draw.below(300))
            let instant = Int64(draw.below(40)) - 20
            if model[slot] == nil {
                lastTie += 1
                heap.insert(slot, at: Instant(nanoseconds: instant), tie: lastTie)
                model[slot] = (instant, lastTie)
            } else if draw.once(in: 2) {
                heap.move(slot, to: Instant(nanoseconds: instant))
                model[slot]!.instant = instant
            } else {
                heap.remove(slot)
                model[slot] = nil
            }
            let first = model.min { ($0.value.instant, $0.value.tie) < ($1.value.instant, $1.value.tie) }
            #expect(heap.first?.slot == first?.key && heap.first?.instant.nanoseconds == first?.value.instant)
            #expect(heap.count == model.count)
        }
    }

    /// Instants that mostly rise, as they do where there are few ttls, or that come in any order.
    @Test(arguments: [UInt64(1), 2, 3], [1, 3, 100])
    func theRunsPutFirstWhatEndsFirst(seed: UInt64, ttls: Int) {
        var draw = SeededRandom(seed: seed)
        var runs = DeadlineRuns()
        var model: [Slot: (instant: Int64, tie: UInt64)] = [:]
        var lastTie: UInt64 = 0
        for step in 0..<8_000 {
            let slot = Slot(draw.below(300))
            let instant = Int64(step / 4) + 1_000 * Int64(draw.below(ttls) % 97)
            if model[slot] == nil {
                lastTie += 1
                runs.insert(slot, at: Instant(nanoseconds: instant), tie: lastTie)
                model[slot] = (instant, lastTie)
            } else if draw.once(in: 2) {
                runs.move(slot, to: Instant(nanoseconds: instant))
                model[slot]!.instant = instant
            } else {
                runs.remove(slot)
                model[slot] = nil
            }
            let first = model.min { ($0.value.instant, $0.value.tie) < ($1.value.instant, $1.value.tie) }
            #expect(runs.first?.slot == first?.key && runs.first?.instant.nanoseconds == first?.value.instant)
        }
    }

    /// Two trees in one store of nodes.
    @Test(arguments: [UInt64(1), 2, 3])
    func theTreesCountAsRowsDo(seed: UInt64) {
        var draw = SeededRandom(seed: seed)
        var trees = OrderTrees(seed: seed)
        var roots: [Slot] = [.none, .none]
        var rows: [[(order: Order, isExclusive: Bool, item: Slot)]] = [[], []]
        var number: UInt64 = 0
        for _ in 0..<3_000 {
            let tree = draw.below(2)
            if draw.below(5) < 3 || rows[tree].isEmpty {
                number += 1
                let order = Order(instant: Int64(draw.below(30)), number: number)
                let isExclusive = draw.below(10) > 0
                trees.insert(Slot(number), order: order, isExclusive: isExclusive, into: &roots[tree])
                rows[tree].append((order, isExclusive, Slot(number)))
                rows[tree].sort { $0.order < $1.order }
            } else {
                let gone = rows[tree].remove(at: draw.below(rows[tree].count))
                trees.remove(order: gone.order, from: &roots[tree])
            }
            let row = rows[tree]
            #expect(trees.count(roots[tree]) == row.count)
            #expect(trees.exclusiveCount(roots[tree]) == row.count { $0.isExclusive })
            if !row.isEmpty {
                let rank = draw.below(row.count)
                #expect(trees.item(roots[tree], at: rank) == row[rank].item)
            }
            let order = Order(instant: Int64(draw.below(30)), number: UInt64(draw.below(Int(number) + 2)))
            let before = trees.before(roots[tree], order)
            #expect(before.all == row.count { $0.order < order })
            #expect(before.exclusive == row.count { $0.order < order && $0.isExclusive })
            #expect(before.shared == before.all - before.exclusive)
            for exclusive in [true, false] {
                let run = row.prefix { $0.isExclusive == exclusive }.count
                #expect(trees.headRun(roots[tree], exclusive: exclusive) == run)
            }
        }
    }

    /// Deadlines chosen by who knows the hash of another seed: the tree stays flat, so the stack is enough.
    @Test func noChoiceOfDeadlinesMakesATreeDeep() {
        func weight(_ number: UInt64) -> UInt64 {
            var mixed = (number ^ number >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
        var trees = OrderTrees(seed: 0x1234_5678_9ABC_DEF0)
        var root = Slot.none
        let count: UInt64 = 100_000
        for number in 1...count {
            let instant = Int64(bitPattern: weight(number) >> 1)
            trees.insert(
                Slot(number), order: Order(instant: instant, number: number), isExclusive: true, into: &root)
        }
        #expect(trees.count(root) == Int(count))
    }
}

// A table of short rows, each in one line of the processor's cache.

/// Lines of 64 bytes: seven entries, and before them how many there are and which line goes on from there.
struct CacheLines: ~Copyable {
    struct Entry {
        let hash: UInt32
        let slot: Slot

        init(hash: UInt32, slot: Slot) { (self.hash, self.slot) = (hash, slot) }
        init(_ word: UInt64) {
            self.init(hash: UInt32(truncatingIfNeeded: word), slot: Slot(truncatingIfNeeded: word >> 32))
        }
        var word: UInt64 { UInt64(slot) << 32 | UInt64(hash) }
    }

    private static var wordCount: Slot { 8 }
    private static var entriesMax: Int { 7 }

    private var words = Chunks<UInt64>()

    init() {}

    var count: Int { words.count / Int(Self.wordCount) }

    @discardableResult
    mutating func append() -> Slot {
        let line = Slot(count)
        words.append(UInt64(Slot.none) << 32)
        for _ in 1..<Self.wordCount {
            words.append(0)
        }
        return line
    }

    subscript(line: Slot, place: Int) -> Entry { Entry(words[line * Self.wordCount + 1 + Slot(place)]) }

    /// All of them, where they are: a line does not reach over the end of a chunk.
    @inline(__always)
    func entries(_ line: Slot) -> UnsafeBufferPointer<UInt64> {
        let head = words.address(of: line * Self.wordCount)
        return UnsafeBufferPointer(start: head + 1, count: Int(UInt32(truncatingIfNeeded: head.pointee)))
    }

    func count(_ line: Slot) -> Int { Int(UInt32(truncatingIfNeeded: words[line * Self.wordCount])) }

    func next(_ line: Slot) -> Slot { Slot(words[line * Self.wordCount] >> 32) }

    mutating func setNext(_ line: Slot, _ next: Slot) {
        words[line * Self.wordCount] = UInt64(next) << 32 | UInt64(count(line))
    }

    /// - Returns: whether there was room.
    mutating func add(_ entry: Entry, to line: Slot) -> Bool {
        let count = count(line)
        guard count < Self.entriesMax else { return false }
        words[line * Self.wordCount + 1 + Slot(count)] = entry.word
        words[line * Self.wordCount] += 1
        return true
    }

    /// The last one takes its place: their order means nothing.
    /// - Returns: whether it was there.
    mutating func remove(_ slot: Slot, from line: Slot) -> Bool {
        let count = count(line)
        for place in 0..<count where self[line, place].slot == slot {
            words[line * Self.wordCount + 1 + Slot(place)] = self[line, count - 1].word
            words[line * Self.wordCount] -= 1
            return true
        }
        return false
    }

    mutating func takeAll(of line: Slot, into taken: inout [Entry]) {
        for place in 0..<count(line) {
            taken.append(self[line, place])
        }
        words[line * Self.wordCount] = UInt64(Slot.none) << 32
    }
}

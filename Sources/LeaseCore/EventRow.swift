// Events in a row, as bytes: what is told of every change costs neither an object nor a reference, and most
// of it nobody ever asks for.

internal import LeaseModel

/// Some hundred events, and their names one behind the other, each with its length before it.
private struct EventBlock {
    static let shift = 8
    static let count = 1 << shift
    static let namesUsual = 8 << 10

    let entries = UnsafeMutablePointer<EventEntry>.allocate(capacity: count)
    var names = UnsafeMutableRawPointer.allocate(byteCount: namesUsual, alignment: 8)
    var capacity = namesUsual
    var namesEnd = 0

    /// Makes room for so many bytes of names, with their lengths.
    @inline(__always)
    mutating func reserve(_ size: Int) {
        if capacity &- namesEnd < size { grow(by: size) }
    }

    /// There is room for them.
    @inline(__always)
    mutating func add(_ key: UnsafeRawBufferPointer, _ owner: UnsafeRawBufferPointer) {
        namesEnd = Self.put(owner, at: Self.put(key, at: names + namesEnd)) - names
    }

    @inline(__always)
    mutating func add(_ name: UnsafeRawBufferPointer) {
        namesEnd = Self.put(name, at: names + namesEnd) - names
    }

    /// - Returns: where the next one goes.
    @inline(__always)
    private static func put(
        _ name: UnsafeRawBufferPointer, at place: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        place.storeBytes(of: UInt16(name.count), as: UInt16.self)
        name.copyAsShort(to: place + EventNames.lengthBytes)
        return place + EventNames.lengthBytes + name.count
    }

    @inline(never)
    private mutating func grow(by size: Int) {
        capacity = 2 * max(capacity, size)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        larger.copyMemory(from: names, byteCount: namesEnd)
        names.deallocate()
        names = larger
    }

    func deallocate() {
        entries.deallocate()
        names.deallocate()
    }
}

extension [UInt8] {
    /// The bytes where they stand, for a copy at once. Passed on as an array they would have its references
    /// counted; who asks knows that something else holds it meanwhile.
    @inline(__always)
    var inPlace: UnsafeRawBufferPointer { withUnsafeBytes { $0 } }
}

extension UnsafeRawBufferPointer {
    /// Whether these are the same bytes: names are short, and mostly in the same place.
    @inline(__always)
    func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        if baseAddress == other.baseAddress { return true }
        var place = 0
        while count - place >= 8 {
            let some = loadUnaligned(fromByteOffset: place, as: UInt64.self)
            guard some == other.loadUnaligned(fromByteOffset: place, as: UInt64.self) else { return false }
            place += 8
        }
        while place < count {
            guard self[place] == other[place] else { return false }
            place += 1
        }
        return true
    }
}

/// A row of events in their order. Each has an index, which it keeps. Those that were told are remembered, as
/// many as there is room for: the oldest go first. Those that are still to be told stay, however many.
struct EventRow: ~Copyable {
    private let inPlace = InPlace()
    private typealias Block = UnsafeMutablePointer<EventBlock>

    private var blocks: [Block] = []
    /// The number of the first of them.
    private var firstBlock = 0
    /// The last of them.
    private var open: Block?
    private let capacity: Int
    /// Behind those that were told.
    private(set) var end = 0
    /// Behind all.
    private(set) var writtenEnd = 0
    /// Behind those that the log has, or that don't stand in for what it gets.
    private(set) var logged = 0

    init(capacity: Int) {
        self.capacity = capacity
    }

    deinit {
        for block in blocks { Self.free(block) }
    }

    private static func free(_ block: Block) {
        block.pointee.deallocate()
        block.deallocate()
    }

    /// The oldest that is remembered.
    var first: Int { max(0, end - capacity) }

    /// The number of the last one that is no longer remembered; 0: all are.
    var forgotten: Sequence64 { first > 0 ? self[first - 1].sequence : 0 }

    /// Its names are added next: the keys, the owner, and the note if it has one. Inlined, so that the entry
    /// is made where it stays.
    @inline(__always)
    mutating func append(_ entry: EventEntry) {
        let place = writtenEnd & (EventBlock.count - 1)
        if place == 0 { openBlock() }
        let block = open!
        var entry = entry
        entry.names = UInt32(truncatingIfNeeded: block.pointee.namesEnd)
        (block.pointee.entries + place).initialize(to: entry)
        writtenEnd += 1
    }

    /// The same with all the names of an event of one key.
    @inline(__always)
    mutating func append(
        _ entry: EventEntry, _ key: UnsafeRawBufferPointer, _ owner: UnsafeRawBufferPointer
    ) {
        append(entry)
        let block = open!
        block.pointee.reserve(key.count &+ owner.count &+ 2 * EventNames.lengthBytes)
        block.pointee.add(key, owner)
    }

    @inline(never)
    mutating func add(_ name: UnsafeRawBufferPointer) {
        open!.pointee.reserve(name.count + EventNames.lengthBytes)
        open!.pointee.add(name)
    }

    mutating func append(_ event: Event) {
        append(
            EventEntry(
                sequence: event.sequence, at: event.at, what: event.what, token: event.token, uid: event.uid,
                pid: event.pid, whilePID: event.whilePID, keyCount: UInt8(event.keys.count),
                isShared: event.isShared, isEphemeral: event.isEphemeral, hasNote: event.note != nil))
        add(event.keys.first.bytes.inPlace)
        for key in event.keys.others { add(key.bytes.inPlace) }
        add(event.owner.bytes.inPlace)
        if let note = event.note { add(note.bytes.inPlace) }
    }

    mutating func noteAllTold() {
        end = writtenEnd
        logged = end
    }

    /// The next in a row that stand in for records which the log has not got yet; nil: it has all of before
    /// this number.
    mutating func takeForLog(before limit: Sequence64) -> ToldChanges? {
        while logged < writtenEnd {
            let row = row(from: logged)
            guard row[0].sequence < limit else { return nil }
            let count = row.firstIndex { !$0.standsInForRecord || $0.sequence >= limit } ?? row.count
            let names = block(of: logged).pointee.names
            logged += max(1, count)
            guard count > 0 else { continue }
            return ToldChanges(entries: UnsafeBufferPointer(rebasing: row[..<count]), names: names)
        }
        return nil
    }

    /// Those from an index on that stand in the same block.
    @inline(__always)
    func row(from index: Int) -> UnsafeBufferPointer<EventEntry> {
        let place = index & (EventBlock.count - 1)
        return UnsafeBufferPointer(
            start: block(of: index).pointee.entries + place,
            count: min(EventBlock.count - place, writtenEnd - index))
    }

    /// Lets go of the blocks in which there is nothing that is remembered, nor the one before that.
    @inline(never)
    private mutating func openBlock() {
        while (firstBlock + 1) * EventBlock.count < first {
            Self.free(blocks.removeFirst())
            firstBlock += 1
        }
        let block = Block.allocate(capacity: 1)
        block.initialize(to: EventBlock())
        blocks.append(block)
        open = block
    }

    private func block(of index: Int) -> Block {
        blocks[index >> EventBlock.shift - firstBlock]
    }

    subscript(index: Int) -> EventEntry {
        unsafeAddress { address(of: index) }
    }

    func address(of index: Int) -> UnsafePointer<EventEntry> {
        UnsafePointer(block(of: index).pointee.entries + (index & (EventBlock.count - 1)))
    }

    /// The first of those that were told that has a greater number.
    func index(after sequence: Sequence64) -> Int {
        var (low, high) = (first, end)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func shift(by nanoseconds: Int64) {
        for index in first..<writtenEnd {
            let entry = block(of: index).pointee.entries + index % EventBlock.count
            entry.pointee.at = entry.pointee.at.shifted(by: nanoseconds)
        }
    }
}

// The names.
extension EventRow {
    private func names(of index: Int) -> EventNames {
        EventNames(place: UnsafeRawPointer(block(of: index).pointee.names) + Int(self[index].names))
    }

    /// Whether the body says yes to one of the event's keys.
    func hasKey(_ index: Int, where fits: (Span<UInt8>) -> Bool) -> Bool {
        var names = names(of: index)
        for _ in 0..<self[index].keyCount where fits(names.next().span) { return true }
        return false
    }

    func keys(_ index: Int) -> Keys {
        var names = names(of: index)
        return names.nextKeys(Int(self[index].keyCount))
    }

    func event(_ index: Int) -> Event {
        let entry = self[index]
        var names = names(of: index)
        let keys = names.nextKeys(Int(entry.keyCount))
        let owner = names.nextText()
        let note = entry.hasNote ? names.nextText() : nil
        return Event(
            sequence: entry.sequence, at: entry.at, what: entry.what, keys: keys, token: entry.token,
            owner: owner, uid: entry.uid, pid: entry.pid, isShared: entry.isShared,
            isEphemeral: entry.isEphemeral, whilePID: entry.whilePID, note: note)
    }
}

extension EventNames {
    fileprivate mutating func nextKey() -> Key { Key(printed: Array(next())) }
    fileprivate mutating func nextText() -> Text { Text(printed: Array(next())) }

    fileprivate mutating func nextKeys(_ count: Int) -> Keys {
        let first = nextKey()
        return Keys(first, (1..<count).map { _ in nextKey() })
    }
}

// The last events: for watchers that missed some, and for whoever asks what happened.

internal import LeaseModel

/// A ring of events in their order. Each has an index, which it keeps; the oldest go first.
struct EventRing {
    private var events: [Event] = []
    private let capacity: Int
    /// The indexes that there are.
    private(set) var first = 0
    private(set) var end = 0
    /// Where the oldest stands, and the next is to stand, once the ring is full.
    private var oldest = 0

    init(capacity: Int) {
        self.capacity = capacity
    }

    subscript(index: Int) -> Event { events[index % capacity] }

    func sequence(_ index: Int) -> Sequence64 { events[index % capacity].sequence }

    mutating func append(_ event: consuming Event) {
        if events.count < capacity {
            events.append(event)
        } else {
            events[oldest] = event
            oldest = oldest + 1 == capacity ? 0 : oldest + 1
            first += 1
        }
        end += 1
    }

    /// The first that has a greater number.
    func index(after sequence: Sequence64) -> Int {
        var (low, high) = (first, end)
        while low < high {
            let middle = (low + high) / 2
            if self.sequence(middle) <= sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func shift(by nanoseconds: Int64) {
        for place in events.indices {
            events[place].shift(by: nanoseconds)
        }
    }
}

/// Changes, and what happened in the lines meanwhile, apart: so that a busy line does not push out what is
/// asked for again.
struct RecentEvents {
    /// Where a reader of both stands.
    struct Cursor {
        var change: Int
        var line: Int
    }

    private(set) var changes: EventRing
    private var lines: EventRing
    private let capacity: Int
    /// Everything after this number is remembered.
    private(set) var floor: Sequence64 = 0

    init(capacity: Int) {
        self.capacity = capacity
        changes = EventRing(capacity: capacity)
        lines = EventRing(capacity: capacity)
    }

    mutating func append(_ event: consuming Event) {
        guard event.isChange else { return lines.append(event) }
        let before = changes.first
        if changes.end - before == capacity { floor = changes.sequence(before) }
        changes.append(event)
    }

    /// Nothing up to this number is known.
    mutating func raiseFloor(to sequence: Sequence64) {
        floor = max(floor, sequence)
    }

    /// The instants of the boot before, on the clock of this one.
    mutating func shift(by nanoseconds: Int64) {
        guard nanoseconds != 0 else { return }
        changes.shift(by: nanoseconds)
        lines.shift(by: nanoseconds)
    }

    /// Behind everything that has happened.
    var end: Cursor { Cursor(change: changes.end, line: lines.end) }

    /// Behind this change, and behind what has happened in the lines till now: that is not told again.
    func cursor(after sequence: Sequence64) -> Cursor {
        Cursor(change: changes.index(after: sequence), line: lines.end)
    }

    /// Whether what stands at the cursor is still there.
    func has(_ cursor: Cursor) -> Bool {
        cursor.change >= changes.first && cursor.line >= lines.first
    }

    /// The event at the cursor, which goes on; nil: there is none. What happened in a line stands behind the
    /// change whose number it has.
    func next(_ cursor: inout Cursor) -> Event? {
        let hasChange = cursor.change < changes.end
        if cursor.line < lines.end,
            !hasChange || lines.sequence(cursor.line) < changes.sequence(cursor.change)
        {
            cursor.line += 1
            return lines[cursor.line - 1]
        }
        guard hasChange else { return nil }
        cursor.change += 1
        return changes[cursor.change - 1]
    }
}

// The last events: for watchers that missed some, and for whoever asks what happened.

package import LeaseModel

/// Changes, and what happened in the lines meanwhile, apart: so that a busy line does not push out what is
/// asked for again.
package struct RecentEvents: ~Copyable {
    /// Where an event stands.
    package struct Place {
        fileprivate let isChange: Bool
        fileprivate let index: Int
    }

    /// Where a reader of both stands.
    package struct Cursor {
        package fileprivate(set) var change: Int
        package fileprivate(set) var line: Int

        package static let beginning = Cursor(change: 0, line: 0)
    }

    private let inPlace = InPlace()

    var changes: EventRow
    private var lines: EventRow
    /// Nothing up to this number was ever known.
    private var unknown: Sequence64 = 0

    /// - Parameter capacity: how many are remembered, of each.
    package init(capacity: Int) {
        changes = EventRow(capacity: capacity)
        lines = EventRow(capacity: capacity)
    }

    mutating func append(_ event: Event) {
        if event.what.isChange { changes.append(event) } else { lines.append(event) }
    }

    /// Nothing up to this number is known.
    package mutating func raiseFloor(to sequence: Sequence64) {
        unknown = max(unknown, sequence)
    }

    /// Everything after this number is remembered.
    package var floor: Sequence64 { max(unknown, changes.forgotten) }

    /// The instants of the boot before, on the clock of this one.
    package mutating func shift(by nanoseconds: Int64) {
        guard nanoseconds != 0 else { return }
        changes.shift(by: nanoseconds)
        lines.shift(by: nanoseconds)
    }
}

// Telling.
extension RecentEvents {
    /// The event of a telling, whose turn it is; nil: it is none. The cursor begins at `end`, and goes on.
    package func untold(_ telling: Effects.Telling, _ cursor: inout Cursor) -> Place? {
        switch telling {
        case .change:
            cursor.change += 1
            return Place(isChange: true, index: cursor.change - 1)
        case .line:
            cursor.line += 1
            return Place(isChange: false, index: cursor.line - 1)
        case .answer, .notice:
            return nil
        }
    }

    /// Whether nothing has happened since `noteAllTold`.
    var isAllTold: Bool { changes.end == changes.writtenEnd }

    /// Of changes whose events stand in for their records: those that the log has not got.
    var recordsForLog: [Record] {
        (changes.logged..<changes.writtenEnd).compactMap { index in
            guard changes[index].standsInForRecord else { return nil }
            let event = changes.event(index)
            let change: Change
            switch event.what {
            case .granted(let ttl, _):
                change = .granted(
                    Grant(
                        token: event.token, keys: event.keys, owner: event.owner, uid: event.uid,
                        pid: event.pid, ttl: ttl, isShared: event.isShared))
            case .renewed(let ttl, _, _): change = .renewed(Renewal(token: event.token, ttl: ttl))
            case .ended(let reason, _): change = .ended(Ending(token: event.token, reason: reason))
            case .kept, .forgotten, .queued, .left: preconditionFailure("their events don't say all")
            }
            return Record(sequence: event.sequence, at: event.at, change: change)
        }
    }

    /// All that was not told yet was, and may be forgotten when more comes.
    mutating func noteAllTold() {
        changes.noteAllTold()
        lines.noteAllTold()
    }
}

// Reading.
extension RecentEvents {
    /// Behind everything that was told.
    package var end: Cursor { Cursor(change: changes.end, line: lines.end) }

    /// Behind this change, and behind what has happened in the lines till now: that is not told again.
    package func cursor(after sequence: Sequence64) -> Cursor {
        Cursor(change: changes.index(after: sequence), line: lines.end)
    }

    /// Whether what stands at the cursor is still there.
    package func has(_ cursor: Cursor) -> Bool {
        cursor.change >= changes.first && cursor.line >= lines.first
    }

    /// The event at the cursor, which goes on; nil: there is none. What happened in a line stands behind the
    /// change whose number it has.
    package func next(_ cursor: inout Cursor) -> Place? {
        let hasChange = cursor.change < changes.end
        if cursor.line < lines.end,
            !hasChange || lines[cursor.line].sequence < changes[cursor.change].sequence
        {
            cursor.line += 1
            return Place(isChange: false, index: cursor.line - 1)
        }
        guard hasChange else { return nil }
        cursor.change += 1
        return Place(isChange: true, index: cursor.change - 1)
    }

    private subscript(place: Place) -> EventEntry {
        unsafeAddress { address(of: place) }
    }

    private func address(of place: Place) -> UnsafePointer<EventEntry> {
        place.isChange ? changes.address(of: place.index) : lines.address(of: place.index)
    }

    /// The last change before the cursor, which goes back; nil: there is none.
    package func nextChange(before cursor: inout Cursor) -> Place? {
        guard cursor.change > changes.first else { return nil }
        cursor.change -= 1
        return Place(isChange: true, index: cursor.change)
    }

    package func sequence(_ place: Place) -> Sequence64 { self[place].sequence }

    package func uid(_ place: Place) -> UInt32 { self[place].uid }

    package func isChange(_ place: Place) -> Bool { place.isChange }

    package func what(_ place: Place) -> Event.What { self[place].what }

    /// Counts the event with the kind of its one key, as the policy in force lists them when it is told.
    /// - Returns: whether it is counted: not where it has several keys, or their kind has to be looked up.
    package func count(_ place: Place, in kinds: inout [KindCounts]) -> Bool {
        let entry = address(of: place)
        guard entry.pointee.kind != EventEntry.unknownKind else { return false }
        kinds[Int(entry.pointee.kind)].add(entry.pointee.what)
        return true
    }

    /// The same of all events that are not told yet.
    /// - Returns: those that are not counted.
    package func countUntold(in kinds: inout [KindCounts]) -> [Place] {
        var left: [Place] = []
        kinds.withUnsafeMutableBufferPointer { kinds in
            var index = changes.end
            while index < changes.writtenEnd {
                for entry in changes.row(from: index) {
                    if entry.kind == EventEntry.unknownKind {
                        left.append(Place(isChange: true, index: index))
                    } else {
                        kinds[Int(entry.kind)].add(entry.what)
                    }
                    index += 1
                }
            }
        }
        for index in lines.end..<lines.writtenEnd {
            left.append(Place(isChange: false, index: index))
        }
        return left
    }

    package func keys(_ place: Place) -> Keys {
        place.isChange ? changes.keys(place.index) : lines.keys(place.index)
    }

    /// Whether the body says yes to one of the event's keys.
    package func hasKey(_ place: Place, where fits: (Span<UInt8>) -> Bool) -> Bool {
        place.isChange
            ? changes.hasKey(place.index, where: fits) : lines.hasKey(place.index, where: fits)
    }

    package func event(_ place: Place) -> Event {
        place.isChange ? changes.event(place.index) : lines.event(place.index)
    }
}

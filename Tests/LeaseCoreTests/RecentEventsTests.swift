// The last events, kept as bytes, against plain arrays of them.

import LeaseModel
import SeededRandom
import Testing

@testable import LeaseCore

@Suite struct RecentEventsTests {
    private static let capacity = 700

    /// Steps bring few events or more than are remembered, with names of every length.
    @Test(arguments: [UInt64(1), 2, 3])
    func eventsComeBackAsTheyWere(seed: UInt64) {
        var draw = SeededRandom(seed: seed)
        var recent = RecentEvents(capacity: Self.capacity)
        var changes: [Event] = []
        var sequence: Sequence64 = 0
        for _ in 0..<40 {
            var cursor = recent.end
            let count = draw.below(8) == 0 ? 2_000 : draw.below(400)
            var step: [Event] = []
            for _ in 0..<count {
                let isChange = draw.below(3) > 0
                if isChange { sequence += 1 }
                step.append(draw.event(sequence, isChange: isChange))
                recent.append(step.last!)
            }
            let isRead = recent.next(&cursor) != nil
            #expect(!isRead, "what is not told is not read")
            // However many they are, they are there to be told.
            var telling = recent.end
            for event in step {
                let place = recent.untold(event.isChange ? .change : .line, &telling)
                let told = recent.event(place!)
                #expect(told == event)
            }
            recent.noteAllTold()
            changes += step.filter(\.isChange)
            let isAllThere = step.count { $0.isChange } <= Self.capacity
                && step.count { !$0.isChange } <= Self.capacity
            let has = recent.has(cursor)
            #expect(has == isAllThere)
            if isAllThere {
                let events = read(recent, from: cursor)
                #expect(events == step)
            }
            checkChanges(recent, changes)
        }
    }

    /// Of a plain lease the event says all that the log gets; and all comes in the order of its numbers.
    @Test func eventsStandInForRecords() throws {
        let bench = try Bench()
        let plain = bench.token(AcquireRequest(keys: Keys(key("a/1"))))!
        let noted = bench.token(AcquireRequest(keys: Keys(key("a/2")), note: Text("n")))!
        _ = bench.release(noted)
        _ = bench.renew(RenewRequest(token: plain))
        _ = bench.release(plain)
        #expect(bench.effects.records.map(\.sequence) == [1, 2, 3, 4, 5])
        var sequences: [Sequence64] = []
        var standIns: [Sequence64] = []
        while let next = bench.effects.nextForLog() {
            switch next {
            case .record: sequences.append(bench.effects.takeRecord().sequence)
            case .events(let changes):
                sequences += changes.entries.map(\.sequence)
                standIns += changes.entries.map(\.sequence)
            }
        }
        #expect(sequences == [1, 2, 3, 4, 5])
        #expect(standIns == [1, 4, 5])
        #expect(bench.effects.records.isEmpty)
    }

    /// However many there are: they come in rows, each with its own names.
    @Test func rowsForTheLogGoOnWhereABlockEnds() throws {
        let bench = try Bench()
        let names = (0..<700).map { "a/\($0)" }
        for name in names { #expect(bench.token(AcquireRequest(keys: Keys(key(name)))) != nil) }
        var sequences: [Sequence64] = []
        var told: [String] = []
        while let next = bench.effects.nextForLog() {
            guard case .events(let changes) = next, let first = changes.entries.baseAddress else {
                Issue.record("all of them are plain")
                break
            }
            for entry in first..<first + changes.entries.count {
                var names = changes.names(of: entry)
                sequences.append(entry.pointee.sequence)
                told.append(String(decoding: names.next(), as: UTF8.self))
            }
        }
        #expect(sequences == Array(1...700))
        #expect(told == names)
    }

    private func read(_ recent: borrowing RecentEvents, from start: RecentEvents.Cursor) -> [Event] {
        var cursor = start
        var read: [Event] = []
        while let place = recent.next(&cursor) {
            let event = recent.event(place)
            let keys = recent.keys(place)
            let areFound = keys.all.allSatisfy { key in recent.hasKey(place) { $0.copied() == key.bytes } }
            let isFound = recent.hasKey(place) { _ in false }
            #expect(keys == event.keys && areFound && !isFound)
            let (isChange, uid) = (recent.isChange(place), recent.uid(place))
            #expect(isChange == event.isChange && uid == event.uid)
            read.append(event)
        }
        return read
    }

    private func checkChanges(_ recent: borrowing RecentEvents, _ changes: [Event]) {
        let kept = changes.suffix(Self.capacity)
        let floor = recent.floor
        #expect(floor == (changes.count > kept.count ? changes[kept.startIndex - 1].sequence : 0))
        let events = read(recent, from: recent.cursor(after: floor))
        #expect(events == Array(kept))
        var back = recent.end
        let last = recent.nextChange(before: &back).map { recent.event($0) }
        #expect(last == changes.last)
    }
}

extension SeededRandom {
    fileprivate mutating func event(_ sequence: Sequence64, isChange: Bool) -> Event {
        let span = Duration(nanoseconds: Int64(below(1_000_000)))
        let changes: [Event.What] = [
            .granted(ttl: span, waited: below(2) == 0 ? nil : span),
            .renewed(ttl: span, formerTTL: .zero, left: span), .ended(.evicted, held: span),
            .kept(for: span), .forgotten(.replaced),
        ]
        let lines: [Event.What] = [.queued(position: 3, priority: 1), .left(.timeout, waited: span)]
        return Event(
            sequence: sequence, at: Instant(nanoseconds: Int64(below(1_000)) - 500),
            what: isChange ? changes[below(changes.count)] : lines[below(lines.count)],
            keys: Keys(Key(printed: name()), (0..<below(16)).map { _ in Key(printed: name()) }),
            token: next(), owner: Text(printed: name()), uid: UInt32(below(9)), pid: Int32(below(9)),
            isShared: below(2) == 0, isEphemeral: below(2) == 0, whilePID: below(2) == 0 ? nil : -7,
            note: below(2) == 0 ? nil : Text(printed: name()))
    }

    private mutating func name() -> [UInt8] {
        let count = below(20) == 0 ? 255 : below(9)
        return (0..<count).map { _ in UInt8(ascii: "a") + UInt8(below(26)) }
    }
}

// The rules between records, the first line, and compacted files.

import LeaseLog
import LeaseModel
import Testing

@Suite struct RuleTests {
    /// What is wrong with the last line that was added.
    private func wrong(_ add: (inout SampleLog) -> Void) -> String? {
        var log = SampleLog.of(4)
        add(&log)
        let read = ReadLog(log.bytes)
        #expect(read.damagedLine == nil || read.damagedLine == log.starts.count)
        return read.damage
    }

    @Test func numbersFollowEachOther() {
        #expect(wrong { $0.add(.advanced) } == nil)
        #expect(wrong { $0.add(.advanced, step: 2) }?.contains("number 7 follows 5") == true)
        #expect(wrong { $0.add(.advanced, step: 0) }?.contains("number 5 follows 5") == true)
        #expect(wrong { $0.add(SampleLog.start(lastToken: 2), step: 1_000) } == nil)
        #expect(wrong { $0.add(SampleLog.start(lastToken: 2), step: 0) } != nil)
        let last = Record(
            sequence: LogFormat.numberMax, at: Instant(nanoseconds: 9_000_000_000),
            change: SampleLog.start(lastToken: 2))
        #expect(wrong { $0.put(last) } == nil)
        for next in [LogFormat.numberMax + 1, 0] {
            var full = SampleLog.of(4)
            full.put(last)
            full.put(Record(sequence: next, at: last.at, change: .advanced))
            #expect(ReadLog(full.bytes).damagedLine == 8)
        }
        var beyond = SampleLog(sequence: .max, isCompacted: true)
        beyond.put(Record(sequence: .max, at: beyond.time, change: SampleLog.start()))
        #expect(ReadLog(beyond.bytes).damagedLine == 2)
    }

    @Test func timeGoesOnBetweenStarts() {
        #expect(wrong { $0.add(.advanced, later: 0) } == nil)
        #expect(wrong { $0.add(.advanced, later: -1) }?.contains("its time is before") == true)
        #expect(
            wrong { $0.add(SampleLog.start(boot: otherBoot, shift: -9, lastToken: 2), later: -2_000_000_000) }
                == nil)
    }

    @Test func tokensGrow() {
        #expect(wrong { $0.add(SampleLog.grant(3)) } == nil)
        #expect(wrong { $0.add(SampleLog.grant(2)) }?.contains("token 2 is granted after 2") == true)
        #expect(wrong { $0.add(SampleLog.release(3)) }?.contains("token 3 was never granted") == true)
        #expect(wrong { $0.add(.bound(3)) } != nil)
        #expect(wrong { $0.add(SampleLog.start(lastToken: 1)) } != nil)
        #expect(wrong { $0.add(SampleLog.start(lastToken: LogFormat.numberMax)) } == nil)
        #expect(wrong { $0.add(SampleLog.start(lastToken: .max)) }?.contains("is greater than") == true)
        #expect(wrong { $0.add(SampleLog.grant(LogFormat.numberMax)) } == nil)
        #expect(wrong { $0.add(SampleLog.grant(.max)) }?.contains("is greater than") == true)
        #expect(
            wrong {
                $0.add(SampleLog.start(lastToken: 50))
                $0.add(SampleLog.grant(51))
            } == nil)
        #expect(
            wrong {
                $0.add(SampleLog.start(lastToken: 50))
                $0.add(SampleLog.grant(50))
            } != nil)
    }

    @Test func noKeyStandsTwiceInARecord() {
        let (one, two) = (Key(printed: Array("a/1".utf8)), Key(printed: Array("a/2".utf8)))
        for (keys, isRight) in [(Keys(one, [two]), true), (Keys(one, [two, one]), false)] {
            let grant = Grant(token: 3, keys: keys, owner: Text("o"), uid: 1, pid: 1, ttl: .seconds(1))
            let kept = KeptResult(
                token: 2, keys: keys, owner: Text("o"), uid: 1, pid: 1, keep: .seconds(1), value: Text("v"))
            let held = HeldLease(
                grant: grant, grantedAt: .zero, ownDeadline: .zero, deadline: .zero, orphanedAt: nil)
            let ended = EndedLease(
                token: 2, reason: .released, endedAt: .zero, keys: keys, isShared: false, uid: 1,
                request: nil, newestThen: 2)
            for change in [Change.granted(grant), .kept(kept)] {
                #expect((wrong { $0.add(change) } == nil) == isRight)
            }
            let standing = StandingResult(kept: kept, at: .zero)
            for change in [Change.held(held), .remembered(ended), .result(standing)] {
                var log = SampleLog(sequence: 9, isCompacted: true)
                log.add(SampleLog.start(lastToken: 3), step: 0)
                log.add(change, step: 0)
                log.add(.compacted(lines: 1))
                #expect((ReadLog(log.bytes).damagedLine == 3) == !isRight)
            }
        }
    }

    @Test func onlyAStartFollowsAStop() {
        #expect(
            wrong {
                $0.add(.stopped)
                $0.add(.advanced)
            }?.contains("only `started`") == true)
        #expect(
            wrong {
                $0.add(.stopped)
                $0.add(SampleLog.start(lastToken: 2))
            } == nil)
        var log = SampleLog.of(4)
        log.add(.stopped)
        #expect(ReadLog(log.bytes).position?.isStopped == true)
        log.add(SampleLog.start(lastToken: 2))
        #expect(ReadLog(log.bytes).position?.isStopped == false)
    }

    @Test func nothingIsSyncedBeforeItIsWritten() {
        #expect(wrong { $0.add(.advanced, synced: 5) } == nil)
        #expect(wrong { $0.add(.advanced, synced: 6) }?.contains("number 6 was synced") == true)
    }

    @Test func theFirstRecordIsAStart() {
        var log = SampleLog()
        log.add(.advanced)
        #expect(ReadLog(log.bytes).damagedLine == 2)
        #expect(ReadLog(SampleLog().bytes).end == .clean(size: Int64(SampleLog().bytes.count)))
    }

    // MARK: Compacted files

    private func held(_ token: Token) -> Change {
        guard case .granted(let grant) = SampleLog.grant(token) else { return .advanced }
        let at = Instant(nanoseconds: 5)
        return .held(HeldLease(grant: grant, grantedAt: at, ownDeadline: at, deadline: at, orphanedAt: nil))
    }

    private func remembered(_ token: Token) -> Change {
        .remembered(
            EndedLease(
                token: token, reason: .expired, endedAt: .zero,
                keys: Keys(Key(printed: Array("user/1".utf8))),
                isShared: false, uid: 1, request: nil, newestThen: 1))
    }

    private static let result = StandingResult(
        kept: KeptResult(
            token: 8, keys: Keys(Key(printed: Array("user/1".utf8))), owner: Text("o"), uid: 1, pid: 1,
            keep: .seconds(1), value: Text("r")),
        at: .zero)

    /// Two leases and an ended one, a grant while it was written, and two changes after it.
    private func compactedLog(complete: Bool = true) -> SampleLog {
        var log = SampleLog(sequence: 100, isCompacted: true)
        log.add(SampleLog.start(lastToken: 40), synced: 100, step: 0)
        log.add(held(7), step: 0)
        log.add(SampleLog.grant(41))
        log.add(held(9), step: 0)
        log.add(remembered(8), step: 0)
        if complete {
            log.add(.compacted(lines: 3))
            log.add(SampleLog.grant(42), synced: log.sequence)
            log.add(SampleLog.release(42), synced: log.sequence)
        }
        return log
    }

    @Test func aCompactedFileIsRead() {
        let log = compactedLog()
        let read = ReadLog(log.bytes)
        #expect(read.end == .clean(size: Int64(log.bytes.count)))
        #expect(read.records == log.records)
        #expect(read.position?.lastSequence == 104)
        #expect(read.position?.isCompactionComplete == true)
    }

    @Test(arguments: [thisBoot, otherBoot])
    func aCompactedStateIsNeverTorn(_ boot: Text) {
        let log = compactedLog()
        let stateEnd = log.range(ofLine: 7).upperBound
        for length in 1..<stateEnd {
            #expect(
                ReadLog(Array(log.bytes.prefix(length)), boot: boot).damagedLine != nil, "cut at \(length)")
        }
        #expect(ReadLog(Array(log.bytes.prefix(stateEnd)), boot: boot).end == .clean(size: Int64(stateEnd)))
        for length in (stateEnd + 1)..<log.bytes.count where !log.starts.contains(length) {
            #expect(ReadLog(Array(log.bytes.prefix(length)), boot: boot).isTorn)
        }
    }

    /// They repeat one number, so nothing else would tell that one is gone.
    @Test func aLostLineOfTheStateIsDamage() {
        let log = compactedLog()
        for line in [3, 5, 6] {
            var bytes = log.bytes
            bytes.removeSubrange(log.range(ofLine: line))
            #expect(ReadLog(bytes).damagedLine == 6, "line \(line)")
        }
    }

    @Test func aResultIsALineOfTheState() {
        for lines in UInt64(0)...2 {
            var log = SampleLog(sequence: 100, isCompacted: true)
            log.add(SampleLog.start(lastToken: 40), synced: 100, step: 0)
            log.add(.result(Self.result), step: 0)
            log.add(.compacted(lines: lines))
            #expect(ReadLog(log.bytes).damagedLine == (lines == 1 ? nil : 4))
        }
        for change in [Change.kept(Self.result.kept), .result(Self.result)] {
            var log = SampleLog(sequence: 100, isCompacted: true)
            log.add(SampleLog.start(lastToken: 7), synced: 100, step: 0)
            log.add(change, step: change == .kept(Self.result.kept) ? 1 : 0)
            #expect(ReadLog(log.bytes).damage?.contains("never granted") == true)
        }
    }

    @Test func stateLinesStandOnlyInACompactedState() {
        #expect(wrong { $0.add(held(1), step: 0) }?.contains("outside") == true)
        // The old file, where the daemon ended before the new one was in its place.
        #expect(wrong { $0.add(.compacted(lines: 9)) } == nil)
        for change in [held(1), remembered(1), .result(Self.result)] {
            var log = compactedLog()
            log.add(change, step: 0)
            #expect(ReadLog(log.bytes).damagedLine == 10)
        }
        for change in [Change.stopped, SampleLog.start(lastToken: 41)] {
            var log = compactedLog(complete: false)
            log.add(change)
            log.add(.compacted(lines: 3))
            #expect(ReadLog(log.bytes).damagedLine == 7)
        }
        var late = SampleLog(sequence: 100, isCompacted: true)
        late.add(held(7), step: 0)
        #expect(ReadLog(late.bytes).damagedLine == 2)
    }

    // MARK: The first line

    @Test func aNewerFormatIsNamed() {
        let rest = SampleLog.of(3).bytes
        let first = sealed("12 0.500000000 log format=3 colour=blue")
        #expect(ReadLog(first + rest).end == .newerFormat(3))
        #expect(ReadLog(sealed("12 0.500000000 log format=77")).end == .newerFormat(77))
        var flipped = first
        flipped[30] ^= 1
        #expect(ReadLog(flipped + rest).damagedLine == 1)
    }

    @Test(arguments: [
        "0 0.000000000 log format=0 clock=system compacted=no",
        "0 0.000000000 log format=1 clock=wall compacted=no",
        "0 0.000000000 log format=01 clock=system compacted=no", "0 0.000000000 log format=1 clock=system",
        "0 0.000000000 log format=1 clock=system compacted=no x=1", "1 0.000000000 stopped",
    ])
    func anotherFirstLineIsDamage(_ rest: String) {
        #expect(ReadLog(sealed(rest)).damagedLine == 1)
    }

    @Test func theFirstLineIsReadBack() {
        for clock in [LogClock.system, .manual] {
            for isCompacted in [false, true] {
                let at = Instant(nanoseconds: -3_000_000_001)
                let header = LogHeader(sequence: .max, at: at, clock: clock, isCompacted: isCompacted)
                var bytes: [UInt8] = []
                RecordEncoder.append(header, to: &bytes)
                var reader = LogReader()
                reader.feed(bytes.span) { _, _ in }
                #expect(reader.header == header)
            }
        }
    }
}

// Lines: what is written is read back, and nothing else is read.

import LeaseLog
import LeaseModel
import SeededRandom
import Testing

@testable import LeaseLog

private func decoded(_ line: [UInt8]) -> MarkedRecord? {
    let line = line.dropLast().map { $0 }
    guard RecordDecoder.checksumMatches(line.span) else { return nil }
    var cursor = FieldCursor(at: RecordDecoder.checksumBytes)
    return try? RecordDecoder.record(line.span, &cursor)
}

private func line(_ record: Record, _ mark: BatchMark? = nil) -> [UInt8] {
    var bytes: [UInt8] = []
    RecordEncoder.append(record, mark: mark, to: &bytes)
    return bytes
}

private func text(_ change: Change, at nanoseconds: Int64 = 0, _ mark: BatchMark? = nil) -> String {
    let bytes = line(Record(sequence: 7, at: Instant(nanoseconds: nanoseconds), change: change), mark)
    return String(decoding: bytes.dropFirst(9).dropLast(), as: UTF8.self)
}

@Suite struct RecordTests {
    @Test func checksumIsCRC32C() {
        #expect(Checksum.of(Array("123456789".utf8).span) == 0xE306_9283)
        #expect(Checksum.of([UInt8]().span) == 0)
        // RFC 3720, appendix B.4.
        #expect(Checksum.of([UInt8](repeating: 0, count: 32).span) == 0x8A91_36AA)
        #expect(Checksum.of([UInt8](repeating: 0xFF, count: 32).span) == 0x62A8_AB43)
        #expect(Checksum.of(Array(UInt8(0)..<32).span) == 0x46DD_794E)
        var random = SeededRandom(printing: 11)
        for length in 0..<100 {
            let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(Checksum.of(bytes.span) == Crc32C.bitByBit(bytes))
            #expect(bytes.withUnsafeBytes { Checksum.byTables($0) } == Crc32C.bitByBit(bytes))
        }
    }

    /// What is written of a plain lease from its event is what the record would say.
    @Test func whatEventsSayIsWrittenLikeRecords() {
        var random = SeededRandom(printing: 20_260_712)
        var (beginning, otherBeginning) = (LineBeginning(), LineBeginning())
        var grant = random.grant()
        for _ in 0..<1_000 {
            let mark = random.below(8) == 0 ? random.mark() : nil
            var bytes = LogBytes()
            var otherBytes = LogBytes()
            var entries: [EventEntry] = []
            var names: [UInt8] = []
            for place in 0..<1 + random.below(8) {
                let drawn = random.grant()
                // Now and then something of the peer, or how long it wants it, is new.
                let (hasUID, hasPID, hasTTL) = (random.below(8) > 0, random.below(8) > 0, random.below(8) > 0)
                grant = Grant(
                    token: drawn.token, keys: Keys(drawn.keys.first), owner: drawn.owner,
                    uid: hasUID ? grant.uid : drawn.uid, pid: hasPID ? grant.pid : drawn.pid,
                    ttl: hasTTL ? grant.ttl : drawn.ttl, isShared: drawn.isShared)
                let (what, change) = random.plainChange(grant)
                let record = Record(sequence: grant.token, at: random.record().at, change: change)
                RecordEncoder.append(record, mark: place == 0 ? mark : nil, like: &beginning, to: &bytes)
                var entry = EventEntry(
                    sequence: record.sequence, at: record.at, what: what, token: grant.token, uid: grant.uid,
                    pid: grant.pid, whilePID: nil, keyCount: 1, isShared: grant.isShared, isEphemeral: false,
                    hasNote: false, standsInForRecord: true)
                entry.names = UInt32(names.count)
                entries.append(entry)
                for name in [grant.keys.first.bytes, grant.owner.bytes] {
                    names += withUnsafeBytes(of: UInt16(name.count)) { Array($0) } + name
                }
            }
            names.withUnsafeBytes { names in
                entries.withUnsafeBufferPointer { entries in
                    let told = ToldChanges(entries: entries, names: names.baseAddress!)
                    RecordEncoder.append(told, mark: mark, like: &otherBeginning, to: &otherBytes)
                }
            }
            let (written, inFull) = (otherBytes.copied(), bytes.copied())
            #expect(written == inFull)
        }
    }

    @Test func randomRecordsComeBack() throws {
        var random = SeededRandom(printing: 20_260_101)
        for _ in 0..<20_000 {
            let record = random.record()
            let mark = random.mark()
            let bytes = line(record, mark)
            #expect(bytes.allSatisfy { $0 == 10 || $0 >= 0x20 && $0 < 0x7F })
            let back = try #require(decoded(bytes), "\(String(decoding: bytes, as: UTF8.self))")
            #expect(back.record == record)
            #expect(back.mark == mark)
            #expect(bytes.count <= LogFormat.lineBytesMax)
            if case .granted(let grant) = record.change {
                #expect(bytes.count <= RecordSize.bound(of: grant))
            }
            if case .kept(let result) = record.change { #expect(bytes.count <= RecordSize.bound(of: result)) }
            if case .forgotten = record.change { #expect(bytes.count <= RecordSize.forgetting) }
            if case .renewed = record.change { #expect(bytes.count <= RecordSize.renewal) }
        }
    }

    /// One byte changed and the checksum made right again: no record, or one in its one spelling.
    @Test func whateverIsReadIsWrittenTheSame() {
        var random = SeededRandom(printing: 12)
        let alphabet = Array("0123456789abAB =.-:%/,ynms".utf8)
        var readable = 0
        for _ in 0..<20_000 {
            var rest = Array(line(random.record(), random.mark()).dropFirst(9).dropLast())
            rest[random.below(rest.count)] = alphabet[random.below(alphabet.count)]
            let changed = sealed(String(decoding: rest, as: UTF8.self))
            guard let back = decoded(changed) else { continue }
            readable += 1
            #expect(line(back.record, back.mark) == changed)
        }
        #expect(readable > 1_000)
    }

    /// What a client may not say isn't read, either: where it were written again, a line would be too long.
    @Test func namesHaveTheBoundsOfRequests() {
        func isRead(_ keys: Keys, text bytes: Int = 1, result: Int = 1) -> Bool {
            let text = Text(printed: [UInt8](repeating: 0x61, count: bytes))
            let grant = Grant(
                token: 1, keys: keys, owner: text, uid: 1, pid: 1, ttl: .seconds(1), request: text,
                note: text)
            let kept = KeptResult(
                token: 1, keys: keys, owner: text, uid: 1, pid: 1, keep: .seconds(1),
                value: Text(printed: [UInt8](repeating: 0x61, count: result)))
            return [Change.granted(grant), .kept(kept)].allSatisfy {
                decoded(line(Record(sequence: 1, at: .zero, change: $0))) != nil
            }
        }
        func key(_ bytes: Int) -> Key {
            Key(printed: Array("k/".utf8) + repeatElement(0x61, count: bytes - 2))
        }
        let one = Keys(key(3))
        #expect(isRead(one, text: Limits.textBytesMax) && !isRead(one, text: Limits.textBytesMax + 1))
        #expect(isRead(one, result: Limits.resultBytesMax) && !isRead(one, result: Limits.resultBytesMax + 1))
        #expect(isRead(Keys(key(Limits.keyBytesMax))) && !isRead(Keys(key(Limits.keyBytesMax + 1))))
        let more = Array(repeating: key(3), count: Limits.keysPerRequestMax)
        #expect(isRead(Keys(key(3), Array(more.dropLast()))) && !isRead(Keys(key(3), more)))
    }

    @Test func theLongestRecordsFitTheirBounds() {
        let widest = Int64.min
        let mark = BatchMark(synced: .max, wallMilliseconds: widest)
        for reason in EndReason.allCases {
            var ending = Ending(token: .max, reason: reason, isTakenBack: true)
            var record = Record(sequence: .max, at: Instant(nanoseconds: widest), change: .ended(ending))
            #expect(line(record, mark).count <= RecordSize.ending)
            ending.isTakenBack = false
            for count in 1...Limits.keysPerRequestMax {
                ending.rests = Array(repeating: Limits.durationMax, count: count)
                record.change = .ended(ending)
                #expect(line(record, mark).count <= RecordSize.ending + (count - 1) * RecordSize.endingPerKey)
            }
        }
        let process = ProcessIdentity(pid: .min, startTicks: .max)
        let text = Text(printed: [UInt8](repeating: 0x61, count: Limits.textBytesMax))
        let key = Key(printed: Array("k/".utf8) + [UInt8](repeating: 0x61, count: Limits.keyBytesMax - 2))
        let grant = Grant(
            token: .max, keys: Keys(key, Array(repeating: key, count: Limits.keysPerRequestMax - 1)),
            owner: text,
            uid: .max, pid: .min, ttl: Duration(nanoseconds: .max), maxHold: Duration(nanoseconds: .max),
            isShared: true, isEphemeral: true, process: process, request: text, note: text)
        let at = Instant(nanoseconds: widest)
        let held = HeldLease(grant: grant, grantedAt: at, ownDeadline: at, deadline: at, orphanedAt: at)
        let longest = line(Record(sequence: .max, at: at, change: .held(held)), mark)
        #expect(longest.count <= LogFormat.lineBytesMax)
        #expect(longest.count < 6_000)
        let result = KeptResult(
            token: .max, keys: grant.keys, owner: text, uid: .max, pid: .min,
            keep: Duration(nanoseconds: .max),
            value: Text(printed: [UInt8](repeating: 0x61, count: Limits.resultBytesMax)))
        let kept = line(Record(sequence: .max, at: at, change: .kept(result)), mark)
        #expect(kept.count <= RecordSize.bound(of: result))
        let standing = StandingResult(kept: result, at: at)
        let longestOfAll = line(Record(sequence: .max, at: at, change: .result(standing)), mark)
        #expect(longestOfAll.count <= LogFormat.lineBytesMax)
        #expect(longestOfAll.count < 9_500)
        for reason in ForgetReason.allCases {
            let forgetting = Forgetting(token: .max, key: key, reason: reason)
            let record = Record(sequence: .max, at: at, change: .forgotten(forgetting))
            #expect(line(record, mark).count <= RecordSize.forgetting)
        }
        let renewal = Renewal(token: .max, ttl: grant.ttl, bindsConnection: true, process: process)
        let renewed = line(Record(sequence: .max, at: at, change: .renewed(renewal)), mark)
        #expect(renewed.count <= RecordSize.renewal)
    }

    @Test func numbersAndTimesHaveOneSpelling() {
        #expect(text(.advanced, at: -3_000_000_001) == "7 -3.000000001 advanced")
        #expect(text(.advanced, at: -1) == "7 -0.000000001 advanced")
        #expect(text(.advanced, at: 0) == "7 0.000000000 advanced")
        #expect(text(.advanced, at: .min) == "7 -9223372036.854775808 advanced")
        #expect(text(.advanced, at: .max) == "7 9223372036.854775807 advanced")
        let grace = Duration(nanoseconds: 5_000_000_001)
        #expect(
            text(.resumed(grace: grace, afterRestart: true))
                == "7 0.000000000 resumed grace=5000000001ns restart=yes")
        #expect(text(.resumed(grace: .zero, afterRestart: false)) == "7 0.000000000 resumed grace=0ms")
        let mark = BatchMark(synced: 6, wallMilliseconds: -1)
        #expect(text(.stopped, mark) == "7 0.000000000 stopped synced=6 wall=-1")
    }

    @Test(arguments: [
        "07 0.000000000 advanced", "+7 0.000000000 advanced", "7  0.000000000 advanced",
        "7 0.00000000 advanced",
        "7 -0.000000000 advanced", "7 00.000000000 advanced", "7 9223372036.854775808 advanced",
        "7 0.0 advanced",
        "18446744073709551616 0.000000000 advanced", "7 0.000000000 advanced ", "7 0.000000000 advancedx",
        "7 0.000000000 Advanced", "7 0.000000000 bound token=0", "7 0.000000000 bound token=05",
        "7 0.000000000 bound", "7 0.000000000 bound token=5 token=5", "7 0.000000000 bound token=5\r",
        "7 0.000000000 resumed grace=1000000ns", "7 0.000000000 resumed grace=-1ms",
        "7 0.000000000 resumed grace=1s",
        "7 0.000000000 resumed grace=9223372036855ms", "7 0.000000000 resumed restart=yes grace=1ms",
        "7 0.000000000 resumed grace=1ms restart=no", "7 0.000000000 stopped synced=1",
        "7 0.000000000 stopped wall=1",
        "7 0.000000000 stopped wall=1 synced=1", "7 0.000000000 evicted token=1 note=%41",
        "7 0.000000000 evicted token=1 note=%0a", "7 0.000000000 evicted token=1 note=%0",
        "7 0.000000000 evicted token=1 note=a\u{7f}", "7 0.000000000 evicted token=1 note=é",
        "7 0.000000000 started boot=b shift=0 last-token=0", "7 0.000000000 expired token=1 rest=0ms",
        "7 0.000000000 expired token=1 rest=0ms,0ms", "7 0.000000000 expired token=1 rest=1ms,",
        "7 0.000000000 resting token=1 key=a/b,a/c uid=0 until=0.000000000",
        "7 0.000000000 log format=1 clock=system compacted=no",
        "7 0.000000000 remembered token=1 why=lost at=0.000000000 key=a/b uid=0",
        "7 0.000000000 remembered token=1 why=expired at=0.000000000 key=a/b uid=0",
        "7 0.000000000 remembered token=1 why=expired at=0.000000000 key=a uid=0",
        "7 0.000000000 remembered token=1 why=expired at=0.000000000 key=a//b uid=0",
        "7 0.000000000 remembered token=1 why=expired at=0.000000000 key=/b uid=0",
        "7 0.000000000 remembered token=1 why=expired at=0.000000000 key=a/b, uid=0",
        "7 0.000000000 remembered token=1 why=expired at=0.000000000 key=a/b= uid=0",
        "7 0.000000000 remembered token=1 why=expired at=0.000000000 key=a/%41 uid=0",
        "7 0.000000000 remembered token=1 why=expired at=0.000000000 key=a/b uid=4294967296",
        "7 0.000000000 forgotten token=1", "7 0.000000000 forgotten token=1 why=lost",
        "7 0.000000000 forgotten token=1 why=asked key=a/b",
        "7 0.000000000 forgotten token=1 key=a why=asked",
        "7 0.000000000 kept token=1 key=a/b owner=o uid=0 pid=1 keep=1ms",
        "7 0.000000000 kept token=1 key=a/b owner=o uid=0 pid=1 result=r keep=1ms",
        "7 0.000000000 kept token=1 key=a/b owner=o uid=0 pid=1 keep=1ms result=r at=0.000000000",
        "7 0.000000000 result token=1 key=a/b owner=o uid=0 pid=1 keep=1ms result=r",
        "", "7", "7 0.000000000", "7 0.000000000 ",
    ])
    func anotherSpellingIsNoRecord(_ rest: String) {
        #expect(decoded(sealed(rest)) == nil)
    }

    @Test func theChecksumIsWrittenInLowerCase() {
        let good = line(Record(sequence: 7, at: .zero, change: .stopped))
        #expect(decoded(good) != nil)
        let upper = String(decoding: good.prefix(8), as: UTF8.self).uppercased()
        if upper.utf8.elementsEqual(good.prefix(8)) { return }
        #expect(decoded(Array(upper.utf8) + good.dropFirst(8)) == nil)
    }
}

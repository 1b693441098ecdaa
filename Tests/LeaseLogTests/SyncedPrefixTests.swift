// How much of a log its records say to be on the disk.

import LeaseLog
import LeaseModel
import SeededRandom
import Testing

@Suite struct SyncedPrefixTests {
    private func bytesSynced(_ log: SampleLog) -> Int {
        var reader = LogReader()
        reader.feed(log.bytes.span) { _, _ in }
        _ = reader.finish(currentBoot: thisBoot)
        return Int(reader.bytesSynced)
    }

    @Test func itEndsBeforeTheBatchThatNobodyClaims() {
        for count in 1...9 {
            let log = SampleLog.of(count)
            #expect(bytesSynced(log) == log.starts.last)
        }
        var log = SampleLog.of(4)
        let size = log.bytes.count
        log.add(SampleLog.grant(3), synced: 5)
        log.add(SampleLog.grant(4))
        #expect(bytesSynced(log) == size)
        // A later batch of which the one before is not known to be there.
        log.add(SampleLog.grant(5), synced: 5)
        #expect(bytesSynced(log) == size)
        log.add(SampleLog.grant(6), synced: 7)
        #expect(bytesSynced(log) == log.starts[log.starts.count - 2])
    }

    @Test func nothingIsSaidOfALogWithoutAClaim() {
        #expect(bytesSynced(SampleLog()) == 0)
        var log = SampleLog(sequence: 17)
        log.add(SampleLog.start(), synced: 16)
        for token in 1...5 { log.add(SampleLog.grant(Token(token)), synced: 16) }
        #expect(bytesSynced(log) == 0)
    }

    @Test func theStateOfACompactedFileIsThere() {
        var log = SampleLog(sequence: 20, isCompacted: true)
        log.put(Record(sequence: 20, at: log.time, change: SampleLog.start(lastToken: 5)), synced: 20)
        log.add(SampleLog.grant(6))
        log.add(.compacted(lines: 0))
        let size = log.bytes.count
        log.add(SampleLog.grant(7), synced: 3)
        #expect(bytesSynced(log) == size)
        log.add(SampleLog.grant(8), synced: 23)
        #expect(bytesSynced(log) == log.starts.last)
    }

    @Test func aStateThatIsBeingReadIsThere() {
        var log = SampleLog(sequence: 20, isCompacted: true)
        log.put(Record(sequence: 20, at: log.time, change: SampleLog.start(lastToken: 5)), synced: 20)
        log.add(SampleLog.grant(6))
        var reader = LogReader()
        reader.feed(log.bytes.span) { _, _ in }
        #expect(Int(reader.bytesSynced) == log.bytes.count)
        reader.feed([UInt8(ascii: "1")].span) { _, _ in }
        #expect(Int(reader.bytesSynced) == log.bytes.count)
    }

    /// Never more than the claim, and seldom much less, however many batches there are between claims.
    @Test func itNeverSaysMoreThanIsClaimed() {
        let seed = UInt64.random(in: 1...1_000_000)
        print("synced prefix: seed \(seed)")
        var random = SeededRandom(seed: seed)
        var log = SampleLog()
        log.add(SampleLog.start(), synced: 0)
        var synced: Sequence64 = 0
        var claims = 0
        while log.records.count < 9_000 {
            let token = Token(log.records.count)
            if Int.random(in: 0..<4_000, using: &random) == 0 {
                synced = UInt64.random(in: synced...log.sequence, using: &random)
                claims += 1
            }
            log.add(SampleLog.grant(token), synced: Bool.random(using: &random) ? synced : nil)
        }
        let behind = log.records.firstIndex { $0.sequence > synced }! + 1
        let most = behind < log.starts.count ? log.starts[behind] : log.bytes.count
        let said = bytesSynced(log)
        #expect(said <= most)
        #expect(claims == 0 || said >= log.starts[max(0, behind - 200)] || synced < 200)
    }
}

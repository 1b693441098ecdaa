// What a step that waits for the disk means when it has failed: never that something is kept.

import LeaseLog
import LeaseModel
import LeaseServer
import Testing

@Suite struct LogScheduleTests {
    @Test(arguments: [LogJobResult.failed, .noSpace])
    func aSyncThatFailedIsNone(_ result: LogJobResult) {
        var schedule = LogSchedule(policy: .always, sequence: 0, ringBytes: 0, syncsBeforeRing: 0)
        let acknowledgesOnWrite = schedule.acknowledgesOnWrite
        #expect(!acknowledgesOnWrite)
        schedule.wrote(upTo: 7, bytes: 100)
        let turn = schedule.turn(at: .zero, moreComes: false)
        #expect(turn == .submit(.sync(7)))
        schedule.submit(.sync(7))
        let completed = schedule.conclude(result)
        #expect(completed == .failed(what: "the log can't be synced"))
    }

    private func same<Value: Equatable>(
        _ found: Value, _ expected: Value, at place: SourceLocation = #_sourceLocation
    ) {
        #expect(found == expected, sourceLocation: place)
    }

    /// A schedule whose ring is there, with room for a frame of 100 bytes and for a small one.
    private func scheduleWithRing() -> LogSchedule {
        var schedule = LogSchedule(policy: .always, sequence: 3, ringBytes: 400, syncsBeforeRing: 1)
        #expect(!schedule.wantsRing)
        expectSync(&schedule, upTo: 4, inLog: true)
        #expect(schedule.wantsRing)
        schedule.submit(.ringMaking)
        #expect(!schedule.fillsFrame)
        same(schedule.conclude(.done), .ringMade)
        #expect(schedule.fillsFrame)
        return schedule
    }

    private func expectSync(_ schedule: inout LogSchedule, upTo sequence: Sequence64, inLog: Bool) {
        schedule.wrote(upTo: sequence, bytes: 100)
        guard case .submit(let job) = schedule.turn(at: .zero, moreComes: false) else {
            Issue.record("no sync is due")
            return
        }
        if case .sync = job { #expect(inLog) } else { #expect(!inLog) }
        schedule.submit(job)
        same(schedule.conclude(.done), .synced(sequence, inLog: inLog))
    }

    /// For as long as the last sync took, and not when nothing comes, or nothing was synced of late.
    @Test func aSyncWaitsForMoreWhileMoreComes() {
        var schedule = LogSchedule(policy: .always, sequence: 0, ringBytes: 0, syncsBeforeRing: 0)
        var sequence: Sequence64 = 0
        func sync(from start: Int64, to end: Int64, moreComes: Bool) {
            sequence += 1
            schedule.wrote(upTo: sequence, bytes: 100)
            let at = Instant(nanoseconds: start)
            same(schedule.turn(at: at, moreComes: moreComes), .submit(.sync(sequence)))
            schedule.submit(.sync(sequence))
            same(schedule.turn(at: at, moreComes: moreComes), .notNow)
            same(schedule.conclude(.done), .synced(sequence, inLog: true))
            same(schedule.turn(at: Instant(nanoseconds: end), moreComes: moreComes), .notNow)
        }
        func expectWait(at instant: Int64) {
            schedule.wrote(upTo: sequence + 1, bytes: 100)
            same(schedule.turn(at: Instant(nanoseconds: instant), moreComes: true), .gather)
        }
        sync(from: 1_000, to: 1_010, moreComes: true)
        expectWait(at: 1_010)
        expectWait(at: 1_019)
        sync(from: 1_020, to: 1_050, moreComes: true)
        expectWait(at: 1_079)
        sync(from: 1_079, to: 1_090, moreComes: false)
        sync(from: 9_000, to: 9_010, moreComes: true)
        // Through an hour in which the daemon stood still.
        let hour: Int64 = 3_600_000_000_000
        sync(from: 10_000, to: hour, moreComes: true)
        expectWait(at: hour + 9_999_999)
        sync(from: hour + 10_000_000, to: hour + 10_000_010, moreComes: true)
    }

    /// Its first frame goes on behind a sync of the log, and where it is full the log is synced, too.
    @Test func theRingIsSyncedInTheLogsPlaceUntilItIsFull() {
        var schedule = scheduleWithRing()
        expectSync(&schedule, upTo: 5, inLog: true)
        schedule.wrote(upTo: 7, bytes: 100)
        let first = RingWrite(first: 6, last: 7, offset: 0, synced: 5)
        same(schedule.turn(at: .zero, moreComes: false), .submit(.ring(first)))
        schedule.submit(.ring(first))
        schedule.wrote(upTo: 8, bytes: 100)
        same(schedule.turn(at: .zero, moreComes: false), .notNow)
        same(schedule.conclude(.done), .synced(7, inLog: false))
        // The frame of 8 has no room.
        same(schedule.turn(at: .zero, moreComes: false), .submit(.sync(8)))
        schedule.submit(.sync(8))
        same(schedule.conclude(.done), .synced(8, inLog: true))
        schedule.wrote(upTo: 9, bytes: 100)
        let next = RingWrite(first: 9, last: 9, offset: 0, synced: 8)
        same(schedule.turn(at: .zero, moreComes: false), .submit(.ring(next)))
    }

    /// From the rename of a compacted log on, what only the ring and the old file have is to be in the new
    /// one.
    @Test func aCompactedLogIsSyncedItself() {
        var schedule = scheduleWithRing()
        expectSync(&schedule, upTo: 5, inLog: true)
        expectSync(&schedule, upTo: 6, inLog: false)
        schedule.submit(.compactionInstall)
        schedule.wrote(upTo: 7, bytes: 10)
        same(schedule.turn(at: .zero, moreComes: false), .notNow)
        same(schedule.conclude(.done), .compactionRenamed)
        schedule.submit(.compactionNames)
        same(schedule.turn(at: .zero, moreComes: false), .notNow)
        same(schedule.conclude(.done), .compactionInstalled)
        // There would be room for it in the ring.
        same(schedule.turn(at: .zero, moreComes: false), .submit(.sync(7)))
    }

    /// The sync of one that was given up may end when the next is under way, which it must neither end nor
    /// help on.
    @Test(arguments: [LogJobResult.done, .failed, .noSpace])
    func aDroppedCompactionSaysNothingOfTheNext(_ result: LogJobResult) {
        var schedule = LogSchedule(policy: .never, sequence: 3, ringBytes: 0, syncsBeforeRing: 0)
        schedule.submit(.compactionSync)
        schedule.dropCompaction()
        schedule.submit(.compactionSync)
        same(schedule.conclude(result), .compactionCleared)
        same(schedule.conclude(.done), .compactionSynced)
    }

    /// Also where nothing was written meanwhile: of the last change before it only the old file was synced.
    @Test func aCompactedLogIsSyncedThoughNothingCameMeanwhile() {
        var schedule = scheduleWithRing()
        expectSync(&schedule, upTo: 5, inLog: true)
        schedule.submit(.compactionInstall)
        same(schedule.conclude(.done), .compactionRenamed)
        schedule.submit(.compactionNames)
        same(schedule.conclude(.done), .compactionInstalled)
        same(schedule.turn(at: .zero, moreComes: false), .submit(.sync(5)))
    }

    /// A ring that is lost, full or broken acknowledges nothing any more, and what it had is synced in the
    /// log.
    @Test func aRingThatCannotBeUsedIsNoSync() {
        for way in 0..<3 {
            var schedule = scheduleWithRing()
            expectSync(&schedule, upTo: 5, inLog: true)
            schedule.wrote(upTo: 6, bytes: 10)
            guard case .submit(let job) = schedule.turn(at: .zero, moreComes: false), case .ring = job else {
                Issue.record("no frame")
                return
            }
            schedule.submit(job)
            if way == 0 {
                same(schedule.conclude(.failed), .failed(what: "the log's ring can't be synced"))
                continue
            }
            if way == 1 { schedule.ringIsLost() }
            same(schedule.conclude(way == 1 ? .done : .noSpace), .ringRefused)
            #expect(!schedule.wantsRing)
            #expect(!schedule.fillsFrame)
            same(schedule.turn(at: .zero, moreComes: false), .submit(.sync(6)))
        }
    }

    @Test(arguments: [LogJobResult.failed, .noSpace])
    func withoutARingTheLogIsSynced(_ result: LogJobResult) {
        var schedule = LogSchedule(policy: .always, sequence: 3, ringBytes: 300, syncsBeforeRing: 0)
        #expect(schedule.wantsRing)
        schedule.submit(.ringMaking)
        same(schedule.conclude(result), .ringRefused)
        #expect(!schedule.wantsRing)
        for sequence in 4...9 { expectSync(&schedule, upTo: Sequence64(sequence), inLog: true) }
    }

    @Test(arguments: [SyncPolicy.never, .every(.seconds(1))])
    func whoDoesNotWaitForTheDiskNeedsNoRing(_ policy: SyncPolicy) {
        let schedule = LogSchedule(policy: policy, sequence: 3, ringBytes: 300, syncsBeforeRing: 0)
        #expect(!schedule.wantsRing)
    }
}

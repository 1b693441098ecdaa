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
        let turn = schedule.turn(at: .zero)
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
        guard case .submit(let job) = schedule.turn(at: .zero) else {
            Issue.record("no sync is due")
            return
        }
        if case .sync = job { #expect(inLog) } else { #expect(!inLog) }
        schedule.submit(job)
        same(schedule.conclude(.done), .synced(sequence, inLog: inLog))
    }

    /// For as long as the last sync took, and not when nothing is added, or nothing was synced of late.
    @Test func aSyncWaitsForMoreWhileMoreIsWritten() {
        var schedule = LogSchedule(policy: .always, sequence: 0, ringBytes: 0, syncsBeforeRing: 0)
        var written: Sequence64 = 0
        func write(_ count: Sequence64 = 2) {
            written += count
            schedule.wrote(upTo: written, bytes: 100)
        }
        func sync(at start: Int64, took span: Int64, until end: Int64, meanwhile: Sequence64 = 2) {
            same(schedule.turn(at: Instant(nanoseconds: start)), .submit(.sync(written)))
            schedule.submit(.sync(written))
            let synced = written
            write(meanwhile)
            same(schedule.turn(at: Instant(nanoseconds: end)), .notNow)
            let (took, now) = (Duration(nanoseconds: span), Instant(nanoseconds: end))
            same(schedule.conclude(.done, took: took, at: now), .synced(synced, inLog: true))
        }
        func expectWait(at instant: Int64) {
            same(schedule.turn(at: Instant(nanoseconds: instant)), .gather)
        }
        write()
        sync(at: 1_000, took: 10, until: 1_015)
        expectWait(at: 1_015)
        write()
        expectWait(at: 1_024)
        write()
        sync(at: 1_025, took: 30, until: 1_060)
        expectWait(at: 1_061)
        // Nothing was added.
        sync(at: 1_062, took: 10, until: 1_080)
        expectWait(at: 1_081)
        sync(at: 9_000, took: 10, until: 9_020)
        // Long after.
        sync(at: 9_100, took: 10, until: 9_120)
        expectWait(at: 9_120)
        // One who is alone.
        sync(at: 9_200, took: 10, until: 9_220, meanwhile: 1)
        sync(at: 9_240, took: 10, until: 9_250, meanwhile: 1)
        sync(at: 9_251, took: 10, until: 9_260)
        // Through an hour in which the daemon stood still.
        let hour: Int64 = 3_600_000_000_000
        sync(at: 10_000, took: hour, until: hour)
        expectWait(at: hour + 9_999_999)
        write()
        sync(at: hour + 10_000_000, took: 10, until: hour + 10_000_010)
    }

    @Test func whoDoesNotWaitForTheDiskGathersNothing() {
        for policy in [SyncPolicy.never, .every(.milliseconds(1))] {
            var schedule = LogSchedule(policy: policy, sequence: 0, ringBytes: 0, syncsBeforeRing: 0)
            for round in 1...9 {
                schedule.wrote(upTo: Sequence64(round), bytes: 100)
                let now = Instant(nanoseconds: Int64(round) * 600_000)
                let turn = schedule.turn(at: now)
                #expect(turn != .gather)
                guard case .submit(let job) = turn else { continue }
                schedule.submit(job)
                _ = schedule.conclude(.done, took: .milliseconds(5), at: now)
            }
        }
    }

    /// Its first frame goes on behind a sync of the log, and where it is full the log is synced, too.
    @Test func theRingIsSyncedInTheLogsPlaceUntilItIsFull() {
        var schedule = scheduleWithRing()
        expectSync(&schedule, upTo: 5, inLog: true)
        schedule.wrote(upTo: 7, bytes: 100)
        let first = RingWrite(first: 6, last: 7, offset: 0, synced: 5)
        same(schedule.turn(at: .zero), .submit(.ring(first)))
        schedule.submit(.ring(first))
        schedule.wrote(upTo: 8, bytes: 100)
        same(schedule.turn(at: .zero), .notNow)
        same(schedule.conclude(.done), .synced(7, inLog: false))
        // The frame of 8 has no room.
        same(schedule.turn(at: .zero), .submit(.sync(8)))
        schedule.submit(.sync(8))
        same(schedule.conclude(.done), .synced(8, inLog: true))
        schedule.wrote(upTo: 9, bytes: 100)
        let next = RingWrite(first: 9, last: 9, offset: 0, synced: 8)
        same(schedule.turn(at: .zero), .submit(.ring(next)))
    }

    /// From the rename of a compacted log on, what only the ring and the old file have is to be in the new
    /// one.
    @Test func aCompactedLogIsSyncedItself() {
        var schedule = scheduleWithRing()
        expectSync(&schedule, upTo: 5, inLog: true)
        expectSync(&schedule, upTo: 6, inLog: false)
        schedule.submit(.compactionInstall)
        schedule.wrote(upTo: 7, bytes: 10)
        same(schedule.turn(at: .zero), .notNow)
        same(schedule.conclude(.done), .compactionRenamed)
        schedule.submit(.compactionNames)
        same(schedule.turn(at: .zero), .notNow)
        same(schedule.conclude(.done), .compactionInstalled)
        // There would be room for it in the ring.
        same(schedule.turn(at: .zero), .submit(.sync(7)))
    }

    /// The sync of one that was given up may end when the next is under way, which it must neither end nor
    /// help on.
    @Test(arguments: [LogJobResult.done, .failed, .noSpace])
    func aDroppedCompactionSaysNothingOfTheNext(_ result: LogJobResult) {
        var schedule = LogSchedule(policy: .never, sequence: 3, ringBytes: 0, syncsBeforeRing: 0)
        schedule.submit(.compactionWriteBack)
        schedule.submit(.compactionSync)
        schedule.dropCompaction()
        schedule.submit(.compactionSync)
        same(schedule.conclude(result), .nothing)
        same(schedule.conclude(result), .nothing)
        same(schedule.conclude(.done), .compactionSynced)
    }

    /// A file system may have thrown away what it could not write, and the sync finds nothing to do.
    @Test(arguments: [LogJobResult.failed, .noSpace])
    func aWriteBackThatFailedIsNoTrifle(_ result: LogJobResult) {
        var schedule = LogSchedule(policy: .always, sequence: 3, ringBytes: 0, syncsBeforeRing: 0)
        for job in [LogJob.writeBack, .compactionWriteBack] {
            #expect(!schedule.isWritingBack)
            schedule.submit(job)
            #expect(schedule.isWritingBack)
            same(schedule.conclude(.done), .nothing)
        }
        schedule.submit(.compactionWriteBack)
        same(schedule.conclude(result), .compactionFailed)
        schedule.submit(.writeBack)
        same(schedule.conclude(result), .failed(what: "the log can't be written"))
    }

    /// Also where nothing was written meanwhile: of the last change before it only the old file was synced.
    @Test func aCompactedLogIsSyncedThoughNothingCameMeanwhile() {
        var schedule = scheduleWithRing()
        expectSync(&schedule, upTo: 5, inLog: true)
        schedule.submit(.compactionInstall)
        same(schedule.conclude(.done), .compactionRenamed)
        schedule.submit(.compactionNames)
        same(schedule.conclude(.done), .compactionInstalled)
        same(schedule.turn(at: .zero), .submit(.sync(5)))
    }

    /// A ring that is lost, full or broken acknowledges nothing any more, and what it had is synced in the
    /// log.
    @Test func aRingThatCannotBeUsedIsNoSync() {
        for way in 0..<3 {
            var schedule = scheduleWithRing()
            expectSync(&schedule, upTo: 5, inLog: true)
            schedule.wrote(upTo: 6, bytes: 10)
            guard case .submit(let job) = schedule.turn(at: .zero), case .ring = job else {
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
            same(schedule.turn(at: .zero), .submit(.sync(6)))
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

extension LogSchedule {
    /// Where it doesn't matter when, or how long it took.
    fileprivate mutating func conclude(_ result: LogJobResult) -> Completed {
        conclude(result, took: .zero, at: .zero)
    }
}

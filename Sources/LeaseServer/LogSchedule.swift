// The steps that wait for the disk, one after the other: decided here, carried out by whoever has the files.

package import LeaseLog
package import LeaseModel

/// When the log is synced.
package enum SyncPolicy: Equatable, Sendable {
    /// Before each answer that depends on it.
    case always
    case never
    /// At the latest so long after a record was written.
    case every(Duration)
}

/// A step that waits for the disk.
package enum LogJob: Equatable, Sendable {
    /// Sync the log, which has all changes up to this one.
    case sync(Sequence64)
    /// Write the ring's next frame and sync it.
    case ring(RingWrite)
    /// Make the ring, filled and durable.
    case ringMaking
    /// Replace the file of numbers, durably.
    case numbers(Numbers)
    case compactionSync
    /// Sync the new file and rename it to the log.
    case compactionInstall
    /// Sync the directory, behind the rename.
    case compactionNames
    /// Begin to write the log to the disk, so that the sync that comes some time has less to wait for.
    case writeBack
    /// The same for the new file of a compaction.
    case compactionWriteBack
    /// It was of a compaction that has been given up: how it ends says nothing.
    case dropped
}

/// How a job ended.
package enum LogJobResult: Equatable, Sendable {
    case done
    case noSpace
    case failed
}

/// What a job that has ended means.
package enum Completed: Equatable, Sendable {
    /// Changes up to here are on the disk; `inLog`: in the log itself, as batches may say from now on.
    case synced(Sequence64, inLog: Bool)
    case ringMade
    /// It is not to be had, or not to be used any more: the log is synced instead.
    case ringRefused
    case numbersReserved(Numbers)
    case compactionSynced
    /// The job `compactionNames` is to follow at once.
    case compactionRenamed
    /// The new file is the log from here on.
    case compactionInstalled
    case compactionFailed
    /// The disk is too full for them.
    case numbersRefused
    /// Nothing follows from it.
    case nothing
    /// Something that must not fail has failed.
    case failed(what: String)
}

/// Which changes are written, which are handed to a sync, and what is under way. Jobs are carried out one
/// after the other, in the order in which they were submitted.
package struct LogSchedule {
    package enum Turn: Equatable {
        /// A sync is under way, or nothing is written that needs one.
        case notNow
        case notBefore(Instant)
        /// Ask again at once, with what has come until then.
        case gather
        /// Submit this job.
        case submit(LogJob)
    }

    private let policy: SyncPolicy
    private var jobs: [LogJob] = []
    /// Changes up to here are written, and up to here handed to a sync.
    private var written: Sequence64 = 0
    private var submitted: Sequence64 = 0
    private var isSyncing = false
    /// From here on the new file may be the log at any moment: it can't be dropped any more.
    package private(set) var isInstalling = false
    private var lastSyncAt = Instant.zero
    private var lastSynced: Sequence64 = 0
    /// What comes until then can go with what is written already.
    private var gathersUntil = Instant.zero
    /// How much was written when a sync was last put off.
    private var gathered: Sequence64 = 0
    /// A sync that took very long, as one through which the daemon or the machine stood still, is no reason
    /// to keep anybody waiting as long.
    private static let gathersAtMost = Duration.milliseconds(10)
    private var ring: RingState

    /// `sequence`: all changes up to it are on the disk. `ringBytes`: how large the ring is to be, 0 where
    /// none is wanted; it is made when there have been so many syncs that it pays.
    package init(policy: SyncPolicy, sequence: Sequence64, ringBytes: Int, syncsBeforeRing: Int) {
        self.policy = policy
        ring = RingState(
            size: policy == .always ? ringBytes : 0, syncsBefore: syncsBeforeRing, sequence: sequence)
    }

    /// Whether replies may go when the batch is written, before it is on the disk.
    package var acknowledgesOnWrite: Bool { policy != .always }

    package mutating func wrote(upTo sequence: Sequence64, bytes: Int) {
        written = sequence
        if ring.isReady { ring.pendingBytes += bytes }
    }

    /// Whether what is written to the log is to be kept for the ring's next frame as well.
    package var fillsFrame: Bool { ring.isReady && ring.pendingBytes <= ring.size }

    package var hasRing: Bool { ring.isReady }
    package var ringBytes: Int { ring.size }

    /// Whether the ring is to be made now: submit that then.
    package var wantsRing: Bool { ring.isWanted && !isInstalling }

    /// Somebody took the ring away: the log is synced instead, beginning with what only the ring had.
    package mutating func ringIsLost() {
        ring.giveUp()
        submitted = 0
    }

    /// Whether a sync is to be submitted now. After the rename of a compacted log nothing may be acknowledged
    /// by a sync of the old file: until that is installed, none begins.
    ///
    /// To sync a little takes about as long as to sync much, and who has just been answered mostly comes
    /// again at once. So while more and more is written, the next sync is put off: no longer than the last
    /// took, and 10 ms at most.
    package mutating func turn(at now: Instant) -> Turn {
        guard written > submitted, !isSyncing, !isInstalling else { return .notNow }
        switch policy {
        case .never: return .notNow
        case .always:
            if written > gathered, now < gathersUntil {
                gathered = written
                return .gather
            }
        case .every(let span):
            guard lastSyncAt + span <= now else { return .notBefore(lastSyncAt + span) }
        }
        lastSyncAt = now
        isSyncing = true
        submitted = written
        if let write = ring.nextWrite(upTo: written) { return .submit(.ring(write)) }
        return .submit(.sync(written))
    }

    package mutating func submit(_ job: LogJob) {
        if job == .compactionInstall { isInstalling = true }
        if job == .ringMaking { ring.beginMaking() }
        jobs.append(job)
    }

    package var isWritingBack: Bool { jobs.contains { $0 == .writeBack || $0 == .compactionWriteBack } }

    /// The compaction was given up: what is under way for its file says nothing of the next one.
    package mutating func dropCompaction() {
        for place in jobs.indices where [.compactionSync, .compactionWriteBack].contains(jobs[place]) {
            jobs[place] = .dropped
        }
    }

    /// The oldest job has ended.
    package mutating func conclude(_ result: LogJobResult, took: Duration, at now: Instant) -> Completed {
        switch jobs.removeFirst() {
        case .sync(let sequence):
            endSync(upTo: sequence, took, now)
            guard result == .done else { return .failed(what: "the log can't be synced") }
            ring.logSynced(upTo: sequence)
            return .synced(sequence, inLog: true)
        case .ring(let write):
            endSync(upTo: write.last, took, now)
            switch result {
            // Taken away meanwhile: nobody would find what is in it.
            case .done where !ring.isReady: return .ringRefused
            case .done:
                ring.synced(write)
                return .synced(write.last, inLog: false)
            // Room that was written is there, but for file systems that write nothing twice in one place.
            case .noSpace:
                ringIsLost()
                return .ringRefused
            case .failed: return .failed(what: "the log's ring can't be synced")
            }
        case .ringMaking:
            guard result == .done else {
                ring.giveUp()
                return .ringRefused
            }
            ring.made()
            return .ringMade
        case .numbers(let numbers):
            switch result {
            case .done: return .numbersReserved(numbers)
            case .noSpace: return .numbersRefused
            case .failed: return .failed(what: "the file of numbers can't be written")
            }
        case .compactionSync:
            return result == .done ? .compactionSynced : .compactionFailed
        case .compactionInstall:
            if result == .done { return .compactionRenamed }
            isInstalling = false
            return .compactionFailed
        case .compactionNames:
            // The new file has the name, but nobody knows for how long: neither of the two can be relied on.
            guard result == .done else { return .failed(what: "the data directory can't be synced") }
            isInstalling = false
            submitted = 0
            ring.mustSyncLog = true
            return .compactionInstalled
        // The sync that follows may not hear of what a file system has just thrown away.
        case .writeBack:
            return result == .done ? .nothing : .failed(what: "the log can't be written")
        case .compactionWriteBack:
            return result == .done ? .nothing : .compactionFailed
        case .dropped:
            return .nothing
        }
    }

    private mutating func endSync(upTo sequence: Sequence64, _ took: Duration, _ now: Instant) {
        isSyncing = false
        // Who was alone is mostly alone again.
        let wasOne = sequence <= lastSynced + 1
        gathersUntil = wasOne ? now : now + min(took, LogSchedule.gathersAtMost)
        lastSynced = sequence
    }
}

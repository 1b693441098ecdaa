// When the log is synced, and what comes of the steps that wait for the disk: decided here, carried out by
// whoever has the files.

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
    /// Replace the file of numbers, durably.
    case numbers(Numbers)
    case compactionSync
    /// Sync the new file and rename it to the log.
    case compactionInstall
    /// Sync the directory, behind the rename.
    case compactionNames
}

/// How a job ended.
package enum LogJobResult: Equatable, Sendable {
    case done
    case noSpace
    case failed
}

/// What a job that has ended means.
package enum Completed: Equatable, Sendable {
    case synced(Sequence64)
    case numbersReserved(Numbers)
    case compactionSynced
    /// The job `compactionNames` is to follow at once.
    case compactionRenamed
    /// The new file is the log from here on.
    case compactionInstalled
    case compactionFailed
    /// The disk is too full for them.
    case numbersRefused
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

    package init(policy: SyncPolicy) {
        self.policy = policy
    }

    /// Whether replies may go when the batch is written, before it is on the disk.
    package var acknowledgesOnWrite: Bool { policy != .always }

    package mutating func wrote(upTo sequence: Sequence64) {
        written = sequence
    }

    /// Whether a sync is to be submitted now. After the rename of a compacted log nothing may be acknowledged
    /// by a sync of the old file: until that is installed, none begins.
    package mutating func turn(at now: Instant) -> Turn {
        guard written > submitted, !isSyncing, !isInstalling else { return .notNow }
        switch policy {
        case .never: return .notNow
        case .always: break
        case .every(let span):
            guard lastSyncAt + span <= now else { return .notBefore(lastSyncAt + span) }
        }
        lastSyncAt = now
        isSyncing = true
        submitted = written
        return .submit(.sync(written))
    }

    package mutating func submit(_ job: LogJob) {
        if job == .compactionInstall { isInstalling = true }
        jobs.append(job)
    }

    /// The oldest job has ended.
    package mutating func conclude(_ result: LogJobResult) -> Completed {
        switch jobs.removeFirst() {
        case .sync(let sequence):
            isSyncing = false
            return result == .done ? .synced(sequence) : .failed(what: "the log can't be synced")
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
            return .compactionInstalled
        }
    }
}

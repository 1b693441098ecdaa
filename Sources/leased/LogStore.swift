// The log's files: written by the daemon's one thread, synced by another, so that the next batch is read
// meanwhile.

import LeaseIO
import LeaseLog
import LeaseModel
import LeaseServer

/// The data directory, shared with the thread that syncs.
final class Folder: Sendable {
    let directory: DataDirectory

    init(path: String) throws(DirectoryError) {
        directory = try DataDirectory(path: path)
    }
}

final class LogFile {
    // (Here and below: one thread alone comes here, so nobody need look out for another at each access.)
    @exclusivity(unchecked) var file: AppendFile
    /// How much was appended since it was last begun to write it to the disk.
    @exclusivity(unchecked) var bytesOnlyInMemory = 0

    init(in folder: Folder, name: String, _ opening: AppendFile.Opening) throws(Errno) {
        file = try AppendFile(in: folder.directory, name: name, opening)
    }

    func append(_ bytes: Span<UInt8>) throws(Errno) {
        try file.append(bytes)
        bytesOnlyInMemory += bytes.count
    }
}

final class RingFile {
    let file: RoomFile

    init(in folder: Folder) throws(Errno) {
        file = try RoomFile(in: folder.directory, name: Ring.name)
    }
}

/// The log and what stands beside it in the data directory.
final class LogStore {
    static let logName = "log"
    static let newLogName = "log.new"
    /// After so many more bytes it is begun to write a file to the disk that nobody syncs as yet.
    private static let writeBackBytes = 1 << 20

    // (First, since they have to end before what they work on.)
    private let thread: SyncThread
    /// For what nobody waits for: a sync would else stand behind it.
    private let housekeeper: SyncThread
    let folder: Folder
    @exclusivity(unchecked) private var log: LogFile
    private var newLog: LogFile?
    private var ring: RingFile?
    private var frame = RingFrame()
    @exclusivity(unchecked) private var schedule: LogSchedule
    private var lastTicket: UInt64 = 0
    /// A sync is put off for what may come: the loop is to look for it without a sleep.
    @exclusivity(unchecked) private(set) var gathers = false

    /// `sequence`: the log is synced up to there.
    init(folder: Folder, log: LogFile, policy: SyncPolicy, sequence: Sequence64) throws(Errno) {
        self.folder = folder
        self.log = log
        schedule = LogSchedule(
            policy: policy, sequence: sequence, ringBytes: Ring.bytes, syncsBeforeRing: Ring.syncsBefore)
        acknowledgesOnWrite = schedule.acknowledgesOnWrite
        thread = try SyncThread()
        housekeeper = try SyncThread()
    }

    /// Readable when the thread has done something.
    var descriptor: Int32 { thread.raw }

    /// Appends a batch to the log.
    func append(_ batch: Span<UInt8>, upTo sequence: Sequence64) throws(Errno) {
        try log.append(batch)
        if schedule.fillsFrame { frame.append(batch) }
        schedule.wrote(upTo: sequence, bytes: batch.count)
    }

    /// Whether replies may go when the batch is written, before it is on the disk.
    let acknowledgesOnWrite: Bool

    /// Asks for a sync where one is due.
    /// - Returns: when to ask again; nil: when something is written or a sync has ended; if it `gathers`, in
    ///   the next pass.
    func syncIfDue(at now: Instant) -> Instant? {
        let turn = schedule.turn(at: now)
        gathers = turn == .gather
        switch turn {
        case .notNow, .gather: return nil
        case .notBefore(let again): return again
        case .submit(.ring(let write)):
            guard let ring else { preconditionFailure("a ring that is written to was made") }
            let (raw, bytes) = (ring.file.raw, frame.take(as: write))
            submit(.ring(write)) { RoomFile.writeCode(raw, bytes, at: write.offset) }
            // Nobody syncs the log while the ring is synced in its place: else all of it would be left for
            // the sync that comes when the ring is full.
            writeBackIfDue(log, .writeBack)
            return nil
        case .submit(let job):
            let raw = log.file.raw
            frame.clear()
            submit(job) { AppendFile.syncCode(raw) }
            return nil
        }
    }

    /// Syncs the log now, on this thread: at the end. What the other one has under way is waited for, since
    /// of a sync that failed the kernel tells once, and this one would succeed without what is lost.
    func syncNow() throws(Errno) {
        thread.finish()
        var done: [SyncThread.Completion] = []
        try thread.takeCompletions(into: &done)
        for completion in done {
            if case .failed = concluded(completion, at: .zero) { throw Errno(code: completion.code) }
        }
        try log.file.sync()
    }

    private func submit(_ job: LogJob, _ work: @escaping @Sendable () -> Int32) {
        lastTicket += 1
        schedule.submit(job)
        thread.submit(ticket: lastTicket, work)
    }

    /// What is done since the last call, in order, with how long it took and the error of what failed.
    func takeCompleted(
        at now: Instant, _ body: (Completed, Duration, Errno) -> Void
    ) throws(Errno) {
        var done: [SyncThread.Completion] = []
        try thread.takeCompletions(into: &done)
        for completion in done {
            let completed = concluded(completion, at: now)
            switch completed {
            case .ringMade: openRing()
            case .compactionRenamed: syncNames()
            case .compactionInstalled: switchLogs()
            case .synced, .ringRefused, .numbersReserved, .compactionSynced, .compactionFailed, .nothing,
                .numbersRefused, .failed:
                break
            }
            body(completed, Duration(nanoseconds: completion.nanoseconds), Errno(code: completion.code))
        }
        if schedule.wantsRing { makeRing() }
    }

    private func concluded(_ completion: SyncThread.Completion, at now: Instant) -> Completed {
        let isNoSpace = Errno(code: completion.code).isNoSpace
        let result: LogJobResult = completion.code == 0 ? .done : isNoSpace ? .noSpace : .failed
        return schedule.conclude(result, took: Duration(nanoseconds: completion.nanoseconds), at: now)
    }

    /// Sets space aside in the log: as much as is wanted if so many bytes are left free beside it, which is
    /// what a compaction needs to make room again; else little more than the least.
    /// - Returns: up to which size it may grow.
    func reserve(wanted: Int, least: Int, spared: Int) throws(Errno) -> Int {
        let free = try log.file.freeBytes()
        for target in [wanted, least + (256 << 10), least + (32 << 10), least] {
            let isForced = target <= least + (32 << 10)
            guard isForced || free - (target - Int(log.file.size)) >= spared else { continue }
            do throws(Errno) {
                try log.file.reserve(upTo: Int64(target))
                return target
            } catch {
                guard error.isNoSpace else { throw error }
            }
        }
        return Int(log.file.size)
    }

    func reserveNumbers(_ numbers: Numbers) {
        let folder = folder
        submit(.numbers(numbers)) {
            do throws(Errno) {
                try folder.directory.rewriteDurably(NumbersFile.name, NumbersFile.encode(numbers))
                return 0
            } catch {
                return error.code
            }
        }
    }

    /// Writes the last numbers down, now, on this thread: at the end.
    func noteNumbers(_ numbers: Numbers) {
        thread.finish()
        try? folder.directory.rewriteDurably(NumbersFile.name, NumbersFile.encode(numbers))
    }

    /// Whether the log is still where a restart would look for it.
    var logIsInPlace: Bool {
        (try? log.file.isStillLinked(in: folder.directory, name: LogStore.logName)) == true
    }

    var folderIsInPlace: Bool {
        (try? folder.directory.isStillInPlace()) == true
    }
}

// The ring: a file that is synced in the log's place.
extension LogStore {
    private func makeRing() {
        let folder = folder
        submit(.ringMaking) {
            do throws(Errno) {
                try RoomFile.make(
                    in: folder.directory, name: Ring.name, bytes: Ring.bytes, spared: Ring.sparedBytes)
                return 0
            } catch {
                return error.code
            }
        }
    }

    private func openRing() {
        ring = try? RingFile(in: folder)
        if ring == nil { schedule.ringIsLost() }
    }

    /// Goes on without a ring that was taken away: nobody would find what is written to it.
    /// - Returns: whether it was.
    func leaveRingIfGone() -> Bool {
        guard let ring, schedule.hasRing,
            (try? ring.file.isStillLinked(in: folder.directory, name: Ring.name)) != true
        else { return false }
        schedule.ringIsLost()
        return true
    }

    /// Once the log is synced, at the end: nothing of the ring is needed.
    func removeRing() {
        _ = try? folder.directory.remove(Ring.name)
    }
}

// The compacted log: written beside the old one, and put in its place.
extension LogStore {
    func beginCompaction() throws(Errno) {
        newLog = try LogFile(in: folder, name: LogStore.newLogName, .anew)
    }

    func appendToCompaction(_ bytes: Span<UInt8>) throws(Errno) {
        guard let newLog else { preconditionFailure("a compaction's bytes come after its beginning") }
        try newLog.append(bytes)
        // A failure would be one of the log.
        if !schedule.isInstalling { writeBackIfDue(newLog, .compactionWriteBack) }
    }

    /// Where all of a large file is written when it is synced, whoever waits for a sync waits for that.
    private func writeBackIfDue(_ file: LogFile, _ job: LogJob) {
        guard file.bytesOnlyInMemory >= LogStore.writeBackBytes, !schedule.isWritingBack,
            let own = try? file.file.another()
        else { return }
        file.bytesOnlyInMemory = 0
        submit(job) {
            defer { closeDescriptor(own) }
            return AppendFile.beginWriteBackCode(own)
        }
    }

    func syncCompaction(size: Int) throws(Errno) {
        guard let newLog else { return }
        try newLog.file.reserve(upTo: Int64(size))
        // Of its own: the compaction may be given up before this job's turn comes.
        let own = try newLog.file.another()
        submit(.compactionSync) {
            defer { closeDescriptor(own) }
            return AppendFile.syncCode(own)
        }
    }

    func installCompaction() {
        guard let newLog else { return }
        let raw = newLog.file.raw
        let folder = folder
        submit(.compactionInstall) {
            let code = AppendFile.syncCode(raw)
            if code != 0 { return code }
            do throws(Errno) {
                try folder.directory.rename(LogStore.newLogName, to: LogStore.logName)
                return 0
            } catch {
                return error.code
            }
        }
    }

    private func syncNames() {
        let folder = folder
        submit(.compactionNames) {
            do throws(Errno) {
                try folder.directory.syncDirectory()
                return 0
            } catch {
                return error.code
            }
        }
    }

    /// The new file is the log.
    private func switchLogs() {
        guard let newLog else { preconditionFailure("what is installed was begun") }
        let last = try? log.file.another()
        log = newLog
        self.newLog = nil
        closeAside(last)
    }

    /// Closes the last descriptor of a file that has no name any more: it gives the file's room back, which
    /// takes tens of milliseconds for a large one. Ours is to be closed before, or it may turn out to be the
    /// last.
    private func closeAside(_ last: Int32?) {
        guard let last else { return }
        housekeeper.submit { closeDescriptor(last) }
    }

    /// Appends to the log that has just taken its place what was written to the one before alone.
    func complete(_ bytes: [UInt8]) throws(Errno) {
        try log.file.append(bytes.span)
    }

    /// From here on the new file may be the log at any moment: it can't be dropped any more.
    var isInstallingCompaction: Bool { schedule.isInstalling }

    /// Gives the new file up. Its room is free when the housekeeper has come to it.
    func dropCompaction() {
        schedule.dropCompaction()
        let last = newLog.flatMap { try? $0.file.another() }
        newLog = nil
        _ = try? folder.directory.remove(LogStore.newLogName)
        closeAside(last)
    }
}

// The log's files on the simulated disk, and the thread that waits for it: what `LogStore` does with real
// ones.

import LeaseLog
import LeaseModel
import LeaseServer

/// What a sync that is under way makes durable.
final class Snapshot {
    var bytes: [UInt8] = []
}

/// What the thread does at one time: a crash may come between any two.
private enum Step {
    case beginSync(Inode, Snapshot)
    case finishSync(Inode, Snapshot)
    case write([UInt8], to: String)
    case overwrite(Inode, [UInt8], at: Int)
    case fill([UInt8], into: String)
    case syncFile(String)
    case rename(String, to: String)
    case exchange(String, String)
    case syncDirectory

    func run(_ disk: Disk) throws(DiskFailure) {
        switch self {
        case .beginSync(let file, let snapshot): snapshot.bytes = file.cached
        case .finishSync(let file, let snapshot): try disk.sync(file, from: snapshot.bytes)
        case .overwrite(let file, let bytes, let offset): try disk.overwrite(bytes, at: offset, in: file)
        case .write(let bytes, let name):
            try disk.remove(name)
            try disk.fill(try disk.create(name), with: bytes)
        case .fill(let bytes, let name):
            let file = disk.exists(name) ? disk.open(name)! : try disk.create(name)
            try disk.fill(file, with: bytes)
        case .syncFile(let name): try disk.sync(disk.open(name)!)
        case .rename(let name, let new): try disk.rename(name, to: new)
        case .exchange(let one, let other): try disk.exchange(one, other)
        case .syncDirectory: try disk.syncDirectory()
        }
    }
}

final class Store {
    static let logName = "log"
    static let newLogName = "log.new"
    /// What the schedule is told: long enough that more can come meanwhile.
    private static let syncTakes = Duration.milliseconds(5)

    let disk: Disk
    private var log: Inode
    private var newLog: Inode?
    private var ring: Inode?
    private var frame = RingFrame()
    private var schedule: LogSchedule
    /// Steps of the jobs that the thread has to do, in order.
    private var jobs: [[Step]] = []
    private var completions: [LogJobResult] = []
    /// A sync is put off for what may come.
    private(set) var gathers = false

    /// The log is synced up to `sequence`. A ring of 0 bytes is none.
    init(_ disk: Disk, log: Inode, policy: SyncPolicy, sequence: Sequence64, ringBytes: Int) {
        self.disk = disk
        self.log = log
        schedule = LogSchedule(
            policy: policy, sequence: sequence, ringBytes: ringBytes, syncsBeforeRing: ringBytes % 7)
    }

    var acknowledgesOnWrite: Bool { schedule.acknowledgesOnWrite }
    var isInstalling: Bool { schedule.isInstalling }

    // The thread.

    var isThreadBusy: Bool { !jobs.isEmpty }
    var hasCompleted: Bool { !completions.isEmpty }

    /// Does one step of the oldest job. Only the end of the process is thrown.
    func goOn() throws(DiskFailure) {
        guard !jobs.isEmpty else { return }
        let step = jobs[0].removeFirst()
        do throws(DiskFailure) {
            try step.run(disk)
        } catch {
            if error == .killed { throw error }
            jobs.removeFirst()
            completions.append(error == .noSpace ? .noSpace : .failed)
            return
        }
        if jobs[0].isEmpty {
            jobs.removeFirst()
            completions.append(.done)
        }
    }

    private func submit(_ job: LogJob, _ steps: [Step]) {
        schedule.submit(job)
        jobs.append(steps)
    }

    private func syncSteps(_ file: Inode) -> [Step] {
        let snapshot = Snapshot()
        return [.beginSync(file, snapshot), .finishSync(file, snapshot)]
    }

    func takeCompleted(at now: Instant, _ body: (Completed) -> Void) {
        let done = completions
        completions = []
        for result in done {
            let completed = schedule.conclude(result, took: Store.syncTakes, at: now)
            switch completed {
            case .ringMade: ring = disk.open(Ring.name)
            case .compactionRenamed:
                submit(.compactionNames, [.syncDirectory])
            case .compactionInstalled:
                log = newLog!
                newLog = nil
            case .synced, .ringRefused, .numbersReserved, .compactionSynced, .nothing,
                .compactionFailed, .numbersRefused, .failed:
                break
            }
            body(completed)
        }
        if schedule.wantsRing {
            submit(.ringMaking, Store.writeSteps(Ring.name, [UInt8](repeating: 0, count: schedule.ringBytes)))
        }
    }

    // The log.

    func append(_ batch: [UInt8], upTo sequence: Sequence64) throws(DiskFailure) {
        try Store.append(batch, to: log, disk)
        if schedule.fillsFrame { frame.append(batch) }
        schedule.wrote(upTo: sequence, bytes: batch.count)
    }

    /// All of it or nothing: what came out short is cut off again.
    static func append(_ batch: [UInt8], to file: Inode, _ disk: Disk) throws(DiskFailure) {
        guard !batch.isEmpty else { return }
        let size = file.cached.count
        do throws(DiskFailure) {
            try disk.append(batch, to: file)
        } catch {
            if error != .killed, file.cached.count > size { try disk.truncate(file, to: size) }
            throw error
        }
    }

    func syncIfDue(at now: Instant) -> Instant? {
        let turn = schedule.turn(at: now)
        gathers = turn == .gather
        switch turn {
        case .notNow, .gather: return nil
        case .notBefore(let again): return again
        case .submit(.ring(let write)):
            let bytes = frame.take(as: write)
            submit(.ring(write), [.overwrite(ring!, bytes, at: write.offset)] + syncSteps(ring!))
            return nil
        case .submit(let job):
            frame.clear()
            submit(job, syncSteps(log))
            return nil
        }
    }

    func syncNow() throws(DiskFailure) { try disk.sync(log) }

    func reserve(wanted: Int, least: Int, spared: Int) throws(DiskFailure) -> Int {
        let free = disk.freeBytes()
        for target in [wanted, least + (256 << 10), least + (32 << 10), least] {
            let isForced = target <= least + (32 << 10)
            guard isForced || free - (target - log.cached.count) >= spared else { continue }
            do throws(DiskFailure) {
                try disk.reserve(log, upTo: target)
                return target
            } catch {
                guard error == .noSpace else { throw error }
            }
        }
        return log.cached.count
    }

    // Numbers.

    func reserveNumbers(_ numbers: Numbers) {
        submit(.numbers(numbers), Store.rewriteSteps(disk, NumbersFile.encode(numbers)))
    }

    func noteNumbers(_ numbers: Numbers) throws(DiskFailure) {
        for step in Store.rewriteSteps(disk, NumbersFile.encode(numbers)) { try step.run(disk) }
    }

    /// Replaces the file of numbers: over the spare one, which is then exchanged with it.
    private static func rewriteSteps(_ disk: Disk, _ bytes: [UInt8]) -> [Step] {
        let (name, spareName) = (NumbersFile.name, NumbersFile.name + ".spare")
        guard disk.exists(name) else {
            return writeSteps(spareName, bytes) + writeSteps(name, bytes)
        }
        return [
            .syncDirectory, .fill(bytes, into: spareName), .syncFile(spareName), .exchange(spareName, name),
            .syncDirectory,
        ]
    }

    private static func writeSteps(_ name: String, _ bytes: [UInt8]) -> [Step] {
        let newName = name + ".new"
        return [.write(bytes, to: newName), .syncFile(newName), .rename(newName, to: name), .syncDirectory]
    }

    /// Writes a file durably, now.
    static func write(_ disk: Disk, _ name: String, _ bytes: [UInt8]) throws(DiskFailure) {
        for step in writeSteps(name, bytes) { try step.run(disk) }
    }

    static func rewrite(_ disk: Disk, _ bytes: [UInt8]) throws(DiskFailure) {
        for step in rewriteSteps(disk, bytes) { try step.run(disk) }
    }

    // A compaction.

    func beginCompaction() throws(DiskFailure) {
        try disk.remove(Store.newLogName)
        newLog = try disk.create(Store.newLogName)
    }

    func complete(_ bytes: [UInt8]) throws(DiskFailure) {
        try Store.append(bytes, to: log, disk)
    }

    func appendToCompaction(_ bytes: [UInt8]) throws(DiskFailure) {
        try Store.append(bytes, to: newLog!, disk)
    }

    func syncCompaction(size: Int) throws(DiskFailure) {
        guard let newLog else { return }
        try disk.reserve(newLog, upTo: size)
        submit(.compactionSync, syncSteps(newLog))
    }

    func installCompaction() {
        guard let newLog else { return }
        submit(
            .compactionInstall, syncSteps(newLog) + [.rename(Store.newLogName, to: Store.logName)])
    }

    func dropCompaction() throws(DiskFailure) {
        schedule.dropCompaction()
        newLog = nil
        try disk.remove(Store.newLogName)
    }
}

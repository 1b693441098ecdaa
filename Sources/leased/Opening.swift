// From a data directory to a server that may serve: the log is read, mended where a crash left it torn, and
// begun.

import LeaseIO
import LeaseLog
import LeaseModel
import LeaseServer

/// Opens the log of a data directory: read first, then begun. Until then nothing on the disk is changed but
/// what a crash left torn or unfinished, and what the disk lacks of the log; where the log is damaged,
/// nothing at all.
struct Opening {
    let folder: Folder
    let moment: Moment
    private var log: LogFile?
    private var reserved: Numbers?
    /// What is to be said of the log's end.
    private(set) var said: String?

    init(folder: Folder, moment: Moment) {
        self.folder = folder
        self.moment = moment
    }

    /// Reads the log into the server.
    mutating func read(_ server: inout Server) throws(Complaint) {
        log = try opened()
        let follower = try readAll(into: &server)
        let verdict = server.endRecovery(at: moment)
        try complain(of: verdict)
        let followed = try reading(LogStore.logName) { () throws(Errno) in try follower?.finish() ?? 0 }
        reserved = try reservedNumbers(isNeeded: server.hasRecords)
        if log != nil, reserved != nil, !server.hasRecords { try complainOfEmptyLog(verdict) }
        if verdict == .fresh { log = nil }
        let records = log == nil ? [] : try recordsOfRing(&server, verdict)
        try mend(verdict, log).map { say($0) }
        // Less than was followed, where the end was torn.
        let bytesOnDisk = max(server.bytesSynced, min(followed, log?.file.size ?? 0))
        try append(records)
        try reading(LogStore.logName) { () throws(Errno) in
            // What was read may be in memory only; from now on it is built upon.
            try log?.file.sync()
        }
        try remove([
            // A crashed compaction, or a crashed write of the numbers.
            LogStore.newLogName, NumbersFile.name + ".new", NumbersFile.name + ".spare.new",
            Ring.name + ".new",
        ])
        try writeAnewWhatTheDiskLacks(from: bytesOnDisk)
        // The disk has all of the log now. Numbers may begin anew, where those of old were moved away, too:
        // no frame of before may be there then.
        try remove([Ring.name])
    }

    /// Writes the first records of this run, synced: the numbers first, then the records that use them.
    mutating func begin(_ server: inout Server, sync policy: SyncPolicy) throws(Complaint) -> LogStore {
        if server.needsUpgrade { try upgrade(&server) }
        server.begin(at: moment, reserved: reserved)
        let numbers = server.numbersToBeginWith
        let batch = server.batch
        let (log, folder, sequence) = (log, folder, server.lastSequence)
        try reading(NumbersFile.name + ".spare") { () throws(Errno) in
            try folder.directory.rewriteDurably(NumbersFile.name, NumbersFile.encode(numbers))
        }
        let store = try reading(LogStore.logName) { () throws(Errno) in
            guard let log else {
                try folder.directory.writeFileDurably(LogStore.logName, batch)
                let new = try LogFile(in: folder, name: LogStore.logName, .existing)
                return try LogStore(folder: folder, log: new, policy: policy, sequence: sequence)
            }
            try log.file.append(batch)
            try log.file.sync()
            return try LogStore(folder: folder, log: log, policy: policy, sequence: sequence)
        }
        server.numbersReserved(numbers)
        server.batchWritten()
        server.acknowledge(upTo: server.lastSequence, synced: true)
        return store
    }

    /// Reads all of the log; a long one is followed to the disk meanwhile.
    private func readAll(into server: inout Server) throws(Complaint) -> DiskFollower? {
        guard let log else { return nil }
        return try reading(LogStore.logName) { () throws(Errno) in
            var follower: DiskFollower?
            if log.file.size >= DiskFollower.bytesMin {
                follower = try DiskFollower(log.file, in: folder.directory, name: LogStore.logName)
            }
            var end: Int64 = 0
            try log.file.readChunks { chunk in
                server.recover(chunk)
                end += Int64(chunk.count)
                follower?.follow(to: end, synced: server.bytesSynced)
            }
            return follower
        }
    }

    private func remove(_ names: [String]) throws(Complaint) {
        for name in names {
            try reading(name) { () throws(Errno) in _ = try folder.directory.remove(name) }
        }
    }

    /// What the log's end lost with the power, and the ring has: read, not yet written.
    private mutating func recordsOfRing(
        _ server: inout Server, _ verdict: LogVerdict
    ) throws(Complaint) -> [UInt8] {
        let bytes = try reading(Ring.name) { () throws(Errno) in
            try folder.directory.readFile(Ring.name, bytesMax: Ring.readBytesMax)
        }
        guard let bytes else { return [] }
        let isTorn = if case .torn = verdict { true } else { false }
        switch server.recover(ring: bytes.span, isTorn: isTorn) {
        case .nothing: return []
        case .ofAnotherLog:
            say(
                "\(Ring.name) is of another log, or this is an older copy: "
                    + "what only the ring had is not known")
            return []
        case .behind(let records): return records
        case .damaged(let what):
            throw Complaint(
                .damagedData,
                "\(folder.directory.path)/\(Ring.name) is damaged: \(what). Nothing was changed. To go on "
                    + "without what is lost, move that file away")
        }
    }

    private mutating func append(_ records: [UInt8]) throws(Complaint) {
        guard !records.isEmpty, let log else { return }
        try reading(LogStore.logName) { () throws(Errno) in try log.file.append(records) }
        say("\(records.count) bytes of the log's end were written back from \(Ring.name)")
    }

    /// A log of the format before is written anew beside the old one, and put in its place.
    private mutating func upgrade(_ server: inout Server) throws(Complaint) {
        log = try reading(LogStore.newLogName) { () throws(Errno) in
            let new = try LogFile(in: folder, name: LogStore.newLogName, .anew)
            try server.upgrade(at: moment) { bytes throws(Errno) in try new.file.append(bytes) }
            try putInPlace(new)
            return new
        }
        say("the log was written anew in format \(Server.logFormat)")
    }

    /// A daemon before this one may have failed to sync what we read, and then the kernel has it and the disk
    /// never gets it. Only a file of its own brings it there.
    /// - Parameter start: all before it is on the disk.
    private mutating func writeAnewWhatTheDiskLacks(from start: Int64) throws(Complaint) {
        guard let old = log else { return }
        log = try reading(LogStore.newLogName) { () throws(Errno) in
            let name = LogStore.logName
            if try old.file.isOnDisk(from: start, in: folder.directory, name: name) { return old }
            let new = try LogFile(in: folder, name: LogStore.newLogName, .anew)
            try new.file.append(contentsOf: old.file)
            try putInPlace(new)
            return new
        }
        guard log !== old else { return }
        say("the disk had lost the log's end, which the kernel still had: the log was written anew")
    }

    /// A new log is in place of the old one, durably.
    private func putInPlace(_ new: LogFile) throws(Errno) {
        try new.file.sync()
        try folder.directory.rename(LogStore.newLogName, to: LogStore.logName)
        try folder.directory.syncDirectory()
    }

    private mutating func say(_ sentence: String) {
        said = said.map { "\($0); \(sentence)" } ?? sentence
    }

    private func opened() throws(Complaint) -> LogFile? {
        try reading(LogStore.logName) { () throws(Errno) in
            guard try folder.directory.exists(LogStore.logName) else { return nil }
            return try LogFile(in: folder, name: LogStore.logName, .existing)
        }
    }

    private func complain(of verdict: LogVerdict) throws(Complaint) {
        let path = folder.directory.path + "/" + LogStore.logName
        switch verdict {
        case .fresh, .good, .torn: return
        case .damaged(let line, let offset, let what):
            throw Complaint(
                .damagedData,
                "\(path) is damaged at line \(line) (byte \(offset)): \(what). Nothing was changed. Look at "
                    + "that line; to go on, put a copy of the log back, or move the file away to begin with "
                    + "no leases (tokens still go on from the numbers kept beside it)")
        case .newerFormat(let number):
            throw Complaint(
                .damagedData,
                "\(path) has format \(number), and this leased knows \(Server.logFormat): "
                    + "start the newer leased that wrote it. Nothing was changed")
        case .otherClock(let isManual):
            throw Complaint(
                .config,
                "\(path) belongs to a \(isManual ? "manual" : "system") clock: start leased with "
                    + "--clock=\(isManual ? "manual" : "system"), or give another --data")
        }
    }

    /// A log without a record, where numbers were in use: no log is put in place before its first records are
    /// in it, so somebody emptied it. One that was moved away is taken for what it says: no leases.
    private func complainOfEmptyLog(_ verdict: LogVerdict) throws(Complaint) {
        let path = folder.directory.path + "/" + LogStore.logName
        throw Complaint(
            .damagedData,
            "\(path) is empty\(verdict == .fresh ? "" : " but for its first line"), which no crash leaves "
                + "behind: put a copy of the log back, or move the file away to begin with no leases. "
                + "Nothing was changed")
    }

    private func reservedNumbers(isNeeded: Bool) throws(Complaint) -> Numbers? {
        let path = folder.directory.path + "/" + NumbersFile.name
        let bytes = try reading(NumbersFile.name) { () throws(Errno) in
            try folder.directory.readFile(NumbersFile.name, bytesMax: 4_096)
        }
        guard let bytes else {
            guard !isNeeded else {
                throw Complaint(
                    .damagedData,
                    "\(path) is missing, without which a token could be given twice: put it back, "
                        + "or move the log away, too, to begin with no leases")
            }
            return nil
        }
        guard let numbers = NumbersFile.decode(bytes) else {
            throw Complaint(
                .damagedData,
                "\(path) is damaged, without which a token could be given twice: put a copy back, "
                    + "with numbers no smaller than any that were given")
        }
        return numbers
    }

    /// What is known to have been in a directory that begins anew.
    private func whatWasTakenAway() throws(Complaint) -> String? {
        if let reserved {
            return "there is no log, though tokens up to \(reserved.token) may have been used: "
                + "no leases are known"
        }
        let hasRing = try reading(Ring.name) { () throws(Errno) in try folder.directory.exists(Ring.name) }
        guard hasRing else { return nil }
        return "log.ring is there, but neither log nor numbers: no leases are known, and tokens begin at 1"
    }

    /// Cuts off a torn end, after a copy of it was kept where there is room.
    private func mend(_ verdict: LogVerdict, _ log: LogFile?) throws(Complaint) -> String? {
        if verdict == .fresh { return try whatWasTakenAway() }
        guard case .torn(let size, let dropped, let sequence) = verdict, let log else { return nil }
        var keptAs: String?
        for name in ["log.torn-\(sequence)"] + (2...9).map({ "log.torn-\(sequence)-\($0)" }) {
            do throws(Errno) {
                try folder.directory.copyAside(LogStore.logName, from: size, as: name)
                keptAs = name
                break
            } catch {
                guard error.name == "EEXIST" else { break }
            }
        }
        try reading(LogStore.logName) { () throws(Errno) in try log.file.truncate(to: size) }
        let kept = keptAs.map { "kept as \($0)" } ?? "there was no room to keep it"
        // What was set aside behind the end went with it; a full disk may have nothing else for what comes
        // next.
        try? log.file.reserve(upTo: size + Int64(RecordSize.ownRecords))
        return "the log's end was torn: \(dropped) bytes behind change \(sequence) are cut off (\(kept))"
    }

    private func reading<Value>(
        _ name: String, _ body: () throws(Errno) -> Value
    ) throws(Complaint) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            let advice = error.isAboutWhatIsNoFile ? "; \(Opening.noFileAdvice)" : ""
            throw Complaint(
                Complaint.code(of: error, otherwise: .io),
                "\(folder.directory.path)/\(name): \(error)\(advice)")
        }
    }

    private static let noFileAdvice =
        "a link, a directory or the like stands there, which is neither followed nor removed: put the file "
        + "itself there, or name another directory with --data"
}

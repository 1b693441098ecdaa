// From what is on the simulated disk to a server that serves: what the daemon's start does with a real one.

import LeaseLog
import LeaseModel
import LeaseServer

/// Why a start, or a life, has come to its end.
enum Ending: Error, Equatable {
    case killed
    /// With this code, and for this reason.
    case exited(Int32, String)
}

extension Life {
    /// Reads the log, mends it where a crash has torn it, and begins.
    func open() throws(Ending) {
        let log = disk.open(Store.logName)
        let moment = Moment(
            boot: Text("boot-\(clocks().boot)"), now: now, wallMilliseconds: clocks().wallMilliseconds)
        if let log { read(log.cached) }
        let verdict = server.endRecovery(at: moment)
        try refuse(verdict)
        let reserved = try reservedNumbers(isNeeded: server.hasRecords)
        if verdict == .fresh, log != nil, reserved != nil { throw .exited(65, "the log is empty") }
        let ring = verdict == .fresh ? RingVerdict.nothing : try recoverRing(verdict)
        try reaching { () throws(DiskFailure) in
            if case .torn(let size, _, let sequence) = verdict, let log {
                try? Store.write(disk, "log.torn-\(sequence)", Array(log.cached[Int(size)...]))
                try disk.truncate(log, to: Int(size))
                try disk.sync(log)
            }
            if case .behind(let records) = ring, let log { try Store.append(records, to: log, disk) }
            let names = [NumbersFile.name + ".new", NumbersFile.name + ".spare.new", Ring.name + ".new"]
            for name in [Store.newLogName] + names { try disk.remove(name) }
            if let log, verdict != .fresh { try sync(log) }
            try disk.remove(Ring.name)
        }
        try begin(verdict == .fresh ? nil : disk.open(Store.logName), moment, reserved)
    }

    /// What the log lost of its end, and the ring has. The log is cut afterwards: where the ring is damaged,
    /// nothing is changed.
    private func recoverRing(_ verdict: LogVerdict) throws(Ending) -> RingVerdict {
        guard let ring = disk.open(Ring.name) else { return .nothing }
        let isTorn = if case .torn = verdict { true } else { false }
        let found = server.recover(ring: ring.cached.span, isTorn: isTorn)
        if case .damaged(let what) = found { throw .exited(65, "the ring is damaged: \(what)") }
        return found
    }

    /// What the disk lacks all the same, since the kernel takes it for clean, comes there in a new file.
    private func sync(_ log: Inode) throws(DiskFailure) {
        try disk.sync(log)
        if disk.has(log, from: Int(server.bytesSynced)) { return }
        try Store.write(disk, Store.logName, log.cached)
    }

    /// In chunks of any size.
    private func read(_ bytes: [UInt8]) {
        let chunk = 1 + (bytes.count * 7 + 13) % 977
        var start = 0
        while start < bytes.count {
            let end = min(start + chunk, bytes.count)
            server.recover(bytes.span.extracting(start..<end))
            start = end
        }
    }

    private func begin(_ log: Inode?, _ moment: Moment, _ reserved: Numbers?) throws(Ending) {
        server.begin(at: moment, reserved: reserved)
        let numbers = server.numbersToBeginWith
        let batch = server.batch
        let file = try reaching { () throws(DiskFailure) -> Inode in
            try Store.rewrite(disk, NumbersFile.encode(numbers))
            guard let log else {
                try Store.write(disk, Store.logName, batch)
                return disk.open(Store.logName)!
            }
            try Store.append(batch, to: log, disk)
            try disk.sync(log)
            return log
        }
        store = Store(
            disk, log: file, policy: scenario.sync, sequence: server.lastSequence,
            ringBytes: scenario.ringBytes)
        server.numbersReserved(numbers)
        server.batchWritten()
        server.acknowledge(upTo: server.lastSequence, synced: true)
        server.beginPass(now: now, wallMilliseconds: clocks().wallMilliseconds)
        server.advance(to: now)
        try settle()
    }

    private func refuse(_ verdict: LogVerdict) throws(Ending) {
        switch verdict {
        case .fresh, .good, .torn: return
        case .damaged(let line, _, let what): throw .exited(65, "the log is damaged at line \(line): \(what)")
        case .newerFormat, .otherClock: throw .exited(78, "the log is another's")
        }
    }

    private func reservedNumbers(isNeeded: Bool) throws(Ending) -> Numbers? {
        guard let file = disk.open(NumbersFile.name) else {
            if isNeeded { throw .exited(65, "the file of numbers is missing") }
            return nil
        }
        guard let numbers = NumbersFile.decode(file.cached) else {
            throw .exited(65, "the file of numbers is damaged")
        }
        return numbers
    }

    private func reaching<Value>(_ body: () throws(DiskFailure) -> Value) throws(Ending) -> Value {
        do throws(DiskFailure) {
            return try body()
        } catch {
            switch error {
            case .killed: throw .killed
            case .noSpace: throw .exited(74, "no space")
            case .broken: throw .exited(74, "the disk fails")
            }
        }
    }
}

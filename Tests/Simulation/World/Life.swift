// One life of the daemon: the real server in a loop like the daemon's, over simulated connections, clocks and
// disk.

import LeaseCore
import LeaseLog
import LeaseModel
import LeaseServer
import SimulationChecker

/// When something that is no deadline of a lease is tried again.
struct Retries {
    var space: Instant?
    var write: Instant?
    var sync: Instant?

    var next: Instant? { [space, write, sync].compactMap { $0 }.min() }
}

final class Life {
    let scenario: Scenario
    let disk: Disk
    let processes: Processes
    let clocks: () -> Clocks
    /// Lets time go by.
    let takesTime: (Int64) -> Void
    /// What the policy's file says.
    let policy: () -> KindTable
    var server: Server
    var store: Store!
    var retries = Retries()
    var presence = Presence()
    var timerArmedAt: Instant?
    var wires: [UInt64: Wire] = [:]
    var newcomers: [Wire] = []
    var watched: Set<ProcessIdentity> = []
    /// The order in which the poller tells of connections.
    var draw: Draw
    var isStopWanted = false
    var stopsAt: Instant?
    var isContinued = false
    var isReloadWanted = false

    init(
        _ scenario: Scenario, _ disk: Disk, _ processes: Processes, _ draw: Draw,
        clocks: @escaping () -> Clocks, takesTime: @escaping (Int64) -> Void,
        policy: @escaping () -> KindTable
    ) throws(Ending) {
        self.scenario = scenario
        self.disk = disk
        self.processes = processes
        self.clocks = clocks
        self.takesTime = takesTime
        self.policy = policy
        self.draw = draw
        var options = scenario.options
        options.hasManualClock = scenario.isManual
        server = Server(policy: Life.policy(of: policy()), options: options)
        try open()
    }

    /// Whether this daemon, and none before it, has accepted a connection.
    func wasBornBefore(_ wire: Wire) -> Bool { accepted.contains(wire.number) }
    private var accepted: Set<Int> = []
    /// Read, and not decided yet.
    private var arrived: [(id: UInt64, bytes: [UInt8])] = []

    var now: Instant { Instant(nanoseconds: clocks().sinceBoot) }

    /// Whether nothing is granted any more.
    var isDraining: Bool { server.machine.isDraining }

    /// Whether a pass would find something to do.
    var isReady: Bool {
        server.wantsTurn || store.gathers || store.hasCompleted || isContinued || isReloadWanted
            || isStopWanted && stopsAt == nil
            || stopsAt == nil && !newcomers.isEmpty
            || wires.values.contains { $0.isEvent } || endedProcesses.first != nil
            || (timerArmedAt.map { $0 <= now } ?? false)
    }

    private var nextTimer: Instant? { [server.nextDeadline, retries.next, stopsAt].compactMap { $0 }.min() }

    private var endedProcesses: [ProcessIdentity] {
        watched.filter { !processes.isAlive($0.pid) }.sorted { $0.pid < $1.pid }
    }

    /// Before the daemon waits again. As with the real one, it is only ever set to an earlier instant.
    func armTimer() {
        guard let next = nextTimer else { return }
        if let timerArmedAt, timerArmedAt <= next { return }
        timerArmedAt = next
    }

    func pass() throws(Ending) {
        var events = wires.values.filter { $0.isEvent }.sorted { $0.number < $1.number }
        draw.shuffle(&events)
        let now = now
        server.linesPerTurn = events.count <= 1 ? 2 : .max
        server.beginPass(now: now, wallMilliseconds: clocks().wallMilliseconds)
        let gone = events.filter { $0.isClosedByClient }
        server.hungUp(gone.map(\.id))
        takeSignals(now)
        server.advance(to: now)
        try takeNews(now)
        for wire in gone { readTheRest(wire) }
        for wire in events where !wire.isClosedByClient {
            if wire.isReadable { read(wire) }
            // As where there is no room for more.
            if draw.chance(20) { decideArrivals() }
        }
        decideArrivals()
        accept()
        flush(events.filter { $0.isWritable }.map(\.id))
        try settle()
        if let stopsAt { try tryToFinish(now, stopsAt) }
        presence.passEnded(at: self.now, began: now)
        armTimer()
    }

    private func takeSignals(_ now: Instant) {
        if isContinued { presence.continued() }
        isContinued = false
        if let due = timerArmedAt, due <= now {
            presence.woken(dueAt: due, now)
            timerArmedAt = nil
        }
        let wasAbsent = presence.takeAbsence(now, monotonic: clocks().monotonic)
        if wasAbsent, !scenario.isManual { server.resumed(at: now) }
    }

    private func takeNews(_ now: Instant) throws(Ending) {
        if isStopWanted, stopsAt == nil {
            stopsAt = now + .seconds(1)
            server.beginStop()
        }
        if isReloadWanted { server.policyRead(.success(Life.policy(of: policy()))) }
        isReloadWanted = false
        try takeCompleted(now)
        for process in endedProcesses {
            watched.remove(process)
            server.processEnded(process)
        }
        if let at = retries.space, at <= now {
            retries.space = now + .milliseconds(200)
            server.retrySpace()
        }
        if let at = retries.write, at <= now { retries.write = nil }
        if let at = retries.sync, at <= now { retries.sync = nil }
    }

    // Connections.

    private func accept() {
        guard stopsAt == nil else { return }
        let coming = newcomers
        newcomers = []
        for wire in coming {
            let peer = Peer(
                uid: wire.uid, pid: wire.pid, defaultOwner: Text("sim:\(wire.pid)"),
                isAdministrator: wire.uid == 0)
            do throws(Refusal) {
                wire.id = try server.open(peer)
                wires[wire.id] = wire
                accepted.insert(wire.number)
            } catch {
                wire.toClient += server.turnAway(error)
                wire.isClosedByDaemon = true
            }
        }
    }

    private func read(_ wire: Wire) {
        if wire.toDaemon.isEmpty {
            wire.isEndSeen = true
            wire.reads = false
            server.inputEnded(wire.id)
            return
        }
        // One read, of as much as the kernel gives.
        let count = draw.chance(80) ? wire.toDaemon.count : 1 + draw.below(wire.toDaemon.count)
        let bytes = Array(wire.toDaemon[..<count])
        wire.toDaemon.removeFirst(count)
        if scenario.readTakes > 0 { takesTime(draw.range(0...scenario.readTakes)) }
        arrived.append((wire.id, bytes))
    }

    private func decideArrivals() {
        guard !arrived.isEmpty else { return }
        // What is read late in a pass is decided as of then.
        server.tick(to: self.now)
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: arrived.reduce(0) { $0 + $1.bytes.count }, alignment: 1)
        defer { room.deallocate() }
        room.copyBytes(from: arrived.flatMap(\.bytes))
        var end = 0
        let arrivals = arrived.map { id, bytes in
            defer { end += bytes.count }
            return Arrival(id, UnsafeRawBufferPointer(rebasing: room[end..<end + bytes.count]))
        }
        arrived = []
        arrivals.withUnsafeBufferPointer { server.received($0) }
    }

    private func readTheRest(_ wire: Wire) {
        let bytes = wire.toDaemon
        wire.toDaemon = []
        if !bytes.isEmpty { bytes.withUnsafeBytes { server.received(wire.id, $0) } }
        server.inputEnded(wire.id)
        server.finishGone(wire.id)
    }

    private func flush(_ ids: [UInt64]) {
        for id in ids {
            guard let wire = wires[id] else { continue }
            conclude(wire, server.send(id) { send(wire, $0) })
        }
    }

    /// - Returns: how many bytes the kernel took; nil: the connection is gone.
    private func send(_ wire: Wire, _ bytes: UnsafeRawBufferPointer) -> Int? {
        if wire.isClosedByClient { return nil }
        let count = min(bytes.count, max(0, wire.capacity - wire.toClient.count))
        wire.toClient += bytes[..<count]
        return count
    }

    private func conclude(_ wire: Wire, _ result: SendResult) {
        switch result {
        case .nothing, .all: wire.writes = false
        case .some: wire.writes = true
        case .gone:
            server.hungUp([wire.id])
            readTheRest(wire)
        }
    }

    private func flushSendable() {
        var departures = Departures()
        repeat {
            departures.removeAll()
            while !departures.isFull, let id = server.nextSendable() {
                _ = server.takeSendable(id, into: &departures)
            }
            let counts = (0..<departures.count).map { place in
                wires[departures[place].id].flatMap { send($0, departures[place].bytes) }
            }
            for place in counts.indices {
                let result = server.sent(departures[place], counts[place])
                if let wire = wires[departures[place].id] { conclude(wire, result) }
            }
        } while departures.count > 0
    }

    func close(_ id: UInt64) {
        wires.removeValue(forKey: id)?.isClosedByDaemon = true
    }

    // The log.

    func settle() throws(Ending) {
        repeat {
            server.endPass()
            try carryOut()
            try writeBatch()
            try carryOut()
            flushSendable()
            server.closeWhatIsDone()
            try carryOut()
        } while server.hasMoreInThisPass || retries.write == nil && server.hasBatch
    }

    private func writeBatch() throws(Ending) {
        if server.hasBatch, retries.write == nil {
            do throws(DiskFailure) {
                try store.append(server.batch, upTo: server.lastSequence)
                server.batchWritten()
            } catch {
                try writeFailed(error)
            }
        }
        try carryOut()
        if !server.hasBatch, server.hasCompactionBatch { try writeCompactionBatch() }
        let isHeldBack = store.isInstalling && server.hasCompactionBatch
        if store.acknowledgesOnWrite, !server.hasBatch, !isHeldBack {
            server.acknowledge(upTo: server.lastSequence, synced: false)
        }
        if let again = store.syncIfDue(at: now) { retries.sync = again }
    }

    private func writeCompactionBatch() throws(Ending) {
        var bytes: [UInt8] = []
        server.withCompactionBatch { bytes = $0.copied() }
        do throws(DiskFailure) {
            try store.appendToCompaction(bytes)
            server.compactionBatchWritten()
        } catch {
            if store.isInstalling { try writeFailed(error) } else { try compactionFailed(error) }
        }
    }

    private func writeFailed(_ error: DiskFailure) throws(Ending) {
        switch error {
        case .killed: throw .killed
        case .noSpace:
            _ = server.batchRefused()
            retries.write = now + .milliseconds(100)
        case .broken: try fail("the log can't be written")
        }
    }

    func compactionFailed(_ error: DiskFailure) throws(Ending) {
        if error == .killed { throw .killed }
        do throws(DiskFailure) {
            try store.dropCompaction()
        } catch {
            throw .killed
        }
        server.compactionFailed(error == .noSpace ? .noSpace : .compactionStopped)
    }

    private func takeCompleted(_ now: Instant) throws(Ending) {
        var completed: [Completed] = []
        store.takeCompleted(at: now) { completed.append($0) }
        for one in completed {
            switch one {
            case .synced(let sequence, let inLog): server.acknowledge(upTo: sequence, synced: inLog)
            case .ringMade, .ringRefused: break
            case .numbersReserved(let numbers):
                server.numbersReserved(numbers)
                noteSpace()
            case .numbersRefused:
                server.numbersRefused()
                noteSpace()
            case .compactionSynced: server.compactionSynced()
            case .compactionRenamed, .nothing: break
            case .compactionInstalled:
                do throws(DiskFailure) {
                    try store.complete(server.whatTheNewLogLacks)
                } catch {
                    if error == .killed { throw .killed }
                    try fail("the log can't be written")
                }
                server.compactionInstalled()
            case .compactionFailed: try compactionFailed(.broken)
            case .failed(let what): try fail(what)
            }
        }
    }

    func fail(_ reason: String) throws(Ending) {
        server.storageFailed(reason)
        flushSendable()
        throw .exited(74, reason)
    }

    func noteSpace() {
        retries.space = server.isOutOfSpace ? now + .milliseconds(200) : nil
    }

    /// In order: everybody is answered, the log says so, and the numbers go on without a gap.
    private func tryToFinish(_ now: Instant, _ end: Instant) throws(Ending) {
        if store.isInstalling {
            stopsAt = max(end, now + .milliseconds(50))
            return
        }
        guard server.isQuiet || end <= now else { return }
        server.finishStop()
        do throws(DiskFailure) {
            try store.append(server.batch, upTo: server.lastSequence)
            try store.syncNow()
            // The thread does first what it has to do.
            while store.isThreadBusy { try store.goOn() }
            try? store.noteNumbers(server.numbersUsed)
            try disk.remove(Ring.name)
        } catch {
            if error == .killed { throw .killed }
            try fail("the log can't be closed")
        }
        server.acknowledge(upTo: server.lastSequence, synced: true)
        flushSendable()
        throw .exited(0, "stopped")
    }
}

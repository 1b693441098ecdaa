// One life of the pure server: its passes as the daemon makes them, and what it wants is done at once.

import LeaseCore
import LeaseModel
import LeaseServer

final class SimulatedDaemon {
    /// What a pass is told.
    enum News {
        case hungUp(UInt64)
        case received(UInt64, [UInt8])
        case inputEnded(UInt64)
        case processEnded(ProcessIdentity)
    }

    enum Opened {
        case id(UInt64)
        /// The line that the peer is told before it is let go.
        case refused([UInt8])
    }

    /// The wall clock and the system's clock stand still: nothing here asks them.
    private static let moment = Moment(boot: Text("boot-1"), now: .zero, wallMilliseconds: 1_700_000_000_000)

    private let disk: SimulatedDisk
    private var server: Server
    private let hasLog: Bool
    /// Its policy file.
    var policy: [UInt8]?
    private var newLog: [UInt8] = []
    /// News that a directive has brought.
    private var following: [News] = []
    private var watched: Set<ProcessIdentity> = []
    /// What each connection was sent since somebody looked.
    var sent: [UInt64: [UInt8]] = [:]
    private(set) var closed: Set<UInt64> = []
    /// How many bytes a connection takes till more are allowed; all there are where nothing is said.
    var appetite: [UInt64: Int] = [:]
    /// What is written is not on the disk yet.
    var isDiskSlow = false

    init(_ disk: SimulatedDisk, flags: [String], policy: [UInt8]?) throws(Stuck) {
        self.disk = disk
        let options = try SimulatedDaemon.options(flags)
        hasLog = options.hasLog
        self.policy = policy
        do throws(PolicyError) {
            let rules = try policy.map { bytes throws(PolicyError) in try PolicyReader.read(bytes.span) }
            server = Server(policy: rules ?? .builtIn, options: options)
        } catch {
            throw Stuck("the policy's line \(error.line), column \(error.column): \(error.message)")
        }
        try recover()
        pass([])
    }

    private func recover() throws(Stuck) {
        guard hasLog else {
            server.begin(at: SimulatedDaemon.moment, reserved: nil)
            return
        }
        let log = disk.log
        server.recover(log.span)
        let verdict = server.endRecovery(at: SimulatedDaemon.moment)
        guard verdict == .fresh || verdict == .good else { throw Stuck("the log is not good: \(verdict)") }
        server.begin(at: SimulatedDaemon.moment, reserved: disk.numbers)
        disk.numbers = server.numbersToBeginWith
        server.numbersReserved(server.numbersToBeginWith)
        writeBatch()
    }

    private func readPolicy() -> Result<Policy, Refusal> {
        guard let policy else { return .success(.builtIn) }
        do throws(PolicyError) {
            return .success(try PolicyReader.read(policy.span))
        } catch {
            return .failure(.badPolicy(error))
        }
    }

    /// SIGHUP.
    func reload() {
        server.policyRead(readPolicy())
        take([])
    }

    func open(_ peer: Peer) -> Opened {
        do throws(Refusal) {
            return .id(try server.open(peer))
        } catch {
            return .refused(server.turnAway(error))
        }
    }

    /// Passes until nothing more comes of it.
    func take(_ news: [News]) {
        var news = news
        repeat {
            pass(news)
            news = following
            following = []
        } while !news.isEmpty || server.wantsTurn
    }

    /// SIGTERM, together with these: answers everybody, and writes that it stopped in order.
    func stop(_ news: [News]) {
        pass(news, stops: true)
        server.finishStop()
        writeBatch()
        disk.numbers = server.numbersUsed
        flush()
    }

    private func pass(_ news: [News], stops: Bool = false) {
        server.beginPass(now: .zero, wallMilliseconds: SimulatedDaemon.moment.wallMilliseconds)
        server.hungUp(news.compactMap { if case .hungUp(let id) = $0 { id } else { nil } })
        server.advance(to: .zero)
        if stops { server.beginStop() }
        for case .processEnded(let process) in news where watched.contains(process) {
            server.processEnded(process)
        }
        for one in news {
            switch one {
            case .received(let id, let bytes): bytes.withUnsafeBytes { server.received(id, $0) }
            case .inputEnded(let id): server.inputEnded(id)
            case .hungUp(let id): server.finishGone(id)
            case .processEnded: break
            }
        }
        settle()
    }

    private func settle() {
        repeat {
            server.endPass()
            carryOut()
            writeBatch()
            carryOut()
            flush()
            server.closeWhatIsDone()
            carryOut()
        } while server.hasMoreInThisPass || hasLog && !server.batch.isEmpty
    }

    private func writeBatch() {
        guard hasLog else { return }
        disk.log += server.batch
        server.batchWritten()
        if server.hasCompactionBatch {
            var bytes: [UInt8] = []
            server.withCompactionBatch { bytes = $0.copied() }
            newLog += bytes
            server.compactionBatchWritten()
        }
        if !isDiskSlow { server.acknowledge(upTo: server.lastSequence, synced: true) }
    }

    private func flush() {
        var list: [UInt64] = []
        while let id = server.nextSendable() { list.append(id) }
        for id in list + appetite.keys {
            var bytes: [UInt8] = []
            _ = server.send(id) { part in
                let taken = min(part.count, appetite[id] ?? .max)
                bytes += part[..<taken]
                appetite[id]? -= taken
                return taken
            }
            sent[id, default: []] += bytes
        }
    }

    private func carryOut() {
        var directives: [Directive] = []
        server.takeDirectives(into: &directives)
        for directive in directives {
            carryOut(directive)
        }
    }

    private func carryOut(_ directive: Directive) {
        switch directive {
        case .watch(let process):
            if case .alive = disk.processes.report(process.pid) {
                watched.insert(process)
            } else {
                server.processEnded(process)
            }
        case .unwatch(let process): watched.remove(process)
        case .inspect(let pid, let ticket): server.inspected(ticket: ticket, disk.processes.report(pid))
        case .readPolicy: server.policyRead(readPolicy())
        case .reserveSpace(let wanted, let least):
            server.spaceReserved(bytes: wanted, wanted: wanted, least: least)
        case .reserveNumbers(let numbers):
            disk.numbers = numbers
            server.numbersReserved(numbers)
        case .close(let id): closed.insert(id)
        // A reader that is never slow takes all there is.
        case .pauseReading, .resumeReading: break
        case .beginCompaction, .dropCompaction: newLog = []
        case .syncCompaction: server.compactionSynced()
        case .installCompaction:
            disk.log = newLog
            server.compactionInstalled()
        }
    }
}

// Flags, as far as transcripts use them.
extension SimulatedDaemon {
    private static func options(_ flags: [String]) throws(Stuck) -> ServerOptions {
        var options = ServerOptions()
        options.hasManualClock = true
        for flag in flags {
            let parts = flag.split(separator: "=", maxSplits: 1).map(String.init)
            switch (parts[0], parts.count > 1 ? parts[1] : "") {
            case ("--memory", ""): options.hasLog = false
            case ("--private", ""): options.isPrivate = true
            case ("--clock", "system"): options.hasManualClock = false
            case ("--grace", let value):
                guard let grace = try? DurationReader.read(Array(value.utf8).span) else {
                    throw Stuck("\(flag) is no duration")
                }
                options.grace = grace
            case (let name, let value):
                guard let bound = bounds[name], let number = Int(value) else {
                    throw Stuck("the simulated daemon has no \(flag)")
                }
                options.limits[keyPath: bound] = number
            }
        }
        return options
    }

    private static var bounds: [String: WritableKeyPath<Limits, Int>] {
        [
            "--events-max": \.eventsMax,
            "--output-bytes-max": \.outputBytesMax,
            "--output-bytes-per-user-max": \.outputBytesPerUserMax,
            "--connections-max": \.connectionsMax,
            "--connections-per-user-max": \.connectionsPerUserMax,
            "--leases-max": \.leasesMax,
            "--leases-per-user-max": \.leasesPerUserMax,
            "--counted-grants-max": \.countedGrantsMax,
            "--counted-grants-per-user-max": \.countedGrantsPerUserMax,
            "--waiters-max": \.waitersMax,
            "--joiners-max": \.joinersMax, "--joiners-per-user-max": \.joinersPerUserMax,
            "--kept-max": \.keptMax, "--kept-per-user-max": \.keptPerUserMax,
            "--kept-bytes-max": \.keptBytesMax, "--kept-bytes-per-user-max": \.keptBytesPerUserMax,
            "--waiters-per-user-max": \.waitersPerUserMax,
            "--waiters-per-connection-max": \.waitersPerConnectionMax,
        ]
    }
}

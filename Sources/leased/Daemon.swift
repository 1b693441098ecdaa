// The loop: wait; take all events, hang-ups first; read the clock; end what is due; read and decide; hand the
// batch to the log; answer what is logged.

import Glibc
import LeaseIO
import LeaseModel
import LeaseServer

/// What the poller's tags mean: a connection's is its ID.
enum Tag {
    static let listener: UInt64 = 1
    static let signals: UInt64 = 2
    static let timer: UInt64 = 3
    static let thread: UInt64 = 4
    static let firstProcess: UInt64 = 16
    static let firstConnection: UInt64 = 1 << 32
}

/// One daemon on one thread; others only wait for the disk. (No class: while it runs, each look at one
/// of its properties would be checked for overlapping ones.)
struct Daemon: ~Copyable {
    struct Settings {
        var hasManualClock: Bool
        var uid: UInt32
        /// nil: the built-in policy.
        var policyPath: String?
        /// How many may be open. The last ones are kept for the log and for a look at a process.
        var descriptorsMax: Int32
        static let keptDescriptors: Int32 = 32
    }

    /// Enough that a pass of its own is little beside them.
    private static let linesPerTurn = 32
    /// Of so many that are read, the last are read long after the first.
    private static let crowd = 16

    let settings: Settings
    var server: Server
    var poller: Poller
    var timer: WakeTimer
    var signals: SignalQueue
    var listener: Listener
    /// nil: everything is in memory.
    let store: LogStore?
    /// Replies go when the batch is written, if there is any.
    let answersAtOnce: Bool
    var journal: Journal

    var sockets: [Socket] = []
    var processes: [ProcessIdentity: WatchedProcess] = [:]
    var processOfTag: [UInt64: ProcessIdentity] = [:]
    /// Processes for which there was no descriptor: they are looked at from time to time.
    var unwatchable: Set<ProcessIdentity> = []
    var lastProcessTag = Tag.firstProcess
    var reads = Transfers()
    var arrivals = Arrivals()
    var departures = Departures()
    var sends = Transfers()

    /// (These are used again in each pass.)
    var directives: [Directive] = []
    var gone: [UInt64] = []
    var isListening = true
    /// It was said that there is no descriptor for another connection.
    var hasRefusedSomebody = false
    /// When something that is no deadline of a lease is to be tried again.
    var retries = Retries()
    var timerArmedAt = Instant.never
    var presence: Presence
    private(set) var passNumber: UInt64 = 0
    private var busyPoll = BusyPoll()
    private var passEndedAt = Instant.zero

    var exitCode: Int32?
    var isStopWanted = false
    var isReloadWanted = false
    var stopsAt: Instant?

    init(
        settings: Settings, server: consuming Server, poller: consuming Poller, timer: consuming WakeTimer,
        signals: consuming SignalQueue, listener: consuming Listener, store: LogStore?,
        journal: consuming Journal
    ) {
        self.settings = settings
        self.server = server
        self.poller = poller
        self.timer = timer
        self.signals = signals
        self.listener = listener
        self.store = store
        answersAtOnce = store?.acknowledgesOnWrite ?? true
        self.journal = journal
        presence = Presence()
    }

    /// Serves until a signal or a failure ends it.
    /// - Parameter readyFD: gets a line when the service is up.
    /// - Returns: the exit code.
    mutating func run(readyFD: Int32?) -> Int32 {
        do throws(Errno) {
            try poller.add(listener.raw, tag: Tag.listener, reads: true, writes: false)
            try poller.add(signals.raw, tag: Tag.signals, reads: true, writes: false)
            try poller.add(timer.raw, tag: Tag.timer, reads: true, writes: false)
            if let store {
                try poller.add(store.descriptor, tag: Tag.thread, reads: true, writes: false)
            }
            let now = Instant(nanoseconds: Clocks.bootNanoseconds())
            server.beginPass(now: now, wallMilliseconds: Clocks.wallMilliseconds())
            server.advance(to: now)
            settle(now)
            for _ in 0..<3 {
                presence.begins(
                    at: Instant(nanoseconds: Clocks.bootNanoseconds()),
                    monotonic: Clocks.monotonicNanoseconds())
            }
            if let readyFD { try readyNotice(readyFD) }
            while exitCode == nil {
                try pass()
            }
        } catch {
            journal.error("the daemon can't go on: \(error)")
            exitCode = 70
        }
        _ = listener.removeIfOurs()
        return exitCode ?? 70
    }

    private mutating func pass() throws(Errno) {
        try armTimer()
        passNumber += 1
        let count = try wait()
        // Where a reply waits for a sync, more passes would make more syncs.
        server.linesPerTurn = count <= 1 && answersAtOnce ? Daemon.linesPerTurn : .max
        let now = Instant(nanoseconds: Clocks.bootNanoseconds())
        busyPoll.waited(passEndedAt.until(now).nanoseconds, found: count)
        server.beginPass(now: now, wallMilliseconds: Clocks.wallMilliseconds())
        hangUps(count)
        try takeSignals(count, now)
        noteAbsence(now)
        server.advance(to: now)
        try takeNews(count, now)
        try readAll(count)
        settle(now)
        if let stopsAt, exitCode == nil { tryToFinish(now, stopsAt) }
        passEndedAt = Instant(nanoseconds: Clocks.bootNanoseconds())
        presence.passEnded(at: passEndedAt, began: now)
    }

    private mutating func wait() throws(Errno) -> Int {
        if server.wantsTurn || store?.gathers == true { return try poller.wait(timeoutMilliseconds: 0) }
        // Where replies wait for the disk, the thread that syncs may be on this very core, and looking would
        // keep it from its work.
        return try poller.wait(lookingFor: answersAtOnce ? busyPoll.nanoseconds : 0)
    }

    private mutating func hangUps(_ count: Int) {
        guard poller.someAreHungUp else { return }
        for index in 0..<count {
            let event = poller.event(at: index)
            if event.isHungUp, event.tag >= Tag.firstConnection { gone.append(event.tag) }
        }
        guard !gone.isEmpty else { return }
        server.hungUp(gone)
        gone.removeAll(keepingCapacity: true)
    }

    /// What tells of an absence, which has to be known before anything ends.
    private mutating func takeSignals(_ count: Int, _ now: Instant) throws(Errno) {
        // Being stopped cuts the wait short, and what it then finds need not name the signals.
        if presence.isLongAgo(now) { try takeSignals() }
        guard poller.someAreBelow(Tag.firstConnection) else { return }
        for index in 0..<count {
            switch poller.event(at: index).tag {
            case Tag.signals: try takeSignals()
            case Tag.timer:
                _ = try timer.drain()
                presence.woken(dueAt: timerArmedAt == .never ? nil : timerArmedAt, now)
                timerArmedAt = .never
            default: break
            }
        }
    }

    /// The wish to stop, finished syncs, ended processes.
    private mutating func takeNews(_ count: Int, _ now: Instant) throws(Errno) {
        beginStopIfWanted(now)
        if isReloadWanted { readPolicy() }
        if poller.someAreBelow(Tag.firstConnection) { try takeNewsOfOthers(count, now) }
        takeRetries(now)
    }

    private mutating func takeNewsOfOthers(_ count: Int, _ now: Instant) throws(Errno) {
        for index in 0..<count {
            let tag = poller.event(at: index).tag
            if tag == Tag.thread {
                try takeCompleted(now)
            } else if tag >= Tag.firstProcess, tag < Tag.firstConnection {
                processHasEnded(tag)
            }
        }
    }

    private mutating func readAll(_ count: Int) throws(Errno) {
        for index in 0..<count {
            let event = poller.event(at: index)
            if event.tag == Tag.listener {
                // A newcomer may get the descriptor of who is let go for it.
                readWanted()
                try acceptAll()
            } else if event.tag >= Tag.firstConnection {
                if event.isHungUp {
                    readTheRest(event.tag)
                } else if event.isReadable || event.peerFinished {
                    wantRead(event.tag)
                }
            }
        }
        readWanted()
        if count >= Daemon.crowd, !poller.someAreWritable { return try readMore() }
        decideArrivals()
        guard poller.someAreWritable else { return }
        for index in 0..<count {
            let event = poller.event(at: index)
            if event.isWritable, event.tag >= Tag.firstConnection { send(event.tag) }
        }
    }

    /// What has come while so many were read goes with them: the more go together, the fewer writes to the
    /// log there are, and the fewer clients fall asleep while they wait.
    private mutating func readMore() throws(Errno) {
        for index in 0..<(try poller.wait(timeoutMilliseconds: 0)) {
            let event = poller.event(at: index)
            if event.tag >= Tag.firstConnection { wantReadToo(event) }
        }
        readWanted()
        decideArrivals()
    }

    /// Ends a pass: decides what can be decided, logs it, does what is wanted, and answers.
    mutating func settle(_ now: Instant) {
        repeat {
            server.endPass()
            carryOut(now)
            writeBatch(now)
            carryOut(now)
            flushSendable()
            server.closeWhatIsDone()
            carryOut(now)
        } while exitCode == nil && (server.hasMoreInThisPass || hasBatchToWrite)
    }

    private var hasBatchToWrite: Bool { store != nil && retries.write == .never && server.hasBatch }

    /// A daemon that was not there for over a second, or a machine that slept, owes its holders a grace.
    private mutating func noteAbsence(_ now: Instant) {
        let wasAbsent = presence.takeAbsence(now, monotonic: Clocks.monotonicNanoseconds())
        guard wasAbsent, !settings.hasManualClock else { return }
        journal.info("the daemon or the machine stood still: leases get a grace")
        server.resumed(at: now)
    }

    /// The timer is only ever set to an earlier instant; where it fires too early, it is set anew.
    private mutating func armTimer() throws(Errno) {
        let next = min(server.nextDeadline ?? .never, retries.next, stopsAt ?? .never)
        guard next < timerArmedAt else { return }
        try timer.arm(atNanoseconds: max(1, next.nanoseconds))
        timerArmedAt = next
    }
}

/// Instants at which something is tried again.
struct Retries {
    var space = Instant.never
    var write = Instant.never
    var accept = Instant.never
    var sync = Instant.never
    var place = Instant.never
    var processes = Instant.never

    var next: Instant { min(min(space, write, sync), min(accept, place, processes)) }
}

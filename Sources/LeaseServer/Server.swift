// The conversation: bytes, instants and news go in; bytes, batches for the log and directives come out.

package import LeaseCore
internal import LeaseLog
package import LeaseModel
internal import LeaseWire

package struct ServerOptions: Sendable {
    package var limits = Limits()
    package var grace = Duration.seconds(5)
    package var hasManualClock = false
    /// What a user says of itself is for nobody else but administrators.
    package var isPrivate = false
    /// Whether there is a log; without one nothing outlives the daemon.
    package var hasLog = true
    package var seed: UInt64 = 0
    /// The log is compacted when it is larger than this and than four times what is alive.
    package var compactionBytesMin = 32 << 20
    /// How many deadlines, how many of those who are let in together, and how many leases of a compaction one
    /// pass deals with at most.
    package var deadlinesPerPass = 500
    package var grantsPerPass = 1_000
    package var leasesPerPass = 1_000
    /// How many leases the lists of one pass look at; a waiter counts as eight of them.
    package var looksPerPass = 1 << 16
    /// How much the lines of one pass may cost, those that came and again those that were left over: an
    /// ordinary one costs 1. So much of each connection is carried out whatever others ask for: a few lines,
    /// since in one pass as many connections can have sent something as a wait finds.
    package var workPerPass = 4_096
    package var linesAlways = 8
    /// How much space and how many tokens are set aside ahead; of sequence numbers four times as many.
    package var spaceAhead = 4 << 20
    package var numbersAhead: UInt64 = 1 << 16

    package init() {}
}

/// All connections and the machine behind them. It makes no system call: whoever runs it calls `beginPass`,
/// tells what happened, calls `endPass`, writes the batch, and says when it is kept.
package struct Server: ~Copyable {
    package internal(set) var machine: Machine
    let options: ServerOptions
    let clockName: LogClock

    // Connections, by the low half of their IDs.
    var connections = ConnectionTable()
    var vacant: [Int] = []
    var generation: UInt64 = 0
    package internal(set) var connectionCount = 0
    var connectionsOfUser: [UInt32: Int] = [:]
    /// Connections whose input has ended while something still keeps them open.
    var halfClosed: Set<ConnectionID> = []
    /// Connections with input that can be looked at now.
    var ready = ConnectionQueue()
    var linesAhead = LinesAhead()
    /// Connections with output that was appended since replies were last let go.
    var dirty = ConnectionQueue()
    /// Connections with something to send that may be sent.
    var sendable = ConnectionQueue()
    /// Connections with replies that wait for the log.
    var gated = ConnectionQueue()
    /// Connections whose next request waits for space or numbers.
    var parked: [ConnectionID] = []
    /// What was found of processes while there was no room for what their requests ask.
    var looksToComeBackTo: [(ticket: UInt64, report: ProcessReport)] = []
    /// Connections that go on with the next pass, since what they asked for took long.
    var yielded: [ConnectionID] = []
    /// After lines of so much cost, and half of what there is, a connection's replies go before more is
    /// decided: its client goes on meanwhile. For a pass in which nobody else wants anything; with others it
    /// would only make more passes.
    package var linesPerTurn = Int.max
    var unread = UnreadBytes()
    var spareOutputs = SpareOutputs()
    /// Connections that may have nothing to wait for any more.
    var closing: [ConnectionID] = []

    // Requests that wait for their reply: in line (by the slot of the waiter), or for something else.
    var pendings: [Pending] = []
    var waiterIDs: [WaiterID] = []
    /// Requests whose place a retry has taken over, until they are told.
    var superseded: [(waiter: WaiterID, pending: Pending)] = []
    var tags: TagIndex
    var others: [OtherPending] = []
    var lastTicket: UInt64 = 0
    /// How many more leases and waiters this pass's lists may look at.
    var looksLeft = 0
    /// What the lines of this pass may still cost. Without it, a few hundred clients who ask for much at the
    /// same moment would keep all others waiting for as long as all of that takes.
    var workLeft: Int
    /// A line costs 1 more for so many bytes of it, and of its reply.
    static let bytesPerWork = 128
    /// What was left over has got its own share of this pass.
    var hasWorkForReady = false
    /// Of requests that were read lately.
    var names: RecentNames

    // Events, and those who watch. Vacant places have no connection.
    /// Behind all events of before this pass.
    var passBegan = RecentEvents.Cursor.beginning
    var watches: [Watch] = []
    var vacantWatches: [Int] = []
    var watchIndex: WatchIndex
    /// Used again for each event.
    var concerned: [Int] = []
    var eventLine: [UInt8] = []
    /// The places of those who are not live.
    var behind: [Int] = []

    /// With the events of late.
    var effects: Effects
    var counting: Counting
    var directives: [Directive] = []

    // The log.
    var log = LogState()
    /// Reads the log at the start; empty afterwards.
    var reader = LogReader()
    var compaction = Compaction()
    var boot = Text(printed: [])
    var space = SpaceState()
    package internal(set) var numbers = Numbers(token: 0, sequence: 0)
    var isReservingNumbers = false
    /// As the pass began, and when that was.
    var wallMilliseconds: Int64 = 0
    var passBeganAt = Instant.zero

    /// What was due is not all dealt with: another pass is wanted at once.
    var isBehind = false
    package internal(set) var isStopping = false

    package init(policy: Policy, options: ServerOptions) {
        self.options = options
        workLeft = options.workPerPass
        counting = Counting(policy: policy)
        tags = TagIndex(seed: options.seed)
        names = RecentNames(seed: options.seed)
        effects = Effects(eventsMax: options.limits.eventsMax)
        watchIndex = WatchIndex(seed: options.seed)
        clockName = options.hasManualClock ? .manual : .system
        machine = Machine(
            policy: policy, limits: options.limits, hasManualClock: options.hasManualClock,
            isPrivate: options.isPrivate, seed: options.seed)
        if options.hasLog {
            machine.room = Room(logBytes: 0, tokens: 0, sequences: 0)
        }
    }

    package var limits: Limits { options.limits }

    /// The daemon may sleep until then; nil: until something happens.
    package var nextDeadline: Instant? {
        options.hasManualClock ? nil : machine.nextDeadline
    }

    /// Whether what was carried out since `endPass` asks for another one.
    package var hasMoreInThisPass: Bool {
        !ready.isEmpty && workLeft > 0 || !dirty.isEmpty || !directives.isEmpty
    }

    /// Whether everybody has been answered and has taken the answer.
    package var isQuiet: Bool {
        ready.isEmpty && yielded.isEmpty && dirty.isEmpty && compaction.phase != .installing
            && (0..<connections.count).allSatisfy { connections[$0].id == 0 || connections[$0].isDrained }
    }

    /// Whether another pass is wanted without waiting for anything.
    package var wantsTurn: Bool {
        isBehind || machine.mayLetMoreIn || !ready.isEmpty || !yielded.isEmpty
            || compaction.phase == .drawing || machine.listCount > 0
            || !isHeldForRoom && others.contains { if case .advance = $0.kind { true } else { false } }
            || hasWatchersToServe
    }
}

// One pass.
extension Server {
    /// Begins a pass at this instant. Hang-ups are told next, before `advance`; whatever else has happened
    /// (ended processes, finished syncs, requests) after it, since it is decided as of the instant that was
    /// reached.
    package mutating func beginPass(now: Instant, wallMilliseconds: Int64) {
        self.wallMilliseconds = wallMilliseconds
        passBeganAt = now
        machine.tick(to: now)
        passBegan = effects.recent.end
        looksLeft = options.looksPerPass
        workLeft = options.workPerPass
        hasWorkForReady = false
        guard !yielded.isEmpty else { return }
        let waiting = yielded
        yielded.removeAll(keepingCapacity: true)
        for id in waiting {
            guard let index = index(id) else { continue }
            connections[index].hasYielded = false
            makeReady(index)
        }
    }

    /// Deals with what is due. On the manual clock nothing is, but for what `clock advance` has asked for.
    package mutating func advance(to now: Instant) {
        machine.letMoreIn(count: options.grantsPerPass, into: &effects)
        settle()
        if options.hasManualClock {
            advanceManually()
        } else {
            isBehind = !machine.advance(to: now, budget: options.deadlinesPerPass, into: &effects)
            settle()
        }
        grantStarved()
    }

    /// Whether the manual clock stands still until there is room for those whose turn has come.
    private var isHeldForRoom: Bool { machine.hasStarved && !hasRoomForAny && mayGetRoom }

    /// Those whose turn has come while there was no room, as soon as there is.
    mutating func grantStarved() {
        guard machine.hasStarved, hasRoomForAny else { return }
        machine.grantStarved(into: &effects)
        settle()
    }

    private mutating func advanceManually() {
        guard let index = others.firstIndex(where: { if case .advance = $0.kind { true } else { false } }),
            case .advance(let target) = others[index].kind
        else { return }
        if advanceClock(to: target) {
            let pending = others.remove(at: index)
            finish(pending, with: .clock(now: machine.clock, isManual: true))
        }
    }

    /// Moves the manual clock as far as one pass goes.
    /// - Returns: whether it is there.
    mutating func advanceClock(to target: Instant) -> Bool {
        // The system's clock waits for nobody; this one does, or a wait would end on a key that is free.
        let isThere = machine.advance(
            to: target, budget: options.deadlinesPerPass, waitsForRoom: mayGetRoom, into: &effects)
        if isThere {
            machine.noteAdvance(into: &effects)
        }
        settle()
        return isThere
    }

    package var hasDirectives: Bool { !directives.isEmpty }

    /// What is wanted since the last call.
    package mutating func takeDirectives(into list: inout [Directive]) {
        list.removeAll(keepingCapacity: true)
        swap(&list, &directives)
    }

    /// Ends a pass: looks at what can be looked at, and makes the batch for the log ready. Once that is
    /// written, the connections that may be sent to are told by `nextSendable`.
    package mutating func endPass() {
        if !hasWorkForReady {
            workLeft = options.workPerPass
            hasWorkForReady = true
        }
        serveReady()
        continueLists()
        serveWatchers()
        continueCompaction(leases: options.leasesPerPass)
        wantSpaceAndNumbers()
        closeWhatIsDone()
    }

    /// The daemon was not there for a while.
    package mutating func resumed(at now: Instant) {
        // The picture of a compaction can't show all deadlines moving at once.
        abandonCompaction()
        machine.resume(grace: options.grace, at: now, into: &effects)
        settle()
    }

    package mutating func processEnded(_ process: ProcessIdentity) {
        machine.processEnded(process, into: &effects)
        settle()
    }

    /// Stops granting and answers who waits. What is under way goes on until `finishStop`.
    package mutating func beginStop() {
        guard !isStopping else { return }
        isStopping = true
        abandonCompaction()
        // Who only looks is answered.
        looksLeft = .max
        continueLists()
        for pending in others {
            finish(pending, with: .refused(.stopping))
        }
        others.removeAll()
        machine.drain(into: &effects)
        settle()
    }

    /// The last change: everything is in order.
    package mutating func finishStop() {
        machine.stop(into: &effects)
        settle()
    }

    /// The numbers that were used: written down after a clean stop, so that they go on without a gap.
    package var numbersUsed: Numbers { Numbers(token: machine.lastToken, sequence: machine.sequence) }

    /// What only the log and the counts want to know waits until all lines that were read ahead are decided:
    /// whoever calls this settles before anything but lines is dealt with.
    mutating func settleUnlessOnlyLogged() {
        if effects.concernOthers || hasWatches { settle() }
    }

    /// Takes what a request or a moment has brought about: changes to the batch, replies to who waited.
    /// Nothing in it asks the machine, which alone adds to the effects: they can stay where they are.
    mutating func settle() {
        guard !effects.isEmpty else { return }
        while let next = effects.nextForLog() {
            switch next {
            case .events(let changes): appendToBatch(changes)
            case .record: appendToBatch(effects.takeRecord())
            }
        }
        for place in effects.shown.indices {
            show(effects.shown[place].lease, to: effects.shown[place].watcher)
        }
        tellInOrder()
        for place in effects.dropped.indices { forgetPending(of: effects.dropped[place]) }
        if !effects.unbound.isEmpty { closing += effects.unbound }
        for place in effects.watched.indices { directives.append(.watch(effects.watched[place])) }
        for place in effects.unwatched.indices { directives.append(.unwatch(effects.unwatched[place])) }
        effects.removeAll()
    }

    private mutating func tellInOrder() {
        if effects.tellOnlyWatchers, !hasWatches { return counting.addUntold(effects.recent) }
        var (answered, noticed) = (0, 0)
        var cursor = effects.recent.end
        for place in 0..<effects.tellingCount {
            let before = cursor
            let telling = effects.telling(at: place)
            switch telling {
            case .change, .line:
                guard let event = effects.recent.untold(telling, &cursor) else { continue }
                tell(event, at: before)
            case .answer:
                deliver(effects.answers[answered])
                answered += 1
            case .notice:
                tell(effects.notices[noticed].notice, effects.notices[noticed].to)
                noticed += 1
            }
        }
    }
}

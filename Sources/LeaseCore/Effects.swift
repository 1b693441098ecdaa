// What a request or a moment brings about besides its own reply.

package import LeaseModel

/// The answer to a request that had waited.
package struct Answer {
    package let waiter: WaiterID
    package let reply: Reply
    /// The connection that asked: a retry may have moved it since the request came.
    package let connection: ConnectionID
}

/// Filled by the core, emptied by who called it, used again: no array is made for each request.
package struct Effects: ~Copyable {
    private let inPlace = InPlace()

    /// What is told, one after the other: each takes the next of its row.
    package enum Telling: BitwiseCopyable {
        case change, line, answer, notice
    }

    /// What the log gets next.
    package enum ForLog {
        /// What `takeRecord` gives.
        case record
        /// Changes whose events say all that their records would.
        case events(ToldChanges)
    }

    /// What happened, in order, where its event does not say all that the log is to. The log takes it, and
    /// those events, before any reply goes out.
    private var unwritten = Handover<Record>()
    /// What happened, as it is told to those who watch; and what happens in the lines. It stays when it is
    /// told.
    package var recent: RecentEvents
    /// Replies to others.
    package internal(set) var answers: [Answer] = []
    /// What those are told who asked for it.
    package internal(set) var notices: [(to: Subscriber, notice: Notice)] = []
    /// The order in which all these are told.
    private var telling = Row<Telling>()
    /// How many of them are no changes.
    private var tellingsToSome = 0
    /// Leases that are shown to a watcher before their turn, since they are about to change.
    package private(set) var shown: [(watcher: ConnectionID, lease: LeaseView)] = []
    /// Processes that are to be watched from now on, and those that no longer need to be.
    package private(set) var watched: [ProcessIdentity] = []
    package private(set) var unwatched: [ProcessIdentity] = []
    /// Requests in line that nobody is to be told of any more: their connection is gone.
    package private(set) var dropped: [WaiterID] = []
    /// Connections whose last bound lease has ended.
    package private(set) var unbound: [ConnectionID] = []
    /// Whether there may be something in it for others than the log, the counts, and those who watch. (Noted
    /// when it comes: it is asked for behind every request.)
    package private(set) var concernOthers = false

    /// - Parameter eventsMax: how many events are remembered.
    package init(eventsMax: Int = 0) {
        recent = RecentEvents(capacity: eventsMax)
    }

    package var tellingCount: Int { telling.count }
    package func telling(at place: Int) -> Telling { telling[place] }

    /// Whether all that is told is told to those who watch.
    package var tellOnlyWatchers: Bool { tellingsToSome == 0 }

    mutating func write(_ record: consuming Record) {
        unwritten.put(record)
    }

    /// What happened in a line.
    mutating func tell(_ event: Event) {
        recent.append(event)
        telling.append(.line)
        noteTellingToSome()
    }

    /// The change that was added to `recent` last.
    mutating func tellChange() {
        telling.append(.change)
    }

    /// The next of what the log has not got yet, in the order of the numbers; nil: it has all. A record is
    /// to be taken before this is asked again.
    package mutating func nextForLog() -> ForLog? {
        let limit = unwritten.count > 0 ? unwritten.next.sequence : .max
        if let changes = recent.changes.takeForLog(before: limit) { return .events(changes) }
        return unwritten.count > 0 ? .record : nil
    }

    package mutating func takeRecord() -> Record { unwritten.take() }

    /// For those who only look: what the log has not got yet.
    package var tellings: [Telling] { telling.all }
    package var records: [Record] {
        (unwritten.all + recent.recordsForLog).sorted { $0.sequence < $1.sequence }
    }
    package var events: [Event] {
        var cursor = recent.end
        return tellings.compactMap { recent.untold($0, &cursor) }.map { recent.event($0) }
    }

    mutating func answer(_ waiter: WaiterID, _ reply: Reply, at connection: ConnectionID) {
        answers.append(Answer(waiter: waiter, reply: reply, connection: connection))
        telling.append(.answer)
        noteTellingToSome()
    }

    mutating func notify(_ subscriber: Subscriber, _ notice: Notice) {
        notices.append((subscriber, notice))
        telling.append(.notice)
        noteTellingToSome()
    }

    private mutating func noteTellingToSome() {
        tellingsToSome += 1
        concernOthers = true
    }

    /// What a request's own connection is told comes before what others are: this notice was the only one
    /// since then.
    mutating func moveLastNotice(to place: Int) {
        let last = telling.count - 1
        guard place < last, telling[last] == .notice else { return }
        for other in place..<last {
            precondition(telling[other] != .notice, "notices keep their order")
        }
        telling.moveLast(to: place)
    }

    mutating func show(_ lease: LeaseView, to watcher: ConnectionID) {
        shown.append((watcher, lease))
        concernOthers = true
    }

    mutating func drop(_ waiter: WaiterID) {
        dropped.append(waiter)
        concernOthers = true
    }

    mutating func unbind(_ connection: ConnectionID) {
        unbound.append(connection)
        concernOthers = true
    }

    mutating func unwatch(_ process: ProcessIdentity) {
        unwatched.append(process)
        concernOthers = true
    }

    /// Who was pushed out of a line for a request may have been the last to depend on the process that this
    /// request names: then it goes on being watched.
    mutating func watch(_ process: ProcessIdentity) {
        if let place = unwatched.lastIndex(of: process) {
            unwatched.remove(at: place)
        } else {
            watched.append(process)
            concernOthers = true
        }
    }

    package var isEmpty: Bool {
        unwritten.count == 0 && recent.isAllTold && telling.count == 0 && shown.isEmpty && watched.isEmpty
            && unwatched.isEmpty && dropped.isEmpty && unbound.isEmpty
    }

    package mutating func removeAll() {
        unwritten.removeAll()
        recent.noteAllTold()
        tellingsToSome = 0
        concernOthers = false
        telling.removeAll()
        if !answers.isEmpty { answers.removeAll(keepingCapacity: true) }
        if !notices.isEmpty { notices.removeAll(keepingCapacity: true) }
        if !shown.isEmpty { shown.removeAll(keepingCapacity: true) }
        if !watched.isEmpty { watched.removeAll(keepingCapacity: true) }
        if !unwatched.isEmpty { unwatched.removeAll(keepingCapacity: true) }
        if !dropped.isEmpty { dropped.removeAll(keepingCapacity: true) }
        if !unbound.isEmpty { unbound.removeAll(keepingCapacity: true) }
    }
}

/// What a request gets.
package enum Outcome {
    case reply(Reply)
    /// It stands in line: its reply comes as an `Answer`.
    case waits(WaiterID)
    /// It names a process, which has to be looked at before anything is decided. Ask again with what was
    /// found.
    case needsProcess(Int32)
}

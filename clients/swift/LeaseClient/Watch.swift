// The thread of a watch: connected, told, and connected again where it was cut, without gap or repeat.

internal import LeaseModel
internal import LeaseWire

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// Runs on a thread of its own until nobody takes its events, or until it can't go on.
struct Watch {
    let socket: String?
    let patience: LeaseModel.Duration
    let prefixes: [KeyPrefix]
    /// The last change that was told of; nil: what there is was not told yet.
    var since: UInt64?
    let queue: EventQueue
    /// Which run of the daemon told it.
    var daemonRun: DaemonRun?

    mutating func run() {
        var hasBegun = false
        var failingSince: Instant?
        while !queue.isAbandoned {
            do throws(LeaseError) {
                let connection = try begin()
                hasBegun = true
                failingSince = nil
                try follow(connection)
            } catch {
                let now = BootClock.now()
                let since = failingSince ?? now
                failingSince = since
                guard case .unavailable = error, hasBegun, now < since + patience else {
                    queue.end(error)
                    break
                }
                wait(for: nil, milliseconds: 50)
            }
        }
    }

    /// Connects and asks for the watch. What there is, is told whole or not at all.
    private mutating func begin() throws(LeaseError) -> Connection {
        let deadline = BootClock.now() + patience
        let search = SocketSearch(told: socket)
        let connection = try told(search) { () throws(ConnectionError) in
            try Connection(search, until: deadline)
        }
        let statistics = try told(search) { () throws(ConnectionError) in
            try connection.ask(.stats, until: deadline)
        }
        guard statistics.status == .ok else { throw LeaseError(statistics.first, statistics.status) }
        let run = DaemonRun(statistics)
        if let former = daemonRun, since != nil, !former.goesOn(in: run) { throw .forgotten }
        daemonRun = run
        let request = Request.watch(prefixes, since: since)
        let answer = try told(search) { () throws(ConnectionError) in
            try connection.ask(request, until: deadline)
        }
        guard answer.status == .ok else { throw LeaseError(answer.first, answer.status) }
        guard since == nil else { return connection }
        var missing = answer.first.count("leases") ?? 0
        var events: [LeaseEvent] = []
        while missing > 0 {
            let arrival = try told(search) { () throws(ConnectionError) in
                try connection.next(until: BootClock.now() + patience)
            }
            guard case .event(let line) = arrival else { continue }
            guard !line.isCut else { throw .unavailable(.init(.gone(path: search.path ?? ""))) }
            events.append(LeaseEvent(line))
            if events.last?.kind == .held { missing -= 1 }
        }
        since = answer.first.number("seq") ?? 0
        events.forEach { tell($0) }
        return connection
    }

    /// Returns where the watch was cut, which is to be asked for again.
    private mutating func follow(_ connection: Connection) throws(LeaseError) {
        while !queue.isAbandoned {
            if queue.isFull {
                // What is not read here, the daemon keeps.
                wait(for: nil, milliseconds: -1)
                continue
            }
            let arrival = try told(nil) { () throws(ConnectionError) in try connection.arrived() }
            switch arrival {
            case .event(let line):
                if line.isCut { return }
                tell(LeaseEvent(line))
            case .answer(let answer):
                if answer.status == .err { throw LeaseError(answer.first, answer.status) }
            case nil: wait(for: connection.descriptor, milliseconds: -1)
            }
        }
    }

    private mutating func tell(_ event: LeaseEvent) {
        // What has the number of the change before is not told again.
        since = max(since ?? 0, event.sequence)
        queue.put(event)
    }

    private func told<Value>(
        _ search: SocketSearch?, _ body: () throws(ConnectionError) -> Value
    ) throws(LeaseError) -> Value {
        do throws(ConnectionError) {
            return try body()
        } catch {
            throw .unavailable(LeaseError.Unavailable(Outage(error, path: search?.path ?? socket ?? "")))
        }
    }

    /// Until something came, or the queue wakes us.
    private func wait(for descriptor: Int32?, milliseconds: Int32) {
        var looks = [pollfd(fd: queue.waker.readable, events: Int16(POLLIN), revents: 0)]
        if let descriptor { looks.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
        poll(&looks, nfds_t(looks.count), milliseconds)
        queue.waker.drain()
    }
}

extension LeaseError {
    /// As the daemon says it of a number that is too old.
    fileprivate static let forgotten = LeaseError.invalid(
        Refusal(
            code: ErrorCode.tooOld.rawValue,
            message: "the daemon was started anew and keeps no log, so what happened meanwhile is not "
                + "remembered; watch without since to see what there is"))
}

extension ReplyLine {
    /// The watch is over, since it was not read fast enough.
    fileprivate var isCut: Bool { word.elementsEqual("cut".utf8) }
}

extension Outage {
    init(_ error: ConnectionError, path: String) {
        switch error {
        case .unavailable(let search, let reason): self = .unreachable(search, reason)
        case .closed, .garbled: self = .gone(path: path)
        case .timeout: self = .silent(path: path)
        }
    }
}

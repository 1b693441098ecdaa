// The thread of a client: it owns the socket, and moves bytes and time between it and the session.

internal import LeaseModel
private import LeaseWire

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// Takes calls from any task. The thread begins with the first of them, and ends with `stop`. It is a thread
/// of its own, so that leases are renewed whatever the program's tasks are busy with.
final class Pump: Sendable {
    enum Command {
        case ask(Call)
        case withdraw(UInt64)
        case settle(CallHandle)
        case stop
    }

    struct Settings {
        let socket: String?
        let patience: Duration
        let clock: LeaseClock
    }

    fileprivate struct Inbox {
        var commands: [Command] = []
        /// Wakes the thread; nil before it has begun.
        var waker: WakePipe?
        var isAwake = false
        var isStopped = false
    }

    let settings: Settings
    fileprivate let inbox = Guarded(Inbox())

    init(_ settings: Settings) {
        self.settings = settings
    }

    func post(_ command: Command) {
        let failure = inbox.withLock { inbox -> Int32? in
            guard !inbox.isStopped else { return nil }
            if case .stop = command {
                inbox.isStopped = true
                guard inbox.waker != nil else { return nil }
            }
            if inbox.waker == nil {
                do throws(WakePipe.Failure) {
                    inbox.waker = try start()
                } catch {
                    return error.code
                }
            }
            inbox.commands.append(command)
            Pump.wake(&inbox)
            return nil
        }
        guard let failure, case .ask(let call) = command else { return }
        call.handle.finish(.unavailable(.noResources(code: failure)))
    }

    private static func wake(_ inbox: inout Inbox) {
        guard !inbox.isAwake, let waker = inbox.waker else { return }
        inbox.isAwake = true
        waker.wake()
    }

    /// Starts the thread.
    /// - Returns: what to wake it with.
    private func start() throws(WakePipe.Failure) -> WakePipe {
        let waker = try WakePipe()
        let code = OwnThread.start { PumpThread(self, waker).run() }
        guard code == 0 else { throw .init(code: code) }
        return waker
    }
}

/// What only the thread touches.
private final class PumpThread {
    private let pump: Pump
    private let waker: WakePipe
    private var session: Session
    private var socket: Int32?
    private var reader = ArrivalReader()
    private var isStopped = false

    init(_ pump: Pump, _ waker: WakePipe) {
        self.pump = pump
        self.waker = waker
        session = Session(patience: pump.settings.patience, isManual: pump.settings.clock.isManual)
    }

    func run() {
        while true {
            takeCommands()
            guard !isStopped else { break }
            connectIfDue()
            step()
            wait()
            receive()
        }
        hangUp()
    }

    private var now: Moment {
        Moment(lease: pump.settings.clock.now, real: BootClock.now())
    }

    private func takeCommands() {
        let commands = pump.inbox.withLock { inbox in
            if inbox.isAwake {
                waker.drain()
                inbox.isAwake = false
            }
            defer { inbox.commands = [] }
            return inbox.commands
        }
        for command in commands {
            switch command {
            case .ask(let call): session.ask(call, now)
            case .withdraw(let id): session.withdraw(id, now)
            case .settle(let handle):
                session.settlers.append(handle)
                session.nextLease = .zero
            case .stop: isStopped = true
            }
        }
    }

    private func connectIfDue() {
        guard case .apart(let tryAt) = session.phase, tryAt <= now.real else { return }
        let search = SocketSearch(told: pump.settings.socket)
        do throws(Unreachable) {
            guard let path = search.path else { throw .noSocket }
            socket = try StreamSocket.connect(to: path, until: .zero)
            reader = ArrivalReader()
            session.connected(to: path, now)
        } catch {
            session.couldNotConnect(
                .unreachable(search, error), isHopeless: error != .notAnswering, now)
        }
    }

    /// Does what is due, and what came of all that was done before.
    private func step() {
        repeat {
            session.renewDue(now)
            session.giveUpDue(now)
            if session.mustHangUp {
                hangUp()
                session.disconnected(now)
            }
            session.flush(now)
            session.settle(now)
            report()
        } while session.mustHangUp
        send()
    }

    private func report() {
        let (finished, losses) = (session.finished, session.losses)
        session.finished = []
        session.losses = []
        for (record, loss) in losses {
            record.lose(loss)
        }
        for (handle, outcome) in finished {
            handle.finish(outcome)
        }
    }

    private func send() {
        guard let socket else { return }
        var sent = 0
        sending: while sent < session.outgoing.count {
            switch StreamSocket.send(session.outgoing[sent...], to: socket) {
            case .sent(let count): sent += count
            case .full: break sending
            case .closed:
                // Perhaps it said why: that is seen when reading.
                sent = session.outgoing.count
            }
        }
        session.outgoing.removeFirst(sent)
    }

    private func wait() {
        var looks = [pollfd(fd: waker.readable, events: Int16(POLLIN), revents: 0)]
        if let socket {
            let events = session.outgoing.isEmpty ? POLLIN : POLLIN | POLLOUT
            looks.append(pollfd(fd: socket, events: Int16(events), revents: 0))
        }
        let next = session.nextWake
        let milliseconds = next == .never ? -1 : BootClock.pollMilliseconds(until: next)
        poll(&looks, nfds_t(looks.count), milliseconds)
    }

    private func receive() {
        guard let socket else { return }
        switch StreamSocket.receive(from: socket) {
        case .nothing: break
        case .bytes(let bytes):
            reader.take(bytes)
            take()
        case .closed:
            hangUp()
            session.disconnected(now)
        }
    }

    private func take() {
        do throws(ConnectionError) {
            while let arrival = try reader.next() {
                if case .answer(let answer) = arrival { session.arrived(answer, now) }
            }
        } catch {
            // Not a line of the daemon's: nothing on this connection can be relied on.
            session.mustHangUp = true
        }
    }

    private func hangUp() {
        if let socket { close(socket) }
        socket = nil
    }
}

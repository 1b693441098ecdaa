// The thread of a client: it owns the socket, and moves bytes and time between it and the session.

internal import LeaseModel
private import LeaseWire
private import Synchronization

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
        /// The end of a pipe that wakes the thread; nil before it has begun.
        var waker: Int32?
        var isAwake = false
        var isStopped = false
    }

    let settings: Settings
    fileprivate let inbox = Mutex(Inbox())

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
                do throws(Errno) {
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
        var byte: UInt8 = 0
        write(waker, &byte, 1)
    }

    /// Starts the thread.
    /// - Returns: the end of the pipe to wake it with.
    private func start() throws(Errno) -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Errno(code: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        let (wakes, waker) = (ends[0], ends[1])
        let code = OwnThread.start { PumpThread(self, wakes: wakes, waker: waker).run() }
        guard code == 0 else {
            close(wakes)
            close(waker)
            throw Errno(code: code)
        }
        return waker
    }

    fileprivate struct Errno: Error {
        let code: Int32
    }
}

/// What only the thread touches.
private final class PumpThread {
    private let pump: Pump
    private let wakes: Int32
    private let waker: Int32
    private var session: Session
    private var socket: Int32?
    private var reader = ArrivalReader()
    private var isStopped = false

    init(_ pump: Pump, wakes: Int32, waker: Int32) {
        self.pump = pump
        self.wakes = wakes
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
        close(wakes)
        close(waker)
    }

    private var now: Moment {
        Moment(lease: pump.settings.clock.now, real: BootClock.now())
    }

    private func takeCommands() {
        let commands = pump.inbox.withLock { inbox in
            if inbox.isAwake {
                var bytes: UInt64 = 0
                read(wakes, &bytes, 8)
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
        var looks = [pollfd(fd: wakes, events: Int16(POLLIN), revents: 0)]
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

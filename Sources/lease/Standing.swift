// Standing in line for a lease, over restarts of the daemon, until it is granted, refused or given up.

import Glibc
import LeaseClient
import LeaseModel
import LeaseWire

/// One request for a lease. It is sent again with its ID where the connection is lost.
struct Standing: ~Copyable {
    enum End {
        case granted(Lease, Talk)
        /// Somebody else has done the work: what came of it.
        case done(ReplyLine)
        case refused(Complaint)
        case interrupted(Signals.Signal)
        /// The command that the lease was to be for, before it was executed.
        case commandEnded(Outcome)
    }

    private static let tag = Array("a".utf8)
    private static let lookTag = Array("look".utf8)
    /// How long a daemon may be away.
    private static let absenceMax = Duration.seconds(30)
    private static let pause = Duration.milliseconds(200)

    private let search: SocketSearch
    private let call: Invocation
    private var request: AcquireRequest
    private let command: Command?
    /// How long to stand in line, and until when.
    private var wait: Duration
    private var end: Instant
    private var talk: Talk?
    private var sentAt = Instant.zero
    private var absentSince: Instant?
    private var tryAt = Instant.never
    private var lookAt = Instant.never
    /// When the daemon should have said by itself that the wait is over.
    private var answerBy = Instant.never
    private var line = StatusLine()
    private let alarm: Alarm

    init(
        _ search: SocketSearch, _ call: Invocation, _ request: AcquireRequest, for command: Command?
    ) throws(Complaint) {
        self.search = search
        self.call = call
        self.request = request
        self.command = command
        wait = request.wait
        end = request.wait == .forever ? .never : BootClock.now() + request.wait
        alarm = try Alarm()
    }

    private var mayWait: Bool { request.wait > .zero }

    /// Asks, and waits for the answer.
    mutating func run(_ signals: borrowing Signals) throws(Complaint) -> End {
        do throws(Complaint) {
            talk = try Talk(search, until: BootClock.now() + Talk.patience)
            ask()
            while true {
                if let end = try look(signals) {
                    line.clear()
                    return end
                }
                alarm.wait(for: talk?.connection, signals, until: min(tryAt, lookAt, answerBy))
            }
        } catch {
            line.clear()
            throw error
        }
    }

    /// Everything that has come.
    private mutating func look(_ signals: borrowing Signals) throws(Complaint) -> End? {
        while let signal = signals.next() {
            if signal.number == SIGTSTP { kill(getpid(), SIGSTOP) }
            if signal.number == SIGCHLD, case .ended(let outcome)? = command?.state {
                return .commandEnded(outcome)
            }
            if !Signals.isHarmless(signal.number) {
                withdraw()
                return .interrupted(signal)
            }
        }
        if let end = try takeArrivals() { return end }
        let now = BootClock.now()
        if now >= answerBy { throw Complaint(.timeout, search) }
        if now >= tryAt { try tryAgain(now) }
        if now >= lookAt { askForPlace(now) }
        return nil
    }

    private mutating func takeArrivals() throws(Complaint) -> End? {
        while let talk {
            do throws(ConnectionError) {
                guard let arrival = try talk.connection.arrived() else { return nil }
                guard case .answer(let answer) = arrival else { continue }
                if answer.first.tag == Standing.lookTag {
                    if answer.status == .ok { line.draw(StatusLine.text(answer, key: request.keys.first)) }
                } else if let end = try taken(answer, talk) {
                    return end
                }
            } catch {
                try lost(error)
            }
        }
        return nil
    }
}

// MARK: what comes

extension Standing {
    /// The answer to the request; nil where it is to be asked again.
    private mutating func taken(_ answer: Answer, _ talk: Talk) throws(ConnectionError) -> End? {
        switch answer.status {
        case .ok:
            guard var lease = Lease(answer.first, sentAt: sentAt) else { throw .garbled([]) }
            // We may have been stopped for long, or the daemon before it answered.
            if BootClock.now() >= lease.renewAt {
                let now = BootClock.now()
                let renewal = try talk.connection.ask(
                    .renew(RenewRequest(token: lease.token)), until: now + Talk.patience)
                guard renewal.status == .ok else {
                    if renewal.status == .gone { return askAnew() }
                    return .refused(Complaint(renewal.first, renewal.status))
                }
                lease.renewed(renewal.first, sentAt: now)
            }
            return .granted(lease, talk)
        case .gone:
            // It was granted, and ended while we were out of touch.
            return askAnew()
        case .busy:
            let isStopping = answer.first.value("why").map { $0.elementsEqual("draining".utf8) } ?? false
            if isStopping, mayWait, BootClock.now() < end, !isTooLongAbsent {
                pauseAndTryAgain()
                return nil
            }
            let sentence = Refusal.sentence(answer.first, wait: wait, prospect: prospect(answer.first, talk))
            return .refused(Complaint(busy: answer.first, sentence, code: call.conflictCode))
        case .done: return .done(answer.first)
        case .err:
            if waitsNoLonger(than: answer.first) { return nil }
            return .refused(Complaint(answer.first, .err))
        }
    }

    /// Where the policy bounds the wait, and nobody said how long it is to be, it is that long: asks again.
    private mutating func waitsNoLonger(than refusal: ReplyLine) -> Bool {
        guard refusal.code == .waitTooLong, call.wait == nil,
            let longest = refusal.milliseconds("max").map({ Duration.milliseconds($0) }), longest < wait
        else { return false }
        wait = longest
        end = BootClock.now() + longest
        ask()
        return true
    }

    /// The policy may let nobody wait, which a refusal of who did not want to does not say.
    private func prospect(_ refusal: ReplyLine, _ talk: Talk) -> Prospect? {
        guard !mayWait, !request.joins, let key = refusal.value("key") else { return nil }
        let request = Request.get(Key(printed: key), limit: 1_000)
        let answer = try? talk.connection.ask(request, until: BootClock.now() + .seconds(1))
        return answer.flatMap { $0.status == .ok ? Prospect($0) : nil }
    }

    private mutating func askAnew() -> End? {
        request.request = Asking.newID()
        pauseAndTryAgain()
        return nil
    }

    private var isTooLongAbsent: Bool {
        absentSince.map { $0 + Standing.absenceMax < BootClock.now() } ?? false
    }

    private mutating func pauseAndTryAgain() {
        let now = BootClock.now()
        // A connection that stood for a while was no part of the same absence.
        if absentSince == nil || (talk != nil && sentAt + .seconds(1) < now) { absentSince = now }
        talk = nil
        lookAt = .never
        tryAt = now + Standing.pause
    }

    private mutating func lost(_ error: ConnectionError) throws(Complaint) {
        guard mayWait, error == .closed, BootClock.now() < end, !isTooLongAbsent else {
            throw Complaint(error, search)
        }
        pauseAndTryAgain()
    }

    private mutating func tryAgain(_ now: Instant) throws(Complaint) {
        tryAt = .never
        do throws(Complaint) {
            talk = try Talk(search, until: now + .seconds(1))
        } catch {
            guard now < end, !isTooLongAbsent else { throw error }
            line.draw("waiting for the daemon to come back")
            pauseAndTryAgain()
            return
        }
        ask()
    }
}

// MARK: what is asked

extension Standing {
    private mutating func ask() {
        sentAt = BootClock.now()
        if mayWait, end != .never {
            // At least a little, so that it stands in line with its ID, and is told who is in the way.
            request.wait = max(.milliseconds(1), sentAt.until(end))
        }
        answerBy = end == .never ? .never : max(end, sentAt) + Talk.patience
        send(.acquire(request), Standing.tag)
        // Most grants come at once, and nobody has to read of a wait that was none.
        lookAt = mayWait && Terminal.mayDraw ? sentAt + Standing.pause : .never
    }

    private mutating func askForPlace(_ now: Instant) {
        send(.get(request.keys.first, limit: 1_000), Standing.lookTag)
        lookAt = now + .seconds(1)
    }

    private mutating func send(_ request: Request, _ tag: [UInt8]) {
        do throws(ConnectionError) {
            try talk?.connection.send(request, tag: tag, until: BootClock.now() + .seconds(1))
        } catch {
            // That nobody reads is seen when the answer does not come: ask over another connection.
            pauseAndTryAgain()
        }
    }

    /// Leaves the line. A lease that came at that very moment is given back.
    private mutating func withdraw() {
        guard let talk else { return }
        let deadline = BootClock.now() + .seconds(1)
        do throws(ConnectionError) {
            let answer = try talk.connection.ask(.cancel(Standing.tag), until: deadline)
            if answer.status == .ok { return }
            while true {
                guard case .answer(let late) = try talk.connection.next(until: deadline),
                    late.first.tag == Standing.tag
                else { continue }
                if late.status == .ok, let lease = Lease(late.first, sentAt: sentAt) {
                    _ = try talk.connection.ask(.release(ReleaseRequest(token: lease.token)), until: deadline)
                }
                return
            }
        } catch {
            // With the connection, the request goes too.
        }
    }
}

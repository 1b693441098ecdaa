// Keeps a lease while something else goes on, also over restarts of the daemon.

import Glibc
import LeaseClient
import LeaseModel
import LeaseWire

struct Renewal {
    private static let tag = Array("renew".utf8)
    private static let lookTag = Array("look".utf8)
    /// Renewals may be minutes apart, and an evicted holder is to end sooner: where the daemon does not tell,
    /// as after a restart, it is asked.
    private static let lookEvery = Duration.seconds(2)
    private static let pause = Duration.milliseconds(100)

    private let search: SocketSearch
    /// Whether the lease ends with the command, whose end is seen here as well.
    private let endsWithCommand: Bool
    private var talk: Talk?
    private(set) var lease: Lease
    /// When the renewal was sent that is not answered yet.
    private var sentAt: Instant?
    private var nextAt: Instant
    private var lookAt: Instant
    /// Its `max-hold` lets it live no longer than to its deadline.
    private var isFinal = false
    private var isOver = false

    /// `talk` is the connection that asked for the lease, and that is told of its end.
    init(_ search: SocketSearch, _ talk: Talk, _ lease: Lease, endsWithCommand: Bool = true) {
        self.search = search
        self.endsWithCommand = endsWithCommand
        self.talk = talk
        self.lease = lease
        nextAt = lease.renewAt
        lookAt = .never
    }

    var connection: Connection? { isOver ? nil : talk?.connection }

    /// When `look` is to be called, where nothing comes before.
    var wakeAt: Instant { isOver ? .never : min(lease.deadline, nextAt, lookAt) }

    /// Does what is to be done.
    /// - Returns: why the lease is lost; said once.
    mutating func look() -> String? {
        guard !isOver else { return nil }
        if let reason = takeArrivals() {
            isOver = true
            return reason
        }
        let now = BootClock.now()
        if now >= lease.deadline {
            isOver = true
            return isFinal
                ? longestLifeIsOver
                : "lease \(lease.token) could not be renewed in time: the daemon did not answer"
        }
        if now >= nextAt { renew(now) }
        if now >= lookAt { check(now) }
        return nil
    }

    private var longestLifeIsOver: String { "the longest life of lease \(lease.token) (max-hold) is over" }

    private mutating func takeArrivals() -> String? {
        while let talk {
            do throws(ConnectionError) {
                guard let arrival = try talk.connection.arrived() else { return nil }
                switch arrival {
                case .answer(let answer): if let reason = taken(answer) { return reason }
                case .event(let told): take(told)
                }
            } catch {
                hangUp()
            }
        }
        return nil
    }

    /// The end of the lease is told: why, and whose it is now, is asked.
    private mutating func take(_ told: ReplyLine) {
        if told.word.elementsEqual("lost".utf8) { lookAt = .zero }
    }

    private mutating func taken(_ answer: Answer) -> String? {
        if answer.first.tag == Renewal.lookTag {
            lookAt = BootClock.now() + Renewal.lookEvery
            if answer.status != .gone { return nil }
        }
        defer { sentAt = nil }
        switch answer.status {
        case .ok:
            lease.renewed(answer.first, sentAt: sentAt ?? .zero)
            isFinal = answer.first.value("final") != nil
            nextAt = isFinal ? .never : lease.renewAt
            return nil
        case .gone:
            // With its process: that it has ended is about to be seen here as well.
            let why = answer.first.value("why").map { String(decoding: $0, as: UTF8.self) }
            if endsWithCommand, why == "process-ended" {
                isOver = true
                return nil
            }
            return isFinal && why == "expired" ? longestLifeIsOver : Refusal.ended(answer.first)
        case .busy, .done, .err:
            // A full disk, say. The lease stands until its deadline, and the next try may do.
            nextAt = BootClock.now() + .milliseconds(500)
            return nil
        }
    }

    private mutating func hangUp() {
        talk = nil
        sentAt = nil
        // The daemon gives holders time to renew after a restart, so that comes first.
        nextAt = BootClock.now() + Renewal.pause
        lookAt = nextAt + Renewal.lookEvery
    }

    private mutating func renew(_ now: Instant) {
        if talk == nil { talk = try? Talk(search, until: now) }
        guard let talk else {
            nextAt = now + Renewal.pause
            return
        }
        sentAt = now
        nextAt = .never
        send(.renew(RenewRequest(token: lease.token)), Renewal.tag, over: talk, now)
    }

    /// Asks whether the lease is still there.
    private mutating func check(_ now: Instant) {
        lookAt = .never
        if let talk { send(.check(lease.token), Renewal.lookTag, over: talk, now) }
    }

    private mutating func send(_ request: Request, _ tag: [UInt8], over talk: Talk, _ now: Instant) {
        do throws(ConnectionError) {
            try talk.connection.send(request, tag: tag, until: now)
        } catch {
            hangUp()
        }
    }

    /// Ends the lease.
    /// - Returns: why it was lost before, where somebody else was granted a key of it meanwhile.
    mutating func release() -> String? {
        guard !isOver else { return nil }
        isOver = true
        // Without a daemon nothing is lost: it will see that the process has ended.
        let deadline = BootClock.now() + .seconds(2)
        if talk == nil { talk = try? Talk(search, until: deadline) }
        let request = Request.release(ReleaseRequest(token: lease.token))
        guard let answer = try? talk?.connection.ask(request, until: deadline),
            answer.status == .gone, answer.first.value("next") != nil,
            answer.first.value("why").map({ !$0.elementsEqual("process-ended".utf8) }) ?? false
        else { return nil }
        return Refusal.ended(answer.first)
    }

    /// Ends the lease with what the work under it came to. Over a restart of the daemon it is said again.
    /// - Returns: what the daemon says; nil where it says nothing, or the lease was lost before.
    mutating func release(with result: Text, keep: Duration?) -> Answer? {
        guard !isOver else { return nil }
        isOver = true
        let request = Request.release(ReleaseRequest(token: lease.token, result: result, keep: keep))
        let deadline = BootClock.now() + .seconds(5)
        while true {
            if talk == nil { talk = try? Talk(search, until: deadline) }
            if let answer = try? talk?.connection.ask(request, until: deadline) { return answer }
            talk = nil
            guard BootClock.now() + Renewal.pause < deadline else { return nil }
            usleep(100_000)
        }
    }
}

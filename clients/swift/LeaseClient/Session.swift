// The talk of one client with the daemon, without its socket: what to send, who is answered, when to act.

internal import LeaseModel
internal import LeaseWire

/// Used by one thread. Each step leaves its outcome in `outgoing`, `finished`, `losses` and `mustHangUp`,
/// which that thread carries out.
///
/// A connection is greeted with `whoami` before anything else: its answer shows that somebody is there, and
/// says which pid of ours the daemon sees.
struct Session {
    enum Phase: Equatable {
        /// Nobody needs a connection.
        case idle
        /// There is none, and one is to be tried for at this instant of the real clock.
        case apart(tryAt: Instant)
        case greeting
        case ready
    }

    let patience: Duration
    /// The lease clock is moved by hand, so no time-out may count on it.
    let isManual: Bool
    var phase = Phase.idle
    var calls: [String: Call] = [:]
    /// Tags of calls that are to be sent, in their order.
    var unsent: [String] = []
    var held: [Token: HeldLease] = [:]
    /// Releases that wait until a renewal is over.
    var parked: [Token: String] = [:]
    var settlers: [CallHandle] = []

    /// No timer of a call is due before, nor any of a lease. They may be earlier than the first one is.
    var nextReal = Instant.never
    var nextLease = Instant.never

    private var path = ""
    private var lastOutage: Outage?
    private var failures = 0
    /// Whether there ever was a daemon.
    private var hasBeenReady = false
    /// The daemon grants nothing more on this connection.
    var isDraining = false
    /// Our pid as the daemon sees it, where a lease can be bound to it.
    var ownPID: Int32?
    private var mayBind = true

    var outgoing: [UInt8] = []
    var finished: [(CallHandle, Outcome)] = []
    var losses: [(LeaseRecord, Loss)] = []
    var mustHangUp = false

    init(patience: Duration, isManual: Bool) {
        self.patience = patience
        self.isManual = isManual
    }

    /// When the thread has to look again without anything having come, on the real clock.
    var nextWake: Instant {
        let timers = isManual ? nextReal : min(nextReal, nextLease)
        return if case .apart(let tryAt) = phase { min(timers, tryAt) } else { timers }
    }

    private var needsConnection: Bool { !calls.isEmpty || !held.isEmpty || !settlers.isEmpty }
}

// MARK: - The connection

extension Session {
    mutating func connected(to path: String, _ now: Moment) {
        phase = .greeting
        self.path = path
        isDraining = false
        outgoing = []
        append(.whoami, tag: "w")
    }

    mutating func couldNotConnect(_ outage: Outage, isHopeless: Bool, _ now: Moment) {
        lastOutage = outage
        if isHopeless, !hasBeenReady {
            for call in calls.values.sorted(by: Session.isEarlier) {
                end(call, .unavailable(outage))
            }
        }
        tryAgainLater(now)
    }

    /// The connection is gone, whoever closed it. What can be asked again is sent on the next one: releases
    /// first, since behind hundreds of requests that wait they might not be looked at before that one is gone
    /// as well, and what they free is what all those wait for.
    mutating func disconnected(_ now: Moment) {
        if phase == .ready || lastOutage == nil { lastOutage = .gone(path: path) }
        outgoing = []
        mustHangUp = false
        let known = calls.values.sorted(by: Session.isEarlier)
        unsent = []
        parked = [:]
        for var call in known {
            if call.sentAt != nil, case .single = call.kind {
                end(call, .unavailable(.gone(path: path)))
                continue
            }
            if call.sentAt != nil { call.giveUpAt = now.real + patience }
            call.sentAt = nil
            if call.isWithdrawn { call.waitEnd = nil }
            store(call)
            unsent.append(call.tag)
        }
        let releases = unsent.filter { calls[$0]?.isRelease == true }
        unsent = releases + unsent.filter { calls[$0]?.isRelease != true }
        for token in held.keys {
            held[token]?.renewalSentAt = nil
        }
        tryAgainLater(now)
    }

    private mutating func tryAgainLater(_ now: Moment) {
        guard needsConnection else {
            phase = .idle
            return
        }
        let delay = Duration.milliseconds(min(200, 10 << Int64(min(failures, 5))))
        failures += 1
        phase = .apart(tryAt: now.real + delay)
    }

    mutating func need(_ now: Moment) {
        if phase == .idle { phase = .apart(tryAt: now.real) }
    }

    private mutating func greeted(_ answer: Answer) {
        phase = .ready
        hasBeenReady = true
        failures = 0
        lastOutage = nil
        let pid = answer.first.number("pid").flatMap { Int32(exactly: $0) } ?? 0
        ownPID = mayBind && pid > 0 ? pid : nil
        // Renewals may have become due meanwhile.
        nextLease = .zero
    }

    /// The daemon can't look at our process, or may not: leases end with their ttl alone.
    mutating func stopBinding() {
        mayBind = false
        ownPID = nil
    }

    /// Why a call that is given up got no answer.
    func outage(of call: Call) -> Outage {
        // What it said when it refused us tells more than that it says nothing this time.
        if call.sentAt == nil, let lastOutage {
            if case .refused = lastOutage { return lastOutage }
            if phase != .greeting { return lastOutage }
        }
        return .silent(path: path)
    }
}

// MARK: - What comes

extension Session {
    mutating func arrived(_ answer: Answer, _ now: Moment) {
        let tag = String(decoding: answer.first.tag, as: UTF8.self)
        switch tag.utf8.first {
        case nil: refusedAsAWhole(answer)
        case UInt8(ascii: "w"): greeted(answer)
        case UInt8(ascii: "r"): renewalAnswered(tag, answer, now)
        // Of `cancel`: the request that was withdrawn gets its own reply.
        case UInt8(ascii: "c"): break
        default: if let call = calls[tag] { callAnswered(call, answer, now) }
        }
    }

    /// All our requests have tags, so this is about the connection.
    private mutating func refusedAsAWhole(_ answer: Answer) {
        guard answer.status == .err else { return }
        lastOutage = .refused(path: path, code: answer.first.word, message: answer.first.message)
        mustHangUp = true
    }

    mutating func refusedToGrant(code: StaticString, message: StaticString) {
        let bytes = { (text: StaticString) in
            Array(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
        lastOutage = .refused(path: path, code: bytes(code), message: bytes(message))
    }
}

// MARK: - Pieces

extension Session {
    static func isEarlier(_ left: Call, _ right: Call) -> Bool {
        left.handle.id < right.handle.id
    }

    mutating func append(_ request: Request, tag: String) {
        RequestWriter.append(request, tag: Array(tag.utf8).span, to: &outgoing)
    }

    mutating func store(_ call: Call) {
        calls[call.tag] = call
        nextReal = min(nextReal, call.giveUpAt)
    }

    mutating func end(_ call: Call, _ outcome: Outcome) {
        calls[call.tag] = nil
        let isUndone =
            switch call.kind {
            case .undoing: true
            case .acquire: call.isWithdrawn
            case .repeatable, .single: false
            }
        finished.append((call.handle, isUndone ? .cancelled : outcome))
    }
}

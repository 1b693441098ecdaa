// The leases of a session: renewed while they are held, lost when their time is over.

internal import LeaseModel
internal import LeaseWire

/// A lease that is renewed until it is released or lost. All instants are of the lease clock.
struct HeldLease {
    let record: LeaseRecord
    var deadline: Instant
    var renewAt: Instant
    /// Of the renewal that is not answered yet.
    var renewalSentAt: Instant?

    /// It is renewed when a third of its time is over, so that two further attempts can fail.
    init(_ record: LeaseRecord, deadline: Instant, ttl: Duration, countedFrom: Instant) {
        self.record = record
        self.deadline = deadline
        renewAt = countedFrom + HeldLease.third(of: ttl)
    }

    static func third(of ttl: Duration) -> Duration {
        Duration(nanoseconds: ttl.nanoseconds / 3)
    }

    /// The next instant at which something is to be done.
    func next(isReady: Bool) -> Instant {
        isReady && renewalSentAt == nil ? min(renewAt, deadline) : deadline
    }
}

extension Session {
    mutating func renewDue(_ now: Moment) {
        guard now.lease >= nextLease else { return }
        nextLease = .never
        for token in held.keys.sorted() {
            guard var lease = held[token] else { continue }
            if lease.deadline <= now.lease {
                held[token] = nil
                losses.append((lease.record, lease.record.lossAtDeadline))
                continue
            }
            if phase == .ready, lease.renewalSentAt == nil, lease.renewAt <= now.lease {
                lease.renewalSentAt = now.lease
                append(.renew(RenewRequest(token: token)), tag: "r\(token)")
                held[token] = lease
            }
            nextLease = min(nextLease, lease.next(isReady: phase == .ready))
        }
    }

    mutating func renewalAnswered(_ tag: String, _ answer: Answer, _ now: Moment) {
        guard let token = Token(tag.dropFirst()) else { return }
        if let release = parked.removeValue(forKey: token) { unsent.append(release) }
        guard var lease = held[token], let sentAt = lease.renewalSentAt else { return }
        lease.renewalSentAt = nil
        switch answer.status {
        case .ok, .done, .busy:
            let ttl = Duration.milliseconds(answer.first.milliseconds("ttl") ?? 0)
            lease.deadline = sentAt + ttl
            let isFinal = answer.first.value("final") != nil
            lease.renewAt = isFinal ? .never : sentAt + HeldLease.third(of: ttl)
            lease.record.extend(to: lease.deadline, isFinal: isFinal)
        case .gone:
            held[token] = nil
            losses.append((lease.record, Loss(answer.first)))
            return
        case .err:
            // A full disk, say: as long as there is time, it may yet work.
            let left = now.lease.until(lease.deadline)
            let pause = Duration(nanoseconds: left.nanoseconds / 8)
            lease.renewAt = now.lease + min(max(pause, .milliseconds(20)), .seconds(1))
        }
        held[token] = lease
        nextLease = min(nextLease, lease.next(isReady: true))
    }

    /// Whether everything is done that is due at this instant of the lease clock.
    private func isSettled(_ now: Moment) -> Bool {
        guard !held.isEmpty || !calls.isEmpty else { return true }
        guard phase == .ready, parked.isEmpty, unsent.isEmpty || isDraining else { return false }
        return held.values.allSatisfy { $0.renewalSentAt == nil && $0.next(isReady: true) > now.lease }
    }

    mutating func settle(_ now: Moment) {
        guard !settlers.isEmpty, isSettled(now) else { return }
        let next = held.values.map { $0.next(isReady: true) }.min() ?? .never
        for settler in settlers {
            finished.append((settler, .settled(next: next)))
        }
        settlers = []
    }
}

extension Loss {
    static let unanswered = Loss(reason: nil, next: 0)
    static let expired = Loss(reason: Array("expired".utf8), next: 0)

    init(_ gone: ReplyLine) {
        self.init(reason: gone.value("why") ?? [], next: gone.number("next") ?? 0)
    }
}

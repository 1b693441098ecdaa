// What is told, as the naive model has it: to whom, and in which order.

import LeaseModel

struct NaiveSubscriber: Equatable {
    var connection: UInt64
    /// Of the request that asked: its tag.
    var handle: Int
}

enum NaiveTelling: Equatable {
    case answer(NaiveAnswer)
    /// With no number of its own.
    case event(Event)
    case notice(NaiveSubscriber, Notice)
}

// Events.
extension Naive {
    mutating func tell(_ what: Event.What, _ lease: NaiveLease) {
        tell(what, lease, note: lease.grant.note)
    }

    mutating func tell(_ what: Event.What, _ lease: NaiveLease, note: Text?) {
        let grant = lease.grant
        tellings.append(
            .event(
                Event(
                    sequence: 0, at: clock, what: what, keys: grant.keys, token: grant.token,
                    owner: grant.owner, uid: grant.uid, pid: grant.pid, isShared: grant.isShared,
                    isEphemeral: grant.isEphemeral, whilePID: grant.process?.pid, note: note)))
    }

    mutating func tell(_ what: Event.What, _ result: KeptResult, _ keys: Keys) {
        tellings.append(
            .event(
                Event(
                    sequence: 0, at: clock, what: what, keys: keys, token: result.token, owner: result.owner,
                    uid: result.uid, pid: result.pid, isShared: false)))
    }

    mutating func tell(_ what: Event.What, _ waiter: NaiveWaiter) {
        tellings.append(
            .event(
                Event(
                    sequence: 0, at: clock, what: what, keys: waiter.request.keys, token: 0,
                    owner: waiter.owner, uid: waiter.uid, pid: waiter.pid,
                    isShared: waiter.request.isShared)))
    }

    /// One leaves the line without a grant.
    mutating func leave(_ waiter: NaiveWaiter, _ reason: LeaveReason) {
        tell(.left(reason, waited: waiter.arrivedAt.until(clock)), waiter)
        waiters.removeAll { $0.arrival == waiter.arrival }
    }

    /// The furthest behind of its places.
    func position(_ waiter: NaiveWaiter) -> Int {
        waiter.request.keys.all.map { key in
            let queue = line.filter { $0.request.keys.all.contains(key) }
            return 1 + queue.firstIndex { $0.arrival == waiter.arrival }!
        }.max()!
    }
}

// Notices.
extension Naive {
    mutating func enter(_ waiter: NaiveWaiter) {
        waiters.append(waiter)
        for place in waiters.indices where position(waiters[place]) > 1 {
            waiters[place].isToldFirst = false
        }
        tell(.queued(position: position(waiter), priority: waiter.request.priority), waiter)
        tellPlace(waiter.arrival)
    }

    mutating func tellPlace(_ arrival: Int) {
        let place = waiters.firstIndex { $0.arrival == arrival }!
        guard let subscriber = waiters[place].subscriber else { return }
        let position = position(waiters[place])
        waiters[place].isToldFirst = position == 1
        tellings.append(.notice(subscriber, .queued(waiters[place].request.keys, position: position)))
    }

    mutating func tellWhoIsFirst() {
        for waiter in line where !waiter.isToldFirst && waiter.subscriber != nil && position(waiter) == 1 {
            tellPlace(waiter.arrival)
        }
    }

    mutating func subscribe(_ subscriber: NaiveSubscriber, to token: Token) {
        let place = leases.firstIndex { $0.grant.token == token }!
        leases[place].subscriber = subscriber
        arm(place)
    }

    /// A new deadline: a warning before it, now if it is that near.
    mutating func arm(_ place: Int) {
        guard leases[place].subscriber != nil else { return }
        leases[place].isWarned = false
        if leases[place].warning <= clock { warn(place) }
    }

    mutating func warn(_ place: Int) {
        leases[place].isWarned = true
        let left = clock.until(leases[place].end)
        guard left > .zero else { return }
        tellings.append(
            .notice(leases[place].subscriber!, .expiring(leases[place].grant.token, left: left)))
    }

    mutating func unsubscribeAll(_ connection: UInt64) {
        for place in leases.indices where leases[place].subscriber?.connection == connection {
            leases[place].subscriber = nil
        }
    }
}

extension NaiveLease {
    /// When a fifth of the ttl is left.
    var warning: Instant { end - Duration(nanoseconds: grant.ttl.nanoseconds / 5) }
    /// nil: none is due.
    var nextWarning: Instant? { subscriber == nil || isWarned ? nil : warning }
}

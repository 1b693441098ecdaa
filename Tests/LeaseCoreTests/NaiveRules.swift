// The policy's rules in the plainest way: what rests, what a rate counts, full lines, and another policy.

import LeaseModel

struct NaiveRest {
    var token: Token
    var key: Key
    var until: Instant
}

/// A grant of one key.
struct NaiveCounted {
    var key: Key
    var token: Token
    var at: Instant
}

extension Naive {
    func unknown(_ key: Key) -> UnknownKey? {
        do throws(UnknownKey) {
            _ = try policy.rules(for: key)
            return nil
        } catch {
            return error
        }
    }

    /// The rests of a key, in the order of their ends.
    func resting(_ key: Key) -> [NaiveRest] {
        rests.filter { $0.key == key }.sorted { ($0.until, $0.token) < ($1.until, $1.token) }
    }

    /// When each counted grant leaves its window.
    var windows: [(key: Key, token: Token, end: Instant)] {
        counted.map { ($0.key, $0.token, $0.at + (rules($0.key).rate?.window ?? .zero)) }
    }

    /// When those that count leave the window.
    func inWindow(_ key: Key) -> [Instant] {
        windows.filter { $0.key == key }.map(\.end).sorted()
    }

    /// When its rate allows another grant; nil: it does now.
    func nextGrant(_ key: Key) -> Duration? {
        let left = rules(key).rate.map { $0.grants - inWindow(key).count } ?? 1
        return left > 0 ? nil : retry(key, .rate, isShared: false)
    }

    func retry(_ key: Key, _ reason: BusyReason, isShared: Bool) -> Duration? {
        switch reason {
        case .resting:
            let exclusive = holders(key).count { !$0.grant.isShared }
            let ends = resting(key)
            let rank = isShared ? ends.count - 1 : max(0, exclusive + ends.count - rules(key).limit)
            return clock.until(ends[rank].until)
        case .rate:
            let ends = inWindow(key)
            return clock.until(ends[ends.count - rules(key).rate!.grants])
        default: return nil
        }
    }

    /// What there is from the grant to the deadline if nobody renews.
    func life(_ grant: Grant) -> Duration {
        min(grant.ttl, grant.maxHold ?? .forever)
    }

    func ruleRefusal(_ request: AcquireRequest) -> Refusal? {
        let waits = request.keys.all.compactMap { key in rules(key).maxWait.map { (key, $0) } }
        if let (key, bound) = waits.min(by: { $0.1 < $1.1 }), request.wait > bound {
            return .waitTooLong(key, max: bound)
        }
        let priorities = request.keys.all.compactMap { key in rules(key).maxPriority.map { (key, $0) } }
        if let (key, bound) = priorities.min(by: { $0.1 < $1.1 }), request.priority > bound {
            return .priorityTooHigh(key, max: bound)
        }
        return nil
    }

    /// Pushes out who has stood longest in each full line, or says which line takes nobody.
    mutating func makePlace(_ keys: Keys) -> Reply? {
        func line(_ key: Key) -> [NaiveWaiter] {
            waiters.filter { $0.request.keys.all.contains(key) && !$0.request.joins }
        }
        func isFull(_ key: Key) -> Bool { line(key).count >= rules(key).queue ?? .max }
        for key in keys.all where isFull(key) && (rules(key).overflow == .refuse || rules(key).queue == 0) {
            return busy(key, .queueFull)
        }
        for key in keys.all where isFull(key) {
            giveUp(line(key).min { $0.arrival < $1.arrival }!, .dropped, .dropped)
        }
        return nil
    }

    /// Begins the rests of a lease that has ended, and says how long they are.
    mutating func rest(_ grant: Grant) -> [Duration] {
        let spans = grant.keys.all.map { rules($0).lockDelay ?? .zero }
        guard spans.contains(where: { $0 > .zero }) else { return [] }
        for (key, span) in zip(grant.keys.all, spans) where span > .zero {
            rests.append(NaiveRest(token: grant.token, key: key, until: clock + span))
        }
        return spans
    }

    /// A renewal lasts its ttl, or up to the longest life, or, where a grace goes beyond that, as long.
    mutating func setDeadline(_ place: Int) -> Reply {
        let lease = leases[place]
        let wanted = clock + lease.grant.ttl
        let last = lease.grant.maxHold.map { lease.grantedAt + $0 } ?? .never
        let isFinal = wanted > last
        leases[place].own = min(wanted, last)
        leases[place].deadline = isFinal ? max(last, min(wanted, lease.deadline)) : wanted
        return .renewed(
            token: lease.grant.token, ttl: clock.until(leases[place].deadline), isFinal: isFinal)
    }

    mutating func reload(_ policy: Policy) {
        self.policy = policy
        counted = counted.filter { grant in
            rules(grant.key).rate.map { grant.at + $0.window > clock } ?? false
        }
        for waiter in line {
            guard let key = waiter.request.keys.all.first(where: { unknown($0) != nil }),
                let error = unknown(key)
            else { continue }
            answer(waiter, .refused(.unknownKey(key, error)))
            leave(waiter, .unknownKind)
        }
        settle()
    }
}

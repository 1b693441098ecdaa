// What the locks mean, told a second time in the plainest way: rows that are searched from end to end. It
// shares nothing with the core but the words.

import LeaseModel

struct NaiveLease {
    var grant: Grant
    var grantedAt: Instant
    /// As last granted or renewed.
    var own: Instant
    var deadline: Instant
    var connection: UInt64?
    var orphanedAt: Instant?
    var orphanedUntil: Instant?
    var subscriber: NaiveSubscriber?
    var isWarned = false

    var end: Instant { min(deadline, orphanedUntil ?? .never) }
    var reason: EndReason { end == deadline ? .expired : .disconnected }
}

struct NaiveEnded {
    var grant: Grant
    var reason: EndReason
    var at: Instant
    var isTakenBack: Bool
    /// How many grants there had been.
    var grantsThen: Int
}

struct NaiveWaiter {
    /// The request whose answer it waits for: a retry's, once there was one.
    var handle: Int
    /// The first request's.
    var arrival: Int
    var uid: UInt32
    var pid: Int32
    var owner: Text
    var connection: UInt64
    var request: AcquireRequest
    var process: ProcessIdentity?
    var arrivedAt: Instant
    /// By when it counts as having come.
    var countsFrom: Int64
    var until: Instant
    var subscriber: NaiveSubscriber?
    var isToldFirst = false
}

enum NaiveOutcome: Equatable {
    case reply(Reply)
    case waits(Int)
    case needsProcess(Int32)
}

struct NaiveAnswer: Equatable {
    var handle: Int
    var reply: Reply
    var connection: UInt64
}

/// Who asks.
struct NaiveCaller {
    var connection: UInt64
    var peer: Peer

    func subscriber(_ handle: Int) -> NaiveSubscriber {
        NaiveSubscriber(connection: connection, handle: handle)
    }
}

struct Naive {
    var policy: Policy
    let limits: Limits
    var clock = Instant.zero
    var leases: [NaiveLease] = []
    var ended: [NaiveEnded] = []
    /// All grants there have been.
    var grants: [(token: Token, keys: [Key])] = []
    var waiters: [NaiveWaiter] = []
    var results: [NaiveResult] = []
    var rests: [NaiveRest] = []
    /// Grants, for each of their keys, since the last start.
    var counted: [NaiveCounted] = []
    var lastToken: Token = 0
    var isFull = false
    var isDraining = false
    /// What was told since somebody looked.
    var tellings: [NaiveTelling] = []
    /// What has happened to leases since somebody looked.
    var changes: [Change] = []

    init(policy: Policy, limits: Limits) {
        self.policy = policy
        self.limits = limits
    }

    func rules(_ key: Key) -> Rules {
        (try? policy.rules(for: key)) ?? Rules()
    }

    /// The line: by when they count as having come, then by who came first.
    var line: [NaiveWaiter] {
        waiters.sorted { ($0.countsFrom, $0.arrival) < ($1.countsFrom, $1.arrival) }
    }

    func holders(_ key: Key) -> [NaiveLease] {
        leases.filter { $0.grant.keys.all.contains(key) }
            .sorted { ($0.end, $0.grant.token) < ($1.end, $1.grant.token) }
    }

    var next: Instant? {
        let ends = leases.map(\.end) + leases.compactMap(\.nextWarning) + rests.map(\.until)
            + windows.map(\.end) + results.map(\.end)
        return (ends + waiters.map(\.until).filter { $0 != .never }).min()
    }

    var processes: Set<ProcessIdentity> {
        Set(leases.compactMap(\.grant.process) + waiters.compactMap(\.process))
    }
}

// Who is in the way of whom.
extension Naive {
    /// After everybody before it had got a slot, were one left?
    func obstacle(
        _ key: Key, isShared: Bool, joins: Bool, from countsFrom: Int64, _ arrival: Int
    ) -> BusyReason? {
        let limit = joins ? 1 : rules(key).limit
        let exclusive = holders(key).count { !$0.grant.isShared }
        if isShared, exclusive > 0 { return .held }
        if !isShared {
            if holders(key).contains(where: \.grant.isShared) { return .held }
            if exclusive >= limit { return limit == 1 ? .held : .limit }
        }
        let taken = exclusive + resting(key).count
        if isShared ? taken > 0 : taken >= limit { return .resting }
        let left = rules(key).rate.map { max(0, $0.grants - inWindow(key).count) } ?? .max
        if left == 0 { return .rate }
        let before = waiters.filter {
            $0.request.keys.all.contains(key) && ($0.countsFrom, $0.arrival) < (countsFrom, arrival)
        }
        if before.count >= left { return .queued }
        if isShared {
            return before.contains { !$0.request.isShared } ? .queued : nil
        }
        if before.contains(where: \.request.isShared) { return .queued }
        return taken + before.count >= limit ? .queued : nil
    }

    func obstacle(_ waiter: NaiveWaiter) -> (Key, BusyReason)? {
        for key in waiter.request.keys.all {
            let reason = obstacle(
                key, isShared: waiter.request.isShared, joins: waiter.request.joins,
                from: waiter.countsFrom, waiter.arrival)
            if let reason { return (key, reason) }
        }
        return nil
    }

    func busy(_ key: Key, _ reason: BusyReason, waited: Duration? = nil, isShared: Bool = false) -> Reply {
        let first = holders(key).first.map {
            HolderView(
                token: $0.grant.token, owner: $0.grant.owner, pid: $0.grant.pid, uid: $0.grant.uid,
                age: $0.grantedAt.until(clock), left: clock.until($0.end), isShared: $0.grant.isShared)
        }
        let queue = line.filter { $0.request.keys.all.contains(key) }
        // Who leaves the line is none of those who wait; a retry goes on waiting in the place of the first.
        let hasLeft = waited != nil && reason != .superseded
        return .busy(
            Busy(
                key: key, reason: reason, holder: first, ahead: reason == .queued ? queue.first?.owner : nil,
                retry: retry(key, reason, isShared: isShared), limit: rules(key).limit,
                waiting: queue.count - (hasLeft ? 1 : 0), waited: waited))
    }

    /// Grants whoever is first of those that can be granted, until nobody can.
    mutating func settle() {
        while !isFull, let waiter = line.first(where: { obstacle($0) == nil }) {
            waiters.removeAll { $0.arrival == waiter.arrival }
            let before = tellings.count
            let waited = waiter.arrivedAt.until(clock)
            let grant = grant(
                waiter.request, uid: waiter.uid, pid: waiter.pid, owner: waiter.owner, waiter.process,
                waiter.connection, waited: waited)
            if let subscriber = waiter.subscriber { subscribe(subscriber, to: grant.token) }
            let reply = Reply.granted(
                token: grant.token, ttl: life(grant), waited: waiter.arrivedAt.until(clock), again: false)
            // Before the event of the grant.
            answer(waiter, reply)
            tellings.insert(tellings.removeLast(), at: before)
        }
        tellWhoIsFirst()
    }

    mutating func grant(
        _ request: AcquireRequest, uid: UInt32, pid: Int32, owner: Text, _ process: ProcessIdentity?,
        _ connection: UInt64, waited: Duration? = nil
    ) -> Grant {
        lastToken += 1
        let grant = Grant(
            token: lastToken, keys: request.keys, owner: owner, uid: uid, pid: pid, ttl: ttl(request),
            maxHold: request.keys.all.compactMap { rules($0).maxHold }.min(),
            isShared: request.isShared, isEphemeral: request.isEphemeral, process: process,
            request: request.request, note: request.note)
        let end = clock + life(grant)
        leases.append(
            NaiveLease(
                grant: grant, grantedAt: clock, own: end, deadline: end,
                connection: request.isEphemeral ? connection : nil))
        grants.append((lastToken, request.keys.all))
        changes.append(.granted(grant))
        tell(.granted(ttl: life(grant), waited: waited), leases.last!)
        for key in request.keys.all where rules(key).rate != nil {
            counted.append(NaiveCounted(key: key, token: lastToken, at: clock))
        }
        return grant
    }

    /// The smallest default among the keys, 30 s where there is none, and never more than is allowed.
    func ttl(_ request: AcquireRequest) -> Duration {
        if let ttl = request.ttl { return ttl }
        let all = request.keys.all.map { rules($0) }
        let smallest = all.compactMap(\.defaultTTL).min() ?? .seconds(30)
        return min(smallest, all.compactMap(\.maxTTL).min() ?? .forever)
    }

    func ttlRefusal(_ ttl: Duration?, _ keys: Keys) -> Refusal? {
        let bounds = keys.all.compactMap { key in rules(key).maxTTL.map { (key, $0) } }
        guard let ttl, let (key, bound) = bounds.min(by: { $0.1 < $1.1 }), ttl > bound else { return nil }
        return .ttlTooLong(key, max: bound)
    }

    mutating func answer(_ waiter: NaiveWaiter, _ reply: Reply) {
        tellings.append(
            .answer(NaiveAnswer(handle: waiter.handle, reply: reply, connection: waiter.connection)))
    }

    /// One goes without a grant.
    mutating func giveUp(_ waiter: NaiveWaiter, _ reason: BusyReason, _ leaves: LeaveReason) {
        let key = obstacle(waiter)?.0 ?? waiter.request.keys.first
        answer(waiter, busy(key, reason, waited: waiter.arrivedAt.until(clock)))
        leave(waiter, leaves)
    }
}

// Requests.
extension Naive {
    mutating func acquire(
        _ request: AcquireRequest, _ report: NaiveReport, _ caller: NaiveCaller, handle: Int
    ) -> NaiveOutcome {
        if let id = request.request, let outcome = retry(request, id, caller, handle) { return outcome }
        for key in request.keys.all {
            do throws(UnknownKey) {
                _ = try policy.rules(for: key)
            } catch {
                return .reply(.refused(.unknownKey(key, error)))
            }
        }
        if let problem = joinProblem(request) { return .reply(.refused(.cannotJoin(problem))) }
        let done = keptAnswer(request)
        if isDraining, done == nil { return .reply(busy(request.keys.first, .draining)) }
        if let refusal = ttlRefusal(request.ttl, request.keys) ?? ruleRefusal(request) {
            return .reply(.refused(refusal))
        }
        if let outcome = processOutcome(request.whilePID, report, caller) { return outcome }
        if let done { return done }
        let process = request.whilePID == nil ? nil : report.identity
        let countsFrom = clock.nanoseconds - Int64(request.priority) * 10_000_000_000
        let waiter = NaiveWaiter(
            handle: handle, arrival: handle, uid: caller.peer.uid, pid: caller.peer.pid,
            owner: request.owner ?? caller.peer.defaultOwner, connection: caller.connection, request: request,
            process: process, arrivedAt: clock, countsFrom: countsFrom,
            until: request.wait == .forever ? .never : clock + request.wait,
            subscriber: request.notifies ? caller.subscriber(handle) : nil)
        let first = tellings.count
        if let (key, reason) = obstacle(waiter) {
            if request.wait == .zero {
                return .reply(busy(key, reason, isShared: request.isShared))
            }
            if !request.joins, let refused = makePlace(request.keys) { return .reply(refused) }
        }
        guard obstacle(waiter) == nil else {
            enter(waiter)
            // What its own connection is told comes before what others are.
            if request.notifies { tellings.insert(tellings.removeLast(), at: first) }
            settle()
            return .waits(handle)
        }
        if isFull {
            // Somebody may have been pushed out for nothing.
            settle()
            return .reply(.refused(.noSpace))
        }
        let grant = grant(
            request, uid: waiter.uid, pid: waiter.pid, owner: waiter.owner, process, caller.connection)
        if request.notifies { subscribe(caller.subscriber(handle), to: grant.token) }
        settle()
        let waited: Duration? = request.wait > .zero ? .zero : nil
        return .reply(.granted(token: grant.token, ttl: life(grant), waited: waited, again: false))
    }

    private func processOutcome(_ pid: Int32?, _ report: NaiveReport, _ caller: NaiveCaller) -> NaiveOutcome?
    {
        guard let pid else { return nil }
        switch report {
        case .notLookedAt: return .needsProcess(pid)
        case .dead: return .reply(.refused(.noProcess(pid)))
        case .alive(_, let uid):
            let mayName = uid == caller.peer.uid || caller.peer.uid == 0
            return mayName ? nil : .reply(.refused(.processOfAnother(pid)))
        }
    }

    private mutating func retry(
        _ request: AcquireRequest, _ id: Text, _ caller: NaiveCaller, _ handle: Int
    ) -> NaiveOutcome? {
        func differs(_ keys: Keys, _ isShared: Bool) -> Bool {
            Set(keys.all) != Set(request.keys.all) || isShared != request.isShared
        }
        let uid = caller.peer.uid
        if let place = leases.firstIndex(where: { $0.grant.uid == uid && $0.grant.request == id }) {
            let lease = leases[place]
            if differs(lease.grant.keys, lease.grant.isShared) {
                return .reply(.refused(.requestDiffers(id)))
            }
            if lease.grant.isEphemeral {
                if isFull, lease.orphanedAt != nil { return .reply(.refused(.noSpace)) }
                if lease.orphanedAt != nil { changes.append(.bound(lease.grant.token)) }
                adopt(place, caller.connection)
            }
            if request.notifies { subscribe(caller.subscriber(handle), to: lease.grant.token) }
            let left = clock.until(lease.deadline)
            return .reply(.granted(token: lease.grant.token, ttl: left, waited: nil, again: true))
        }
        if let place = waiters.firstIndex(where: { $0.uid == uid && $0.request.request == id }) {
            let waiter = waiters[place]
            if differs(waiter.request.keys, waiter.request.isShared) {
                return .reply(.refused(.requestDiffers(id)))
            }
            let key = obstacle(waiter)?.0 ?? waiter.request.keys.first
            answer(waiter, busy(key, .superseded, waited: waiter.arrivedAt.until(clock)))
            waiters[place].handle = handle
            waiters[place].connection = caller.connection
            if request.notifies {
                waiters[place].subscriber = caller.subscriber(handle)
                tellPlace(waiter.arrival)
            }
            return .waits(handle)
        }
        let match = ended.last { $0.grant.uid == uid && $0.grant.request == id && !$0.isTakenBack }
        guard let match else { return nil }
        if differs(match.grant.keys, match.grant.isShared) { return .reply(.refused(.requestDiffers(id))) }
        return .reply(gone(match.grant.token))
    }

    private mutating func adopt(_ place: Int, _ connection: UInt64) {
        leases[place].connection = connection
        leases[place].orphanedAt = nil
        leases[place].orphanedUntil = nil
    }

    func gone(_ token: Token) -> Reply {
        guard let lease = ended.last(where: { $0.grant.token == token }) else {
            return .gone(Gone(token: token, reason: nil, ago: .zero, next: 0))
        }
        let since = grants[lease.grantsThen...].filter {
            !Set($0.keys).isDisjoint(with: lease.grant.keys.all)
        }
        return .gone(
            Gone(
                token: token, reason: lease.reason, ago: lease.at.until(clock),
                next: since.map(\.token).max() ?? 0))
    }

    func refusal(_ token: Token, _ caller: NaiveCaller) -> Reply? {
        guard let lease = leases.first(where: { $0.grant.token == token }) else { return gone(token) }
        if lease.grant.uid == caller.peer.uid || caller.peer.isAdministrator { return nil }
        return .refused(.forbidden(token, uid: lease.grant.uid))
    }

    mutating func renew(_ request: RenewRequest, _ report: NaiveReport, _ caller: NaiveCaller) -> NaiveOutcome
    {
        if let reply = refusal(request.token, caller) { return .reply(reply) }
        let place = leases.firstIndex { $0.grant.token == request.token }!
        if let refusal = ttlRefusal(request.ttl, leases[place].grant.keys) {
            return .reply(.refused(refusal))
        }
        if let outcome = processOutcome(request.whilePID, report, caller) { return outcome }
        if isFull { return .reply(.refused(.noSpace)) }
        let before = leases[place]
        let renewal = Renewal(
            token: request.token, ttl: request.ttl ?? before.grant.ttl, bindsConnection: request.isEphemeral,
            process: request.whilePID == nil ? nil : report.identity)
        leases[place].grant = before.grant.renewed(by: renewal)
        if request.isEphemeral { adopt(place, caller.connection) }
        changes.append(.renewed(renewal))
        let reply = setDeadline(place)
        let left = clock.until(before.deadline)
        let ttl = clock.until(leases[place].deadline)
        tell(.renewed(ttl: ttl, formerTTL: before.grant.ttl, left: left), leases[place])
        arm(place)
        return .reply(reply)
    }

    mutating func evict(_ token: Token, note: Text?, by connection: UInt64) -> Reply {
        guard leases.contains(where: { $0.grant.token == token }) else { return gone(token) }
        if note != nil, isFull { return .refused(.noSpace) }
        return .released(token: token, held: end(token, .evicted, by: connection, note: note))
    }

    func check(_ token: Token) -> Reply {
        guard let lease = leases.first(where: { $0.grant.token == token }) else { return gone(token) }
        return .checked(view(lease))
    }

    mutating func cancel(_ handle: Int) {
        guard let waiter = waiters.first(where: { $0.handle == handle }) else { return }
        giveUp(waiter, .cancelled, .cancelled)
        settle()
    }
}

/// What is known of a process that a request names.
enum NaiveReport {
    case notLookedAt
    case alive(ProcessIdentity, uid: UInt32)
    case dead

    var identity: ProcessIdentity? {
        if case .alive(let identity, _) = self { identity } else { nil }
    }
}

// What happens by itself.
extension Naive {
    @discardableResult
    mutating func end(
        _ token: Token, _ reason: EndReason, by asker: UInt64? = nil, isTakenBack: Bool = false,
        note: Text? = nil
    ) -> Duration {
        let held = endWithoutNext(token, reason, by: asker, isTakenBack: isTakenBack, note: note)
        settle()
        return held
    }

    @discardableResult
    mutating func endWithoutNext(
        _ token: Token, _ reason: EndReason, by asker: UInt64? = nil, isTakenBack: Bool = false,
        note: Text? = nil
    ) -> Duration {
        let lease = leases.first { $0.grant.token == token }!
        leases.removeAll { $0.grant.token == token }
        var ending = Ending(token: token, reason: reason, isTakenBack: isTakenBack, note: note)
        if isTakenBack { counted.removeAll { $0.token == token } }
        if !isTakenBack, !lease.grant.isShared, [.expired, .disconnected].contains(reason) {
            ending.rests = rest(lease.grant)
        }
        changes.append(.ended(ending))
        tell(.ended(reason, held: lease.grantedAt.until(clock)), lease, note: note)
        if let subscriber = lease.subscriber, subscriber.connection != asker {
            tellings.append(.notice(subscriber, .lost(token, reason)))
        }
        ended.append(
            NaiveEnded(
                grant: lease.grant, reason: reason, at: clock, isTakenBack: isTakenBack,
                grantsThen: grants.count))
        return lease.grantedAt.until(clock)
    }

    mutating func takeBack(_ token: Token) {
        guard leases.contains(where: { $0.grant.token == token }) else { return }
        end(token, .disconnected, isTakenBack: true)
    }

    mutating func dropWaiters(of connection: UInt64) {
        for waiter in line where waiter.connection == connection {
            leave(waiter, .disconnected)
        }
        settle()
    }

    mutating func endBoundLeases(of connection: UInt64) {
        unsubscribeAll(connection)
        for lease in leases where lease.connection == connection {
            end(lease.grant.token, .disconnected)
        }
    }

    mutating func processEnded(_ process: ProcessIdentity) {
        for waiter in line where waiter.process == process {
            answer(waiter, .refused(.noProcess(process.pid)))
            leave(waiter, .processEnded)
        }
        settle()
        for lease in leases where lease.grant.process == process {
            end(lease.grant.token, .processEnded)
        }
    }

    /// On the manual clock everything happens when it is due; on the system's, as soon as it is seen.
    mutating func advance(to now: Instant, isManual: Bool) {
        if !isManual { clock = now }
        while let due = next, due <= now {
            clock = max(clock, due)
            if let lease = leases.filter({ $0.end == due }).min(by: { $0.grant.token < $1.grant.token }) {
                end(lease.grant.token, lease.reason)
            } else if let token = rests.filter({ $0.until == due }).map(\.token).min() {
                rests.removeAll { $0.until == due && $0.token == token }
                settle()
            } else if let token = windows.filter({ $0.end == due }).map(\.token).min() {
                let keys = windows.filter { $0.end == due && $0.token == token }.map(\.key)
                counted.removeAll { $0.token == token && keys.contains($0.key) }
                settle()
            } else if let result = resultsByToken.first(where: { $0.end == due }) {
                forgetWhole(result.kept.token, .expired)
            } else if let waiter = waiters.filter({ $0.until == due }).min(by: { $0.arrival < $1.arrival }) {
                giveUp(waiter, .timeout, .timeout)
                settle()
            } else {
                warn(leases.firstIndex { $0.nextWarning == due }!)
            }
        }
        clock = now
    }

    mutating func resume(grace: Duration, afterRestart: Bool) {
        for place in leases.indices {
            let before = leases[place].end
            defer { if leases[place].end != before { arm(place) } }
            let own = leases[place].own
            leases[place].deadline = max(own, min(clock + grace, own + grace))
            if afterRestart, leases[place].grant.isEphemeral {
                leases[place].connection = nil
                leases[place].orphanedAt = leases[place].orphanedAt ?? clock
                leases[place].orphanedUntil = leases[place].orphanedAt! + grace
            }
        }
    }

    mutating func restart(at now: Instant, shift: Int64, rebooted: Bool, grace: Duration, lastToken: Token) {
        waiters = []
        counted = []
        isDraining = false
        isFull = false
        self.lastToken = lastToken
        clock = now
        for place in leases.indices {
            leases[place].subscriber = nil
            leases[place].grantedAt = leases[place].grantedAt.moved(by: shift)
            leases[place].own = leases[place].own.moved(by: shift)
            leases[place].deadline = leases[place].deadline.moved(by: shift)
        }
        for place in results.indices {
            results[place].at = results[place].at.moved(by: shift)
        }
        for place in ended.indices {
            ended[place].at = ended[place].at.moved(by: shift)
        }
        for place in rests.indices {
            rests[place].until = rests[place].until.moved(by: shift)
        }
        rests.removeAll { $0.until <= now }
        if rebooted {
            for lease in leases {
                if lease.grant.process != nil {
                    end(lease.grant.token, .processEnded)
                } else if lease.grant.isEphemeral {
                    end(lease.grant.token, .disconnected)
                }
            }
        }
        resume(grace: grace, afterRestart: true)
    }

    mutating func drain() {
        isDraining = true
        for waiter in line {
            giveUp(waiter, .draining, .draining)
        }
    }
}

// What is shown.
extension Naive {
    func view(_ lease: NaiveLease) -> LeaseView {
        LeaseView(grant: lease.grant, age: lease.grantedAt.until(clock), left: clock.until(lease.end))
    }

    func view(_ waiter: NaiveWaiter, position: Int) -> WaiterView {
        WaiterView(
            keys: waiter.request.keys, owner: waiter.owner, pid: waiter.pid, uid: waiter.uid,
            waited: waiter.arrivedAt.until(clock),
            left: waiter.until == .never ? nil : clock.until(waiter.until),
            priority: waiter.request.priority, isShared: waiter.request.isShared,
            joins: waiter.request.joins, position: position)
    }

    func view(_ key: Key, limit: Int) -> Reply {
        if holders(key).isEmpty, keptView(key) == nil, let unknown = unknown(key) {
            return .refused(.unknownKey(key, unknown))
        }
        let queue = line.filter { $0.request.keys.all.contains(key) }
        let holding = holders(key)
        let shownHolders = holding.prefix(limit).map { view($0) }
        let shownWaiters = queue.enumerated().map { view($0.element, position: $0.offset + 1) }
            .prefix(limit - shownHolders.count)
        let resting = resting(key).map { RestView(token: $0.token, left: clock.until($0.until)) }
        let shownRests = resting.prefix(limit - shownHolders.count - shownWaiters.count)
        let shown = shownHolders.count + shownWaiters.count + shownRests.count
        let all = holding.count + queue.count + resting.count
        let kept = keptView(key)
        return .key(
            KeyView(
                key: key, rules: rules(key), holderCount: holding.count, waiterCount: queue.count,
                restCount: resting.count, nextGrant: nextGrant(key), holders: shownHolders,
                waiters: Array(shownWaiters), rests: Array(shownRests), kept: shown < limit ? kept : nil,
                hasMore: shown < all || shown == limit && kept != nil))
    }

    func list(below prefix: KeyPrefix, limit: Int, after: Token) -> Reply {
        let fitting = leases.filter { lease in
            lease.grant.token > after && lease.grant.keys.all.contains { prefix.matches($0) }
        }
        return .leases(fitting.prefix(limit).map { view($0) }, hasMore: fitting.count > limit)
    }

    func listWaiters(below prefix: KeyPrefix, limit: Int) -> Reply {
        let fitting = line.filter { waiter in waiter.request.keys.all.contains { prefix.matches($0) } }
        return .waiters(fitting.prefix(limit).map { view($0, position: 0) }, hasMore: fitting.count > limit)
    }
}

extension Instant {
    func moved(by nanoseconds: Int64) -> Instant {
        Instant(nanoseconds: self.nanoseconds + nanoseconds)
    }
}

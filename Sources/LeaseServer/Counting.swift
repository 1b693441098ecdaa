// What is counted: events and replies go in, and `stats` shows what has come together.

internal import LeaseCore
package import LeaseModel
internal import LeaseWire

/// The counts since the daemon began. Whatever comes, it grows no longer than the policy: no key, owner or
/// uid is kept.
struct Counting {
    // As the policy lists its kinds: what was for one kind alone, which is nearly all and counted once for
    // the kind and the whole; and what each kind had a part in with others.
    private var alone: [KindCounts]
    private var shared: [KindCounts]
    /// What was for several kinds, each thing once, and what was for none that there is (any more).
    private var others = KindCounts()
    private(set) var policy: Policy
    private var errors: [ErrorCode: UInt64] = [:]
    var syncs = Histogram(bounds: HistogramBounds.spans)
    var compactions: UInt64 = 0
    var connectionsOpened: UInt64 = 0
    var startedAt = Instant.zero
    var startedMilliseconds: Int64 = 0

    init(policy: Policy) {
        self.policy = policy
        alone = policy.kinds.map { _ in KindCounts() }
        shared = alone
    }

    /// Kinds that stay go on with their counts; what a kind that is gone has counted stays in the whole.
    mutating func follow(_ policy: Policy) {
        let before = self.policy.kinds.indices.map { (self.policy.kinds[$0].name, (alone[$0], shared[$0])) }
        var left = Dictionary(before, uniquingKeysWith: { first, _ in first })
        alone = []
        shared = []
        for kind in policy.kinds {
            let (alone, shared) = left.removeValue(forKey: kind.name) ?? (KindCounts(), KindCounts())
            self.alone.append(alone)
            self.shared.append(shared)
        }
        // Sums: their order shows nowhere.
        for (alone, _) in left.values { others.add(alone) }
        self.policy = policy
    }

    /// A lease of several kinds counts once with each of them.
    mutating func add(_ recent: borrowing RecentEvents, _ event: RecentEvents.Place) {
        if recent.count(event, in: &alone) { return }
        let what = recent.what(event)
        count(recent.keys(event)) { $0.add(what) }
    }

    /// All events that are not told yet, where nobody is told of them.
    mutating func addUntold(_ recent: borrowing RecentEvents) {
        for event in recent.countUntold(in: &alone) {
            let what = recent.what(event)
            count(recent.keys(event)) { $0.add(what) }
        }
    }

    mutating func addRetry(of keys: Keys) {
        count(keys) { $0.again += 1 }
    }

    /// A kept result has answered: who waits for one is told of in the event.
    mutating func addKeptAnswer(of key: Key) {
        count(Keys(key)) { $0.done += 1 }
    }

    /// Refused with `BUSY`: counts with the key that was in the way.
    mutating func add(_ busy: Busy) {
        count(Keys(busy.key)) { $0.add(busy) }
    }

    private mutating func count(_ keys: Keys, _ add: (inout KindCounts) -> Void) {
        var places: [Int] = []
        for index in 0..<keys.count {
            guard let place = policy.placeOfKind(of: keys[index]), !places.contains(place) else { continue }
            places.append(place)
        }
        if keys.count == 1, let place = places.first { return add(&alone[place]) }
        add(&others)
        for place in places {
            add(&shared[place])
        }
    }

    mutating func add(_ code: ErrorCode) {
        errors[code, default: 0] += 1
    }

    func view(at now: Instant) -> StatisticsView {
        var view = StatisticsView()
        view.uptime = startedAt.until(now)
        view.startedMilliseconds = startedMilliseconds
        view.connectionsOpened = connectionsOpened
        view.compactions = compactions
        view.syncs = syncs
        view.errors = ErrorCode.allCases.compactMap { code in
            errors[code].map { StatisticsView.Error(code: code.rawValue, count: $0) }
        }
        view.all = alone.reduce(into: others) { $0.add($1) }
        view.kinds = policy.kinds.indices.map {
            var counts = alone[$0]
            counts.add(shared[$0])
            return StatisticsView.Kind(name: policy.kinds[$0].name, counts: counts)
        }
        return view
    }
}

extension Server {
    /// Counts a BUSY or a refusal that is on its way out.
    mutating func count(_ reply: Reply) {
        switch reply {
        case .busy(let busy): counting.add(busy)
        case .refused(let refusal): counting.add(ReplyWriter.code(of: refusal))
        default: break
        }
    }

    var statistics: StatisticsView {
        var view = counting.view(at: machine.clock)
        view.leases = machine.leaseCount
        view.waiters = machine.waiterCount
        view.kept = machine.keptCount
        view.connections = connectionCount
        view.watches = watches.count - vacantWatches.count
        view.logBytes = logBytes
        view.logBytesReserved = options.hasLog ? max(space.reservedBytes, view.logBytes) : 0
        return view
    }

    /// A sync of the log is done.
    package mutating func noteSync(took span: Duration) {
        counting.syncs.add(span.nanoseconds)
    }
}

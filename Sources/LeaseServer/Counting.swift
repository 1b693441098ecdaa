// What is counted: events and replies go in, and `stats` shows what has come together.

internal import LeaseCore
package import LeaseModel
internal import LeaseWire

/// The counts since the daemon began. Whatever comes, it grows no longer than the policy: no key, owner or
/// uid is kept.
struct Counting {
    private var all = KindCounts()
    /// As the policy lists its kinds.
    private var kinds: [KindCounts]
    private var policy: Policy
    /// Where the kind stands that was counted last, and how its keys begin: mostly the next is one of them.
    private var lastKind: (beginning: [UInt8], place: Int) = ([], 0)
    private var errors: [ErrorCode: UInt64] = [:]
    var syncs = Histogram(bounds: HistogramBounds.spans)
    var compactions: UInt64 = 0
    var connectionsOpened: UInt64 = 0
    var startedAt = Instant.zero
    var startedMilliseconds: Int64 = 0

    init(policy: Policy) {
        self.policy = policy
        kinds = policy.kinds.map { _ in KindCounts() }
    }

    /// Kinds that stay go on with their counts; what a kind that is gone has counted stays in the whole.
    mutating func follow(_ policy: Policy) {
        let before = Dictionary(
            zip(self.policy.kinds.map(\.name), kinds), uniquingKeysWith: { first, _ in first })
        kinds = policy.kinds.map { before[$0.name] ?? KindCounts() }
        self.policy = policy
        lastKind = ([], 0)
    }

    /// A lease of several kinds counts once with each of them.
    mutating func add(_ event: Event) {
        all.add(event.what)
        if event.keys.others.isEmpty {
            if let place = place(ofKindOf: event.keys.first) { kinds[place].add(event.what) }
            return
        }
        for index in 0..<event.keys.count {
            guard let place = newPlace(event.keys, index) else { continue }
            kinds[place].add(event.what)
        }
    }

    mutating func addRetry(of keys: Keys) {
        all.again += 1
        for index in 0..<keys.count {
            guard let place = newPlace(keys, index) else { continue }
            kinds[place].again += 1
        }
    }

    /// A kept result has answered: who waits for one is told of in the event.
    mutating func addKeptAnswer(of key: Key) {
        all.done += 1
        if let place = policy.placeOfKind(of: key) { kinds[place].done += 1 }
    }

    private mutating func place(ofKindOf key: Key) -> Int? {
        if lastKind.beginning.count > 0, begins(key.bytes.span, lastKind.beginning.span) {
            return lastKind.place
        }
        guard let place = policy.placeOfKind(of: key) else { return nil }
        lastKind = (policy.kinds[place].name + [UInt8(ascii: "/")], place)
        return place
    }

    private func begins(_ whole: Span<UInt8>, _ beginning: Span<UInt8>) -> Bool {
        guard whole.count >= beginning.count else { return false }
        for index in beginning.indices where whole[index] != beginning[index] { return false }
        return true
    }

    /// The kind of the key at this place, unless one before it is of the same.
    private func newPlace(_ keys: Keys, _ index: Int) -> Int? {
        guard let place = policy.placeOfKind(of: keys[index]) else { return nil }
        for before in 0..<index where policy.placeOfKind(of: keys[before]) == place { return nil }
        return place
    }

    /// Refused with `BUSY`: counts with the key that was in the way.
    mutating func add(_ busy: Busy) {
        all.add(busy)
        if let place = policy.placeOfKind(of: busy.key) { kinds[place].add(busy) }
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
        view.all = all
        view.kinds = policy.kinds.indices.map {
            StatisticsView.Kind(name: policy.kinds[$0].name, counts: kinds[$0])
        }
        return view
    }
}

extension Server {
    /// Counts a reply that is on its way out.
    mutating func count(_ reply: Reply) {
        switch reply {
        case .busy(let busy): counting.add(busy)
        case .granted(let token, _, _, true):
            if let keys = machine.keys(of: token) { counting.addRetry(of: keys) }
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

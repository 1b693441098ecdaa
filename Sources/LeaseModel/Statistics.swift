// What is counted of the service since the daemon began, as values.

/// How many values there were, and how many of them up to each bound.
public struct Histogram: Equatable, Sendable {
    /// Rising. A value counts at the first bound that it does not pass.
    public let bounds: [Int64]
    /// One for each bound and one for what passes the last.
    private var counts = Counts<10>()
    public private(set) var count: UInt64 = 0
    /// Wide, since a million leases that are held for a day make more nanoseconds than 64 bits count.
    public private(set) var sum: Int128 = 0

    public init(bounds: [Int64]) {
        precondition(bounds.count < 10, "there is a count for each")
        self.bounds = bounds
    }

    @inline(__always)
    public mutating func add(_ value: Int64) {
        var place = 0
        while place < bounds.count, bounds[place] < value {
            place += 1
        }
        counts.addOne(at: place)
        count += 1
        sum += Int128(value)
    }

    /// Adds what another one with the same bounds has counted.
    mutating func add(_ other: Histogram) {
        counts.add(other.counts)
        count += other.count
        sum += other.sum
    }

    /// How many values were not greater than the bound at this place.
    public func count(upTo place: Int) -> UInt64 {
        counts.sum(to: place + 1)
    }
}

/// A few counts, where they are: an array is looked for elsewhere, and asked whether somebody else has it,
/// for each change that is counted.
private struct Counts<let places: Int>: Equatable, Sendable {
    private var row = InlineArray<places, UInt64>(repeating: 0)

    @inline(__always)
    mutating func addOne(at place: Int) {
        row[place] += 1
    }

    func count(at place: Int) -> UInt64 { row[place] }

    func sum(to end: Int = places) -> UInt64 {
        (0..<end).reduce(0) { $0 + row[$1] }
    }

    mutating func add(_ other: Counts) {
        for place in 0..<places { row[place] += other.row[place] }
    }

    static func == (left: Counts, right: Counts) -> Bool {
        (0..<places).allSatisfy { left.row[$0] == right.row[$0] }
    }
}

/// The bounds of all histograms: a closed set, so that they can be added up over daemons and time.
public enum HistogramBounds {
    public static let spans = [1, 10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 86_400_000].map {
        Duration.milliseconds($0).nanoseconds
    }
    /// In hundredths.
    public static let shares: [Int64] = [10, 20, 30, 40, 50, 60, 70, 80, 90]
}

/// What became of the requests for the keys of a kind, and of their leases.
public struct KindCounts: Equatable, Sendable {
    public private(set) var granted: UInt64 = 0
    /// Of those that were granted, how many had stood in line.
    public private(set) var waited: UInt64 = 0
    /// Retries that got the lease they had.
    public var again: UInt64 = 0
    /// Requests that got somebody else's result, from the line or of those that are kept.
    public var done: UInt64 = 0
    public private(set) var kept: UInt64 = 0
    public private(set) var forgotten: UInt64 = 0
    public private(set) var renewed: UInt64 = 0
    /// Requests that have come to stand in line, and those that went from it without a grant.
    public private(set) var queued: UInt64 = 0
    public private(set) var left: UInt64 = 0
    private var endings = Counts<5>()
    private var refusals = Counts<11>()
    /// The time in line of those who stood there, whatever they got.
    public private(set) var waits = Histogram(bounds: HistogramBounds.spans)
    /// From the grant to the end.
    public private(set) var holds = Histogram(bounds: HistogramBounds.spans)
    /// How much of the ttl was left when a lease was renewed, in hundredths.
    public private(set) var shares = Histogram(bounds: HistogramBounds.shares)

    public init() {}

    public func count(_ reason: EndReason) -> UInt64 {
        endings.count(at: Int(reason.rawValue))
    }

    public func count(_ reason: BusyReason) -> UInt64 {
        refusals.count(at: Int(reason.rawValue))
    }

    public var busy: UInt64 { refusals.sum() }

    /// Adds what was counted elsewhere.
    public mutating func add(_ other: KindCounts) {
        granted += other.granted
        waited += other.waited
        again += other.again
        done += other.done
        kept += other.kept
        forgotten += other.forgotten
        renewed += other.renewed
        queued += other.queued
        left += other.left
        endings.add(other.endings)
        refusals.add(other.refusals)
        waits.add(other.waits)
        holds.add(other.holds)
        shares.add(other.shares)
    }

    public mutating func add(_ what: Event.What) {
        switch what {
        case .granted(_, let waited):
            granted += 1
            if let waited {
                self.waited += 1
                waits.add(waited.nanoseconds)
            }
        case .renewed(_, let formerTTL, let left):
            renewed += 1
            // Divided first: a long ttl times 100 does not fit. With a grace, more than the ttl may be left.
            shares.add(min(100, left.nanoseconds / max(1, formerTTL.nanoseconds / 100)))
        case .ended(let reason, let held):
            endings.addOne(at: Int(reason.rawValue))
            holds.add(held.nanoseconds)
        case .kept:
            kept += 1
        case .forgotten:
            forgotten += 1
        case .queued:
            queued += 1
        case .left(let reason, let waited):
            left += 1
            if reason == .done { done += 1 }
            waits.add(waited.nanoseconds)
        }
    }

    public mutating func add(_ busy: Busy) {
        refusals.addOne(at: Int(busy.reason.rawValue))
    }
}

/// `stats`.
public struct StatisticsView: Equatable, Sendable {
    public struct Kind: Equatable, Sendable {
        public let name: [UInt8]
        public let counts: KindCounts

        public init(name: [UInt8], counts: KindCounts) {
            self.name = name
            self.counts = counts
        }
    }

    public struct Error: Equatable, Sendable {
        public let code: String
        public let count: UInt64

        public init(code: String, count: UInt64) {
            self.code = code
            self.count = count
        }
    }

    /// On the daemon's clock, which a restart on a manual clock does not set back.
    public var uptime = Duration.zero
    /// By the wall clock, since 1970.
    public var startedMilliseconds: Int64 = 0
    public var leases = 0
    public var waiters = 0
    /// Results that are kept.
    public var kept = 0
    public var connections = 0
    public var watches = 0
    /// All that there ever were.
    public var connectionsOpened: UInt64 = 0
    public var logBytes = 0
    public var logBytesReserved = 0
    public var compactions: UInt64 = 0
    /// How long each sync of the log or its ring took.
    public var syncs = Histogram(bounds: HistogramBounds.spans)
    public var errors: [Error] = []
    /// Each lease and each reply once.
    public var all = KindCounts()
    /// In the order of the policy.
    public var kinds: [Kind] = []

    public init() {}
}

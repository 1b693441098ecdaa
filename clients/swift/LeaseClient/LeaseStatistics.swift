// What the daemon has counted.

internal import LeaseModel
internal import LeaseWire

/// What was counted since the daemon began.
public struct LeaseStatistics: Equatable, Sendable {
    /// On the daemon's clock.
    public let uptime: Swift.Duration
    /// Leases that are alive, requests in line, and connections, as of now.
    public let leases: Int
    public let waiting: Int
    public let connections: Int
    /// Connections that there ever were.
    public let connectionsOpened: Int
    /// Of all kinds.
    public let total: Counts
    /// By the kind of the key, for each kind of the policy.
    public let kinds: [String: Counts]
    /// How often each code of `ERR` was answered.
    public let errors: [String: Int]
    /// The size of the log in bytes; 0 where there is none.
    public let logBytes: Int
    /// How often the log was written anew.
    public let compactions: Int
    /// How long each sync of the log took, in milliseconds.
    public let syncs: Histogram

    /// Of leases and requests: what happened how often, by the names of the protocol, as in `granted`,
    /// `queued`, `busy-held`. What never happened is left out.
    public struct Counts: Equatable, Sendable {
        public internal(set) var counts: [String: Int] = [:]
        /// The time in line of those who stood there, in milliseconds.
        public internal(set) var waits = Histogram()
        /// The time from the grant to the end of each lease that ended, in milliseconds.
        public internal(set) var holds = Histogram()
        /// How much of its ttl was left at each renewal, in hundredths.
        public internal(set) var renewals = Histogram()

        /// How often something happened.
        public subscript(name: String) -> Int { counts[name] ?? 0 }
    }

    /// How many values there were, and how many of them were at most so large.
    public struct Histogram: Equatable, Sendable {
        public internal(set) var count = 0
        public internal(set) var sum = 0
        /// In the order of the bounds; each counts the smaller ones, too.
        public internal(set) var buckets: [Bucket] = []
    }

    public struct Bucket: Equatable, Sendable {
        /// As the protocol writes it: `10ms`, `1s`, `1m`; `10` for hundredths.
        public let upTo: String
        public let count: Int
    }

    init(_ answer: Answer) {
        let first = answer.first
        uptime = first.duration("uptime") ?? .zero
        leases = first.count("leases") ?? 0
        waiting = first.count("waiting") ?? 0
        connections = first.count("connections") ?? 0
        connectionsOpened = first.count("opened") ?? 0
        var total = Counts()
        var kinds: [String: Counts] = [:]
        var errors: [String: Int] = [:]
        var (logBytes, compactions, syncs) = (0, 0, Histogram())
        for line in answer.lines {
            switch String(decoding: line.word, as: UTF8.self) {
            case "log":
                logBytes = line.count("bytes") ?? 0
                compactions = line.count("compactions") ?? 0
            case "syncs": syncs = Histogram(line)
            case "errors": errors = line.allCounts
            default:
                guard let kind = line.text("kind") else {
                    total.take(line)
                    continue
                }
                kinds[kind, default: Counts()].take(line)
            }
        }
        self.total = total
        self.kinds = kinds
        self.errors = errors
        self.logBytes = logBytes
        self.compactions = compactions
        self.syncs = syncs
    }
}

extension LeaseStatistics.Counts {
    mutating func take(_ line: ReplyLine) {
        switch String(decoding: line.word, as: UTF8.self) {
        case "counts": counts = line.allCounts
        case "waits": waits = LeaseStatistics.Histogram(line)
        case "holds": holds = LeaseStatistics.Histogram(line)
        case "renewals": renewals = LeaseStatistics.Histogram(line)
        default: break
        }
    }
}

extension LeaseStatistics.Histogram {
    init(_ line: ReplyLine) {
        count = line.count("count") ?? 0
        sum = line.count("sum") ?? 0
        buckets = line.fields.compactMap { field in
            let name = String(decoding: field.name, as: UTF8.self)
            guard name.hasPrefix("le-") else { return nil }
            return LeaseStatistics.Bucket(upTo: String(name.dropFirst(3)), count: line.count(name) ?? 0)
        }
    }
}

extension ReplyLine {
    fileprivate var allCounts: [String: Int] {
        var counts: [String: Int] = [:]
        for field in fields {
            let name = String(decoding: field.name, as: UTF8.self)
            if name != "kind", let count = count(name) { counts[name] = count }
        }
        return counts
    }
}

extension LeaseClient {
    /// What the daemon has counted since it began.
    ///
    /// - Throws: ``LeaseError``: `unavailable`.
    public func stats() async throws -> LeaseStatistics {
        LeaseStatistics(try await ask(.stats, .repeatable).answer)
    }
}

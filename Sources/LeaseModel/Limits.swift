// Every bound of the service, in one place, with its default and the relations that must hold between them.

/// The bounds that keep one client from hurting the others. Those that never change are static; the others
/// have a flag of the same name (`connectionsMax` is `--connections-max`).
public struct Limits: Equatable, Sendable {
    /// A line without its end, of either side.
    public static let lineBytesMax = 8_192
    public static let keyBytesMax = 255
    /// Parts of a key behind its kind.
    public static let keyPartsMax = 15
    /// The most that a policy may say for `limit=`, and for `queue=`.
    public static let slotsPerKeyMax = 1_000_000
    public static let queuePerKeyMax = 1_000_000_000
    /// The most grants that a policy may count in a window (`rate=`): each is remembered till it leaves it.
    public static let rateGrantsMax = 10_000
    /// A policy file; who opens it checks.
    public static let policyBytesMax = 1 << 20
    public static let textBytesMax = 255
    public static let resultBytesMax = 4_096
    public static let keysPerRequestMax = 16
    public static let tagBytesMax = 32
    public static let priorityMax = 9
    /// How much earlier a request counts as having come, for each step of priority.
    public static let priorityStep = Duration.seconds(10)
    public static let defaultTTL = Duration.seconds(30)
    public static let durationMax = Duration.seconds(3_650 * 86_400)
    /// Ended leases that are remembered, for `GONE` and for late retries.
    public static let endedRememberedMax = 10_000
    /// The most lines that one reply may be asked to have (`limit=`).
    public static let listLimitMax = 10_000
    /// A reply of several lines is cut (and says `more=yes`) where it would grow past this.
    public static let replyBytesMax = 1 << 20
    /// The least that may wait to be read by one client: the longest reply.
    public static let outputBytesMin = replyBytesMax + lineBytesMax

    /// What a kept result counts besides its bytes, so that very many small ones are not free.
    public static let keptOverheadBytes = 128
    /// The most that one result can count: any that may be asked for finds room.
    public static let keptBytesOfOneMax =
        resultBytesMax + keysPerRequestMax * keyBytesMax + keptOverheadBytes

    public var connectionsMax = 10_000
    public var connectionsPerUserMax = 8_000
    public var leasesMax = 2_000_000
    public var leasesPerUserMax = 1_800_000
    /// Grants that a `rate` still counts, for each of their keys.
    public var countedGrantsMax = 1_000_000
    public var countedGrantsPerUserMax = 900_000
    public var waitersMax = 400_000
    public var waitersPerUserMax = 360_000
    public var waitersPerConnectionMax = 200_000
    /// Those of them who wait for the holder's work: one result can go to all of them at once.
    public var joinersMax = 20_000
    public var joinersPerUserMax = 10_000
    /// Kept results. A result counts with its bytes, those of its keys, and `keptOverheadBytes`.
    public var keptMax = 100_000
    public var keptPerUserMax = 50_000
    public var keptBytesMax = 64 << 20
    public var keptBytesPerUserMax = 32 << 20
    /// Events that are remembered, for `watch since=` and `history`. A watch that is a quarter of them
    /// behind is cut.
    public var eventsMax = 32_768
    /// What may wait to be read by one client before its requests are no longer read.
    public var outputBytesMax = 2 << 20
    /// The same for all connections of a user together, and for all there are. (Of a user who has read all
    /// its requests are read even so.) Watches take half of a user's, and no more than they leave of all.
    public var outputBytesPerUserMax = 256 << 20
    public var outputBytesInAllMax = 1 << 30
    /// What may wait behind a request of the same connection before its requests are no longer read.
    public var heldInputBytesMax = 64 << 10

    public init() {}

    /// What is wrong between the bounds, or nil.
    public var contradiction: String? {
        if connectionsPerUserMax > connectionsMax {
            return "--connections-per-user-max must not be more than --connections-max"
        }
        if leasesPerUserMax > leasesMax { return "--leases-per-user-max must not be more than --leases-max" }
        if countedGrantsPerUserMax > countedGrantsMax {
            return "--counted-grants-per-user-max must not be more than --counted-grants-max"
        }
        if waitersPerUserMax > waitersMax {
            return "--waiters-per-user-max must not be more than --waiters-max"
        }
        if waitersPerConnectionMax > waitersPerUserMax {
            return "--waiters-per-connection-max must not be more than --waiters-per-user-max"
        }
        if joinersPerUserMax > joinersMax {
            return "--joiners-per-user-max must not be more than --joiners-max"
        }
        if keptPerUserMax > keptMax { return "--kept-per-user-max must not be more than --kept-max" }
        if keptBytesMax < Limits.keptBytesOfOneMax {
            return "--kept-bytes-max must be at least \(Limits.keptBytesOfOneMax)"
        }
        if keptBytesPerUserMax > keptBytesMax {
            return "--kept-bytes-per-user-max must not be more than --kept-bytes-max"
        }
        if keptBytesPerUserMax < Limits.keptBytesOfOneMax {
            return "--kept-bytes-per-user-max must be at least \(Limits.keptBytesOfOneMax)"
        }
        if outputBytesInAllMax < Limits.outputBytesMin {
            return "--output-bytes-in-all-max must be at least \(Limits.outputBytesMin)"
        }
        if outputBytesPerUserMax < Limits.outputBytesMin {
            return "--output-bytes-per-user-max must be at least \(Limits.outputBytesMin)"
        }
        if outputBytesMax > outputBytesPerUserMax {
            return "--output-bytes-max must not be more than --output-bytes-per-user-max"
        }
        if outputBytesPerUserMax > outputBytesInAllMax {
            return "--output-bytes-per-user-max must not be more than --output-bytes-in-all-max"
        }
        if outputBytesMax < Limits.outputBytesMin {
            return "--output-bytes-max must be at least \(Limits.outputBytesMin)"
        }
        if heldInputBytesMax < 2 * Limits.lineBytesMax {
            return "--held-input-bytes-max must be at least \(2 * Limits.lineBytesMax)"
        }
        return nil
    }
}

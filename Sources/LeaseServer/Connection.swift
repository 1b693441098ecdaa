// One conversation: what has come in and is not looked at yet, what goes out and may not go yet.

internal import LeaseCore
internal import LeaseModel

/// A reply that was appended may leave once the changes up to `sequence` are acknowledged.
struct Gate {
    let sequence: Sequence64
    /// Counts all bytes ever appended to the connection's output.
    let end: UInt64
}

/// A grant whose reply the kernel does not have yet.
struct UnsentGrant {
    let token: Token
    let end: UInt64
}

struct Connection: ~Copyable {
    /// 0: vacant.
    var id: ConnectionID = 0
    var caller: Caller

    /// Bytes that came and are not carried out: a line that is not complete, or what waits behind a request.
    var input: [UInt8] = []
    /// A line is over the limit: what comes is skipped up to its end.
    var skipsLine = false
    var hasInputEnded = false
    /// Why its lines are not looked at.
    private(set) var hindrances: Hindrances = []
    var isListing = false
    var isReadingPaused = false
    var isInReadyQueue = false

    /// Bytes from `outputStart` on are still to be sent. The counts are of all bytes ever.
    var output: [UInt8] = []
    var outputStart = 0
    var appended: UInt64 = 0
    var sent: UInt64 = 0
    /// Up to here the bytes may go.
    var released: UInt64 = 0
    /// Bytes of it are being sent.
    var isDeparting = false
    var gates = ShortQueue<Gate>()
    var unsentGrants = ShortQueue<UnsentGrant>()
    var isDirty = false
    /// What was appended in this pass speaks of what the log has to have first.
    var speaksOfLog = false
    /// What of it stands in the sums of all and of its user.
    var countedUnread = 0
    /// It is looked at again when others of its user, or all, have read more.
    var isHeldByUnread = false

    /// How many of its requests that wait for their reply have a tag.
    var waitingTagged = 0
    /// How many of those wait for something else than their place in line.
    var waitingTaggedOthers = 0
    /// The place of its watch.
    var watch: Int?
    /// The peer is gone altogether.
    var isGone = false
    /// What still comes stood behind a request that waited when the peer went: it is dropped.
    var dropsInput = false

    var unsentCount: Int { output.count - outputStart }
    var sendableCount: Int { Int(released - sent) }
    /// Whether everything that was appended has gone out.
    var isDrained: Bool { sent == appended }

    /// Lets the body write behind what is there.
    /// - Returns: how many bytes are still to be sent.
    @inline(__always)
    mutating func append(
        speaksOfLog: Bool, _ spares: inout SpareOutputs, _ body: (inout [UInt8]) -> Void
    ) -> Int {
        if speaksOfLog { self.speaksOfLog = true }
        spares.give(to: &output)
        body(&output)
        let unsent = unsentCount
        appended = sent + UInt64(unsent)
        return unsent
    }

    /// - Returns: whether more may go than before.
    mutating func openGates(upTo acknowledged: Sequence64) -> Bool {
        var hasOpened = false
        while let gate = gates.first, gate.sequence <= acknowledged {
            released = gate.end
            gates.removeFirst()
            hasOpened = true
        }
        return hasOpened
    }

    /// The kernel has the replies of these grants.
    mutating func forgetGrants(upTo end: UInt64) {
        if let last = unsentGrants.last, last.end <= end { return unsentGrants.empty() }
        while let grant = unsentGrants.first, grant.end <= end {
            unsentGrants.removeFirst()
        }
    }

    /// Each alone is enough: together they are asked for with each line.
    struct Hindrances: OptionSet {
        let rawValue: UInt8
        static let blocked = Hindrances(rawValue: 1)
        static let parked = Hindrances(rawValue: 2)
        static let inspecting = Hindrances(rawValue: 4)
        static let yielded = Hindrances(rawValue: 8)
        static let closing = Hindrances(rawValue: 16)
    }

    private mutating func set(_ hindrance: Hindrances, _ isSo: Bool) {
        if isSo { hindrances.insert(hindrance) } else { hindrances.remove(hindrance) }
    }

    /// An untagged request waits, or a list: what is behind it is not looked at.
    var isBlocked: Bool {
        get { hindrances.contains(.blocked) }
        set { set(.blocked, newValue) }
    }

    /// A request can't be decided before space or numbers are set aside: it is read again then.
    var isParked: Bool {
        get { hindrances.contains(.parked) }
        set { set(.parked, newValue) }
    }

    /// The process that a request names is being looked at: what is behind it comes after it.
    var isInspecting: Bool {
        get { hindrances.contains(.inspecting) }
        set { set(.inspecting, newValue) }
    }

    /// It has had its share of this pass.
    var hasYielded: Bool {
        get { hindrances.contains(.yielded) }
        set { set(.yielded, newValue) }
    }

    /// To be closed when everything is sent.
    var isClosing: Bool {
        get { hindrances.contains(.closing) }
        set { set(.closing, newValue) }
    }

    static var vacant: Connection {
        let nobody = Peer(uid: 0, pid: 0, defaultOwner: Text(printed: []), isAdministrator: false)
        return Connection(caller: Caller(connection: 0, peer: nobody))
    }
}

/// A request whose reply has not been given.
struct Pending {
    /// Of the waiter; 0 where the place is empty.
    var number: UInt64 = 0
    var connection: ConnectionID = 0
    /// Empty: untagged.
    var tag: [UInt8] = []
}

// An event as it stands in the row of those of late: what is told of most changes is all that the log says of
// them, and is written from where it stands.

/// What an event says besides its names.
public struct EventEntry {
    /// `kind` of an event whose kind has to be looked up.
    public static let unknownKind: Int32 = -1

    public var sequence: Sequence64
    public var at: Instant
    public var what: Event.What
    // (Here, they take the room that is left behind `what`.)
    public var keyCount: UInt8
    public var isShared: Bool
    public var isEphemeral: Bool
    public var hasNote: Bool
    /// It says all that the log says of the change.
    public var standsInForRecord: Bool
    public var token: Token
    public var uid: UInt32
    public var pid: Int32
    /// Where its names begin among those of its block: its keys, the owner, the note.
    public var names: UInt32 = 0
    /// Where the kind of its one key stands in the policy.
    public var kind: Int32
    public var whilePID: Int32?

    public init(
        sequence: Sequence64, at: Instant, what: Event.What, token: Token, uid: UInt32, pid: Int32,
        whilePID: Int32?, kind: Int32 = EventEntry.unknownKind, keyCount: UInt8, isShared: Bool,
        isEphemeral: Bool, hasNote: Bool, standsInForRecord: Bool = false
    ) {
        self.sequence = sequence
        self.at = at
        self.what = what
        self.token = token
        self.uid = uid
        self.pid = pid
        self.whilePID = whilePID
        self.kind = kind
        self.keyCount = keyCount
        self.isShared = isShared
        self.isEphemeral = isEphemeral
        self.hasNote = hasNote
        self.standsInForRecord = standsInForRecord
    }
}

/// The names of an event, one behind the other, each with its length before it.
public struct EventNames {
    /// How long the length is.
    public static let lengthBytes = MemoryLayout<UInt16>.size

    private var place: UnsafeRawPointer

    public init(place: UnsafeRawPointer) {
        self.place = place
    }

    /// The next name, where it is.
    public mutating func next() -> UnsafeBufferPointer<UInt8> {
        let count = Int(place.loadUnaligned(as: UInt16.self))
        let first = place + EventNames.lengthBytes
        place = first + count
        return UnsafeBufferPointer(start: first.assumingMemoryBound(to: UInt8.self), count: count)
    }
}

/// Changes on their way to the log, one behind the other, of which the events say all. Neither copied nor
/// counted: they are where the events stand, until something else happens.
public struct ToldChanges {
    public let entries: UnsafeBufferPointer<EventEntry>
    /// Those of all: each entry says where its own begin.
    private let names: UnsafeRawPointer

    public init(entries: UnsafeBufferPointer<EventEntry>, names: UnsafeRawPointer) {
        self.entries = entries
        self.names = names
    }

    public func names(of entry: UnsafePointer<EventEntry>) -> EventNames {
        EventNames(place: names + Int(entry.pointee.names))
    }
}

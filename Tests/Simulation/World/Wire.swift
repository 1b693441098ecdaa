// A connection as the kernel keeps it: bytes on their way, either way, and who has closed what.

final class Wire {
    let number: Int
    let uid: UInt32
    let pid: Int32
    /// How many bytes may stand between the daemon and a client that does not read.
    let capacity: Int
    /// What the daemon calls it; 0: it is not accepted yet.
    var id: UInt64 = 0
    var toDaemon: [UInt8] = []
    var toClient: [UInt8] = []
    /// The client sends nothing more; and the daemon knows.
    var hasInputEnded = false
    var isEndSeen = false
    var isClosedByClient = false
    var isClosedByDaemon = false
    /// What the daemon waits for.
    var reads = true
    var writes = false

    init(number: Int, uid: UInt32, pid: Int32, capacity: Int) {
        self.number = number
        self.uid = uid
        self.pid = pid
        self.capacity = capacity
    }

    var isReadable: Bool { reads && (!toDaemon.isEmpty || hasInputEnded && !isEndSeen) }
    var isWritable: Bool { writes && toClient.count < capacity }
    /// Whether the daemon is to be woken for it.
    var isEvent: Bool { !isClosedByDaemon && (id == 0 || isClosedByClient || isReadable || isWritable) }
}

/// The machine's clocks. `now` never stands still and is nobody's but the checker's.
struct Clocks {
    var now: Int64 = 1_000_000_000
    var bootedAt: Int64 = 0
    var slept: Int64 = 0
    var wallOffset: Int64 = 1_700_000_000_000_000_000
    var boot = 1

    var sinceBoot: Int64 { now - bootedAt }
    var monotonic: Int64 { sinceBoot - slept }
    var wallMilliseconds: Int64 { (now + wallOffset) / millisecond }
}

// A lease as its holder knows it: until when it is surely held.

import LeaseClient
import LeaseModel
import LeaseWire

struct Lease {
    let token: Token
    private(set) var ttl: Duration
    /// From then on somebody else may have it. Counted from before the request was sent, so that it is over
    /// here before it is over at the daemon.
    private(set) var deadline: Instant

    /// Of an `OK` to `acquire`. The ttl of a request that waited began when it had.
    init?(_ line: ReplyLine, sentAt: Instant) {
        guard let token = line.number("token"), let ttl = line.milliseconds("ttl") else { return nil }
        self.token = token
        self.ttl = .milliseconds(ttl)
        deadline = sentAt + .milliseconds(line.count("waited")) + .milliseconds(ttl)
    }

    /// Of an `OK` to `renew`.
    mutating func renewed(_ line: ReplyLine, sentAt: Instant) {
        ttl = .milliseconds(line.count("ttl"))
        deadline = sentAt + ttl
    }

    /// A third of the ttl after it began: then two more tries fit in.
    var renewAt: Instant { deadline - Duration(nanoseconds: ttl.nanoseconds / 3 * 2) }
}

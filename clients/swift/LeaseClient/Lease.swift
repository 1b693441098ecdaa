// A lease as the work sees it that runs under it.

internal import LeaseModel

/// A lease that is held, and renewed by the client, while a body of
/// ``LeaseClient/withLease(on:ttl:waitingUpTo:priority:shared:note:isolation:_:)`` runs.
public struct Lease: Sendable {
    /// The lease's number, greater than that of every lease before it: hand it as the fencing token to what
    /// the lease protects, and let that refuse a smaller one than it has seen.
    public let token: UInt64
    /// What it covers.
    public let keys: [LeaseKey]
    let record: LeaseRecord

    init(_ record: LeaseRecord, keys: [LeaseKey]) {
        token = record.token
        self.keys = keys
        self.record = record
    }

    /// Whether it is over: it was taken away, or its time ran out without a renewal that was answered. The
    /// body's task is cancelled then. Once lost, it stays lost.
    public var isLost: Bool {
        record.loss != nil || record.clock.now >= record.deadline
    }

    /// How long it surely lasts without a further renewal, counted from before its last one was asked for;
    /// zero where it is lost.
    public var timeLeft: Swift.Duration {
        record.loss == nil ? Swift.Duration(record.clock.now.until(record.deadline)) : .zero
    }

    /// Throws ``LeaseError/lost(_:)`` where it is lost: to call before each step that must not be done twice.
    public func checkHeld() throws(LeaseError) {
        if let loss = record.loss { throw .lost(LeaseError.Lost(token: token, loss)) }
        guard !isLost else { throw .lost(LeaseError.Lost(token: token, record.lossAtDeadline)) }
    }
}

/// A lease that was acquired by a plain call. Nobody renews it but who holds it.
public struct LeaseGrant: Equatable, Sendable {
    /// The lease's number, and the fencing token.
    public let token: UInt64
    public let keys: [LeaseKey]
    /// How long it surely lasts unless it is renewed, from when the grant was returned.
    public let timeLeft: Swift.Duration
    /// How long the request stood in line; zero where it did not have to.
    public let waited: Swift.Duration
}

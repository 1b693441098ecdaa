// A machine at hand: short words for tests that tell one story each.

import LeaseModel

@testable import LeaseCore

/// A machine, with a manual clock where nothing else is said, and what it has brought about.
final class Bench {
    var machine: Machine
    var effects = Effects()
    var caller: NaiveCaller

    init(
        _ policy: String = "kind a x ttl=10s\nkind b x limit=2 ttl=10s", limits: Limits = Limits(),
        isManual: Bool = true
    ) throws {
        let rules = try PolicyReader.read(Array((policy + "\n").utf8).span)
        machine = Machine(policy: rules, limits: limits, hasManualClock: isManual, seed: 1)
        caller = Bench.caller(1)
    }

    static func caller(_ connection: UInt64, uid: UInt32 = 1_000) -> NaiveCaller {
        let peer = Peer(
            uid: uid, pid: Int32(connection), defaultOwner: Text("c\(connection)"), isAdministrator: uid == 0)
        return NaiveCaller(connection: connection, peer: peer)
    }

    func acquire(
        _ request: AcquireRequest, _ report: ProcessReport = .notLookedAt, by other: NaiveCaller? = nil
    ) -> Outcome {
        machine.acquire(request, process: report, from: (other ?? caller).forCore, into: &effects)
    }

    /// The token of what is granted at once.
    @discardableResult
    func token(
        _ request: AcquireRequest, _ report: ProcessReport = .notLookedAt, by other: NaiveCaller? = nil
    ) -> Token? {
        guard case .reply(.granted(let token, _, _, _)) = acquire(request, report, by: other) else {
            return nil
        }
        return token
    }

    func waiter(_ request: AcquireRequest, by other: NaiveCaller? = nil) -> WaiterID? {
        guard case .waits(let waiter) = acquire(request, by: other) else { return nil }
        return waiter
    }

    func renew(_ request: RenewRequest, _ report: ProcessReport = .notLookedAt) -> Reply? {
        reply(machine.renew(request, process: report, from: caller.forCore, into: &effects))
    }

    func release(_ token: Token) -> Reply {
        machine.release(ReleaseRequest(token: token), from: caller.forCore, into: &effects)
    }

    @discardableResult
    func advance(to seconds: Int64, budget: Int = .max) -> Bool {
        machine.advance(to: at(seconds), budget: budget, into: &effects)
    }

    func evict(_ token: Token, note: Text? = nil) -> Reply {
        machine.evict(token, note: note, into: &effects)
    }

    func cancel(_ waiter: WaiterID) {
        machine.cancel(waiter, into: &effects)
    }

    func grantStarved() {
        machine.grantStarved(into: &effects)
    }

    func check(_ token: Token) -> Reply {
        machine.check(token, into: &effects)
    }

    /// Begins to serve, with the numbers as they are.
    func begin(rebooted: Bool = false, shift: Int64 = 0, grace: Int64 = 5, at now: Instant) {
        let start = Start(boot: Text("b"), shift: shift, lastToken: machine.lastToken)
        machine.begin(start, rebooted: rebooted, grace: .seconds(grace), at: now, into: &effects)
    }

    var leaseCount: Int { machine.leaseCount }
    var waiterCount: Int { machine.waiterCount }
    var hasStarved: Bool { machine.hasStarved }
    var keyCount: Int { machine.ledger.keys.count }
    var room: Room {
        get { machine.room }
        set { machine.room = newValue }
    }

    /// Replies to waiters since the last call.
    func answers() -> [Reply] {
        defer { effects.answers.removeAll() }
        return effects.answers.map(\.reply)
    }

    /// Records since the last call.
    func records() -> [Record] {
        defer {
            while let next = effects.nextForLog() {
                if case .record = next { _ = effects.takeRecord() }
            }
        }
        return effects.records
    }
}

extension Machine {
    /// Recovers a change of which nobody will ask.
    mutating func recover(_ record: Record) throws(ImpossibleRecord) {
        var recent = RecentEvents(capacity: 0)
        try recover([record], into: &recent)
    }

    /// Where nothing has changed since the picture's beginning, or all that did comes behind.
    mutating func takeSnapshotLines(into lines: inout [Change]) {
        var others: [Change] = []
        takeSnapshotLines(into: &others, remembered: &lines)
        lines += others
    }
}

func reply(_ outcome: Outcome) -> Reply? {
    if case .reply(let reply) = outcome { reply } else { nil }
}

func at(_ seconds: Int64) -> Instant {
    .zero + .seconds(seconds)
}

func key(_ name: String) -> Key {
    Key(printed: Array(name.utf8))
}

func asking(_ names: String..., wait: Int64 = 0, request: String? = nil) -> AcquireRequest {
    AcquireRequest(
        keys: Keys(key(names[0]), names.dropFirst().map { key($0) }), wait: .seconds(wait),
        request: request.map { Text($0) })
}

extension Reply {
    var isNoSpace: Bool { self == .refused(.noSpace) }

    var grantedToken: Token? {
        if case .granted(let token, _, _, _) = self { token } else { nil }
    }

    var goneReason: EndReason? {
        if case .gone(let gone) = self { gone.reason } else { nil }
    }
}

/// The same event, but for its number, which the model does not keep.
func withoutNumber(_ event: Event) -> Event {
    Event(
        sequence: 0, at: event.at, what: event.what, keys: event.keys, token: event.token,
        owner: event.owner, uid: event.uid, pid: event.pid, isShared: event.isShared,
        isEphemeral: event.isEphemeral, whilePID: event.whilePID, note: event.note)
}

extension Machine {
    /// All at once.
    mutating func list(_ request: ListRequest, for peer: Peer? = nil) -> Reply {
        var looks = Int.max
        beginList(0, request, for: peer)
        return continueList(0, looks: &looks)!
    }
}

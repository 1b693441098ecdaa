// Random talk, of which the core and the naive model must think the same.

import LeaseModel
import SeededRandom
import Testing

@testable import LeaseCore

@Suite struct AgreementTests {
    @Test(arguments: [true, false], [false, true])
    func theCoreDoesWhatTheModelSays(isManual: Bool, isCrowded: Bool) throws {
        for seed in UInt64(1)...60 {
            try run(seed: seed, isManual: isManual, isCrowded: isCrowded, steps: 250)
        }
    }

    private func run(seed: UInt64, isManual: Bool, isCrowded: Bool, steps: Int) throws {
        let talk = try Talk(seed: seed, isManual: isManual, isCrowded: isCrowded)
        do {
            for _ in 0..<steps {
                try talk.goOn()
            }
            try talk.end()
        } catch let difference as Difference {
            let steps = talk.history.suffix(12).joined(separator: "\n  ")
            Issue.record(
                """
                seed \(seed), manual \(isManual), crowded \(isCrowded), step \(talk.history.count): \
                \(difference)
                before it:
                  \(steps)
                """)
            throw difference
        }
    }
}

/// Clients that talk at random.
final class Talk {
    private static let plain = """
        kind a x limit=1 ttl=4s
        kind b x limit=2 ttl=3s max-ttl=6s queue=3
        kind c x limit=3
        kind d x limit=1 ttl=9s queue=0 keep=5s
        key b/1 keep=3s
        key a/2 limit=4 max-ttl=5s
        """
    private static let strict = """
        kind a x limit=1 ttl=4s lock-delay=2s
        kind b x limit=2 ttl=3s max-ttl=6s queue=3 overflow=drop-oldest rate=3/5s
        kind c x limit=3 max-hold=5s max-wait=9s lock-delay=1s
        kind d x limit=1 ttl=9s queue=0 max-priority=1
        key a/2 limit=4 max-ttl=5s rate=2/3s lock-delay=3s
        key b/1 limit=1 queue=2 overflow=drop-oldest
        """
    /// A kind is gone, limits are lower, lines shorter, windows longer.
    private static let bare = """
        kind a x limit=1 ttl=4s queue=1 overflow=drop-oldest
        kind b x limit=1 ttl=3s rate=1/4s
        kind d x limit=2
        """
    private static let allKeys = ["a/1", "a/2", "b/1", "c/1", "d/1", "e/1"].map {
        Key(printed: Array($0.utf8))
    }

    private var draw: SeededRandom
    private let rig: Rig
    private let rules: [Policy]
    private let keys: [Key]
    private var callers: [NaiveCaller] = []
    private var processes: [(identity: ProcessIdentity, uid: UInt32)] = []
    private var sent: [Text: AcquireRequest] = [:]
    private var requestBase = 0
    private var lastConnection: UInt64 = 0
    private(set) var history: [String] = []

    init(seed: UInt64, isManual: Bool, isCrowded: Bool) throws {
        draw = SeededRandom(seed: seed)
        rules = try [Talk.plain, Talk.strict, Talk.strict, Talk.bare].map {
            try PolicyReader.read(Array($0.utf8).span)
        }
        rig = Rig(policy: rules[seed % 2 == 0 ? 0 : 1], isManual: isManual)
        keys = isCrowded ? [Talk.allKeys[0], Talk.allKeys[2], Talk.allKeys[3]] : Talk.allKeys
        for place in 0..<4 {
            callers.append(newCaller(place))
        }
        for pid in Int32(11)...13 {
            processes.append(
                (ProcessIdentity(pid: pid, startTicks: 1), [1_000, 1_001, 1_000][Int(pid) - 11]))
        }
    }

    private func newCaller(_ place: Int) -> NaiveCaller {
        lastConnection += 1
        let uid: UInt32 = [1_000, 1_001, 0, 1_000][place]
        let peer = Peer(
            uid: uid, pid: Int32(100 + place), defaultOwner: Text("nc:\(100 + place)"),
            isAdministrator: uid == 0)
        return NaiveCaller(connection: lastConnection, peer: peer)
    }

    func goOn() throws {
        defer { history.append(rig.lastStep) }
        switch draw.below(100) {
        case 0..<46: try acquire()
        case 46..<56: try renew()
        case 56..<66: try release()
        case 66..<68: try rig.forget(draw.one(of: keys), draw.one(of: callers))
        case 68..<82: try rig.advance(by: span())
        case 82..<85: try cancel()
        case 85..<88: try hangUp()
        case 88..<90: try endProcess()
        case 90..<92:
            try rig.evict(token(), note: draw.once(in: 2) ? Text("out of turn") : nil, draw.one(of: callers))
        case 92..<93: try rig.takeBack(token())
        case 93..<94:
            try rig.resume(grace: grace())
            try rig.advance(by: .zero)
        case 94..<96: rig.beginCompaction(leases: draw.one(of: [1, 1, 2, 5]))
        case 96..<97: rig.abandonCompaction()
        case 97..<98: try rig.setFull(!rig.naive.isFull)
        case 98..<99: try goOnRarely()
        default: try restart()
        }
        if draw.once(in: 3) {
            let known = keys.filter { $0 != Talk.allKeys[5] }
            try rig.look(at: draw.one(of: known), token(), limit: draw.below(4) + 1)
        }
    }

    private func goOnRarely() throws {
        switch draw.below(4) {
        case 0: try rig.drain()
        case 1: try rig.setFull(false)
        default: try rig.reload(draw.one(of: rules))
        }
    }

    /// Whatever came before, all ends in time.
    func end() throws {
        try rig.setFull(false)
        for _ in 0..<60 where !rig.naive.leases.isEmpty {
            try rig.advance(by: .seconds(4))
        }
        try rig.restart(down: .zero, tokensSkipped: 0, rebootedTo: nil, grace: .seconds(5))
        try rig.same("leases at the end", rig.machine.leaseCount, 0)
    }

    private func grace() -> Duration {
        .seconds(draw.one(of: [5, 5, 2, 0]))
    }

    private func span() -> Duration {
        .milliseconds(draw.one(of: [0, 0, 1_000, 1_000, 1_000, 2_000, 3_000, 1, 999, 15_000]))
    }

    /// Most often of a lease that is alive; now and then of one that is not, or not yet.
    private func token() -> Token {
        if draw.below(4) > 0, let lease = rig.naive.leases.randomElement(using: &draw) {
            return lease.grant.token
        }
        return Token(draw.below(Int(rig.naive.lastToken) + 2))
    }

    private func acquire() throws {
        let caller = draw.one(of: callers)
        var request = AcquireRequest(keys: someKeys())
        request.isShared = draw.once(in: 4)
        request.ttl = draw.once(in: 2) ? .seconds(Int64(draw.below(7) + 1)) : nil
        request.wait = draw.one(of: [
            .zero, .zero, .seconds(1), .seconds(2), .seconds(4), .seconds(5), .seconds(12), .forever,
        ])
        if draw.once(in: 3) { join(&request) }
        request.priority = draw.once(in: 3) ? draw.below(3) : 0
        request.isEphemeral = draw.once(in: 5)
        request.notifies = draw.once(in: 3)
        request.owner = draw.once(in: 2) ? Text("owner-\(draw.below(3))") : nil
        request.note = draw.once(in: 6) ? Text("a note") : nil
        if draw.once(in: 5) {
            request.whilePID = draw.one(of: processes).identity.pid
        }
        if draw.once(in: 2) {
            if draw.once(in: 8) { requestBase += 1 }
            let id = Text("r\(requestBase + draw.below(4))")
            if let before = sent[id], draw.below(5) > 0 {
                request = before
                request.wait = draw.once(in: 2) ? .zero : request.wait
                request.notifies = draw.once(in: 2)
                if draw.once(in: 4) {
                    let shuffled = request.keys.all.shuffled(using: &draw)
                    request.keys = Keys(shuffled[0], Array(shuffled.dropFirst()))
                }
            }
            request.request = id
            sent[id] = request
        }
        try rig.acquire(request, report(request.whilePID), caller)
    }

    /// Most often so that it may: then for a key that somebody holds.
    private func join(_ request: inout AcquireRequest) {
        request.joins = true
        guard draw.below(8) > 0 else { return }
        request.isShared = false
        let held = rig.naive.leases.flatMap(\.grant.keys.all).filter { rig.naive.rules($0).limit == 1 }
        request.keys = Keys(held.isEmpty ? request.keys.first : draw.one(of: held))
    }

    private func release() throws {
        var request = ReleaseRequest(token: token())
        if draw.below(3) > 0 {
            let length = draw.one(of: [0, 5, 5, 4_000])
            request.result = Text(String(repeating: "r", count: length))
            request.keep = draw.once(in: 2) ? .seconds(draw.one(of: [1, 3, 9, 60, 60])) : nil
        }
        let holder = rig.naive.leases.first { $0.grant.token == request.token }?.grant.uid
        let own = callers.filter { $0.peer.uid == holder }
        try rig.release(request, draw.one(of: own.isEmpty || draw.once(in: 4) ? callers : own))
    }

    private func someKeys() -> Keys {
        let shuffled = keys.shuffled(using: &draw)
        let count = draw.one(of: [1, 1, 1, 2, 2, 3])
        return Keys(shuffled[0], Array(shuffled[1..<count]))
    }

    private func report(_ pid: Int32?) -> NaiveReport {
        guard let pid else { return .notLookedAt }
        if draw.once(in: 10) { return draw.once(in: 2) ? .dead : .notLookedAt }
        let process = processes.first { $0.identity.pid == pid }!
        return .alive(process.identity, uid: process.uid)
    }

    private func renew() throws {
        var request = RenewRequest(token: token())
        request.ttl = draw.once(in: 2) ? .seconds(Int64(draw.below(7) + 1)) : nil
        request.isEphemeral = draw.once(in: 4)
        if draw.once(in: 4) {
            request.whilePID = draw.one(of: processes).identity.pid
        }
        try rig.renew(request, report(request.whilePID), draw.one(of: callers))
    }

    private func cancel() throws {
        guard let waiter = rig.naive.waiters.randomElement(using: &draw) else { return }
        try rig.cancel(waiter.handle)
    }

    private func hangUp() throws {
        let place = draw.below(callers.count)
        try rig.hangUp(callers[place].connection)
        callers[place] = newCaller(place)
    }

    private func endProcess() throws {
        let place = draw.below(processes.count)
        let identity = processes[place].identity
        try rig.processEnded(identity)
        processes[place].identity = ProcessIdentity(pid: identity.pid, startTicks: identity.startTicks + 1)
    }

    private func restart() throws {
        let reboots = draw.once(in: 4)
        let down = rig.isManual ? .zero : span()
        let boot =
            reboots && !rig.isManual ? Instant(nanoseconds: Int64(draw.below(20)) * 1_000_000_000) : nil
        try rig.restart(
            down: down, tokensSkipped: UInt64(draw.below(3)), rebootedTo: boot, grace: grace())
        for place in callers.indices {
            callers[place] = newCaller(place)
        }
    }
}

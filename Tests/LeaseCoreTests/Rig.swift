// One machine and the naive model side by side: every step is done by both, and all that shows is compared.

import LeaseModel
import SeededRandom

@testable import LeaseCore

extension SeededRandom {
    /// True once in so many times.
    mutating func once(in count: Int) -> Bool {
        below(count) == 0
    }

    mutating func one<Element>(of elements: [Element]) -> Element {
        elements[below(elements.count)]
    }
}

/// The core and the model do not agree.
struct Difference: Error, CustomStringConvertible {
    let description: String
}

final class Rig {
    var machine: Machine
    var naive: Naive
    let isManual: Bool
    private(set) var policy: Policy
    /// So small that results are dropped.
    private static let limits = {
        var limits = Limits()
        limits.keptMax = 4
        limits.keptPerUserMax = 2
        limits.keptBytesMax = 15_000
        limits.keptBytesPerUserMax = 9_000
        return limits
    }()
    private(set) var effects = Effects()
    /// What a restart would read.
    private var log: [Record] = []
    /// The compacted log that is being written.
    private var newLog: [Record]?
    private var lines: [Change] = []
    private var rememberedLines: [Change] = []
    /// Behind those of the new log's records that tell what is remembered.
    private var rememberedEnd = 1
    private var pictureLeases = 1
    private var handles: [WaiterID: Int] = [:]
    private var watched: Set<ProcessIdentity> = []
    private var slowList: ListRequest?
    private(set) var lastHandle = 0
    private(set) var lastStep = ""

    init(policy: Policy, isManual: Bool) {
        self.policy = policy
        self.isManual = isManual
        machine = Rig.newMachine(policy, isManual)
        naive = Naive(policy: policy, limits: Rig.limits)
    }

    private static func newMachine(_ policy: Policy, _ isManual: Bool) -> Machine {
        Machine(policy: policy, limits: limits, hasManualClock: isManual, seed: 7)
    }

    /// One step of both, after which they are the same.
    private func step(_ name: @autoclosure () -> String, _ body: () throws -> Void) throws {
        lastStep = name()
        let (sequence, instant) = (machine.sequence, machine.lastInstant)
        try body()
        try takeEffects(after: sequence, instant)
        try compareStates()
    }

    func same<Value: Equatable>(_ what: String, _ core: Value, _ model: Value) throws {
        guard core != model else { return }
        throw Difference(description: "\(lastStep): \(what)\n  core:  \(core)\n  model: \(model)")
    }

    private func takeEffects(after sequence: Sequence64, _ instant: Instant) throws {
        let told = tellings()
        for place in 0..<max(told.count, naive.tellings.count) {
            let model = place < naive.tellings.count ? naive.tellings[place] : nil
            try same("telling \(place)", place < told.count ? told[place] : nil, model)
        }
        naive.tellings = []
        try compareNumbers(after: sequence)
        try same("changes", effects.records.map(\.change).filter(\.isOfKeys), naive.changes)
        naive.changes = []
        try same("watches", Set(effects.watched).isDisjoint(with: effects.unwatched), true)
        watched.formUnion(effects.watched)
        watched.subtract(effects.unwatched)
        try same("numbers", effects.records.map(\.sequence), Array((sequence + 1)..<(machine.sequence + 1)))
        log += effects.records
        if newLog != nil {
            let isDrawn = machine.drawSnapshot(count: pictureLeases)
            machine.takeSnapshotLines(into: &lines, remembered: &rememberedLines)
            let (first, instantThen) = (newLog![0].sequence, newLog![0].at)
            newLog!.insert(
                contentsOf: rememberedLines.map { Record(sequence: first, at: instantThen, change: $0) },
                at: rememberedEnd)
            rememberedEnd += rememberedLines.count
            newLog! += lines.map { Record(sequence: sequence, at: instant, change: $0) }
            newLog! += effects.records
            if isDrawn {
                effects.removeAll()
                machine.noteCompaction(lines: 0, into: &effects)
                log = newLog! + effects.records
                newLog = nil
            }
        }
        effects.removeAll()
    }

    /// What was told, in its order.
    private func tellings() -> [NaiveTelling] {
        var (answers, events, notices) = (effects.answers[...], effects.events[...], effects.notices[...])
        return effects.tellings.map { telling in
            switch telling {
            case .answer:
                let answer = answers.removeFirst()
                return .answer(
                    NaiveAnswer(
                        handle: handles.removeValue(forKey: answer.waiter) ?? -1, reply: answer.reply,
                        connection: answer.connection))
            case .change, .line:
                return .event(withoutNumber(events.removeFirst()))
            case .notice:
                let (to, notice) = notices.removeFirst()
                let handle = Int(String(decoding: to.tag, as: UTF8.self)) ?? -1
                return .notice(NaiveSubscriber(connection: to.connection, handle: handle), notice)
            }
        }
    }

    /// An event has the number of its change; what happens in a line that of the change before.
    private func compareNumbers(after sequence: Sequence64) throws {
        var last = sequence
        for event in effects.events {
            if event.isChange {
                let isChange = effects.records.contains { $0.sequence == event.sequence }
                try same("has the number of a later change", isChange && event.sequence > last, true)
                last = event.sequence
            }
        }
    }

    private func compareStates() throws {
        try same("leases", machine.list(ListRequest()), naive.list(below: .all, limit: 1_000, after: 0))
        try same(
            "line", machine.list(ListRequest(waiting: true)), naive.listWaiters(below: .all, limit: 1_000))
        let kept = machine.ledger.resultsInOrder().map { machine.ledger.standingView($0) }
        try same("results", kept, naive.resultsByAge.map { StandingResult(kept: $0.kept, at: $0.at) })
        try same("next deadline", machine.nextDeadline, naive.next)
        try same("last token", machine.lastToken, naive.lastToken)
        try same("watched", watched, naive.processes)
        try same("clock", machine.clock, naive.clock)
    }
}

// The steps.
extension Rig {
    func acquire(_ request: AcquireRequest, _ report: NaiveReport, _ caller: NaiveCaller) throws {
        lastHandle += 1
        try step("acquire \(lastHandle) \(brief(request)) by \(caller.connection) \(report)") {
            let core = caller.forCore
            core.notify(as: Array("\(lastHandle)".utf8))
            let outcome = machine.acquire(request, process: report.forCore, from: core, into: &effects)
            let waiting: NaiveOutcome = note(outcome)
            try same("outcome", waiting, naive.acquire(request, report, caller, handle: lastHandle))
        }
    }

    func renew(_ request: RenewRequest, _ report: NaiveReport, _ caller: NaiveCaller) throws {
        try step("renew \(request) by \(caller.connection)") {
            let outcome = machine.renew(
                request, process: report.forCore, from: caller.forCore, into: &effects)
            try same("outcome", note(outcome), naive.renew(request, report, caller))
        }
    }

    private func note(_ outcome: Outcome) -> NaiveOutcome {
        switch outcome {
        case .reply(let reply): return .reply(reply)
        case .needsProcess(let pid): return .needsProcess(pid)
        case .waits(let waiter):
            handles[waiter] = lastHandle
            return .waits(lastHandle)
        }
    }

    func release(_ request: ReleaseRequest, _ caller: NaiveCaller) throws {
        let keep = request.keep.map { " keep=\($0.wholeMilliseconds)" } ?? ""
        let bytes = request.result.map { " result of \($0.bytes.count) bytes" } ?? ""
        try step("release \(request.token)\(bytes)\(keep) by \(caller.connection)") {
            let reply = machine.release(request, from: caller.forCore, into: &effects)
            try same("reply", reply, naive.release(request, caller))
        }
    }

    func forget(_ key: Key, _ caller: NaiveCaller) throws {
        try step("forget \(key.string) by \(caller.connection)") {
            let reply = machine.forget(key, from: caller.forCore, into: &effects)
            try same("reply", reply, naive.forget(key, caller))
        }
    }

    func evict(_ token: Token, note: Text?, _ caller: NaiveCaller) throws {
        try step("evict \(token) by \(caller.connection)") {
            let reply = machine.evict(token, note: note, by: caller.connection, into: &effects)
            try same("reply", reply, naive.evict(token, note: note, by: caller.connection))
        }
    }

    func takeBack(_ token: Token) throws {
        try step("take back \(token)") {
            machine.takeBack(token, into: &effects)
            naive.takeBack(token)
        }
    }

    func cancel(_ handle: Int) throws {
        guard let waiter = handles.first(where: { $0.value == handle })?.key else { return }
        try step("cancel \(handle)") {
            machine.cancel(waiter, into: &effects)
            naive.cancel(handle)
        }
    }

    func hangUp(_ connection: UInt64) throws {
        try step("hang up \(connection): the line") {
            let gone = naive.waiters.filter { $0.connection == connection }.map(\.handle)
            machine.dropWaiters(of: [connection], into: &effects)
            naive.dropWaiters(of: connection)
            handles = handles.filter { !gone.contains($0.value) }
        }
        try step("hang up \(connection): the leases") {
            let hasLeases = naive.leases.contains {
                $0.connection == connection || $0.subscriber?.connection == connection
            }
            try same("bound leases", machine.hasBoundLeases(connection), hasLeases)
            machine.endBoundLeases(of: connection, into: &effects)
            naive.endBoundLeases(of: connection)
        }
    }

    func processEnded(_ process: ProcessIdentity) throws {
        try step("process \(process.pid) ended") {
            machine.processEnded(process, into: &effects)
            naive.processEnded(process)
        }
    }

    func advance(by span: Duration) throws {
        try step("advance by \(span.wholeMilliseconds) ms") {
            let now = naive.clock + span
            var passes = 0
            while !machine.advance(to: now, budget: 1, into: &effects) {
                passes += 1
                try same("is there in time", passes < 1_000, true)
            }
            naive.advance(to: now, isManual: isManual)
            if isManual {
                machine.noteAdvance(into: &effects)
            }
        }
    }

    func resume(grace: Duration) throws {
        try step("resumed") {
            machine.resume(grace: grace, at: naive.clock, into: &effects)
            naive.resume(grace: grace, afterRestart: false)
        }
    }

    func reload(_ policy: Policy) throws {
        self.policy = policy
        try step("reload") {
            machine.reload(policy, into: &effects)
            naive.reload(policy)
        }
    }

    func drain() throws {
        try step("drain") {
            machine.drain(into: &effects)
            naive.drain()
        }
    }

    /// The disk is full, or no longer.
    func setFull(_ isFull: Bool) throws {
        try step(isFull ? "full" : "room again") {
            machine.room = isFull ? Room(logBytes: 0, tokens: 9, sequences: 9) : .unlimited
            naive.isFull = isFull
            if !isFull {
                try same(
                    "starved", machine.hasStarved || naive.line.allSatisfy { naive.obstacle($0) != nil }, true
                )
                machine.grantStarved(into: &effects)
                naive.settle()
                try same("starved", machine.hasStarved, false)
            }
        }
    }

    func look(at key: Key, _ token: Token, limit: Int) throws {
        lastStep += ", then a look at \(key.string)"
        try same("get", machine.view(key, limit: limit), naive.view(key, limit: limit))
        try same("check \(token)", machine.check(token, into: &effects), naive.check(token))
        let prefix = try KeyPrefix.read(Array(key.bytes.prefix(2)).span)
        let request = ListRequest(prefix: prefix, limit: limit, after: token)
        try same("list", machine.list(request), naive.list(below: prefix, limit: limit, after: token))
        let waiting = ListRequest(prefix: prefix, waiting: true, limit: limit)
        try same("list waiting", machine.list(waiting), naive.listWaiters(below: prefix, limit: limit))
        try lookSlowly(limit.isMultiple(of: 2) ? request : waiting, looks: 1 + limit % 3)
    }

    /// Goes on with a list, or begins one: it shows what there is when it is complete.
    private func lookSlowly(_ next: ListRequest, looks: Int) throws {
        guard let request = slowList, machine.listCount > 0 else {
            machine.beginList(1, next)
            slowList = next
            return
        }
        var looks = looks
        guard let reply = machine.continueList(1, looks: &looks) else { return }
        slowList = nil
        let (prefix, limit, after) = (request.prefix, request.limit, request.after)
        let leases = naive.list(below: prefix, limit: limit, after: after)
        let waiters = naive.listWaiters(below: prefix, limit: limit)
        try same("slow list", reply, request.waiting ? waiters : leases)
    }

    /// Begins to write the log anew; each step from now on draws so many leases of the picture.
    func beginCompaction(leases: Int) {
        guard newLog == nil else { return }
        pictureLeases = leases
        machine.beginSnapshot()
        let start = Start(boot: Text("b"), shift: 0, lastToken: machine.lastToken)
        newLog = [Record(sequence: machine.sequence, at: machine.lastInstant, change: .started(start))]
        rememberedEnd = 1
    }

    func abandonCompaction() {
        newLog = nil
        machine.abandonSnapshot()
    }

    /// The daemon dies, and another one reads its log.
    func restart(down: Duration, tokensSkipped: UInt64, rebootedTo boot: Instant?, grace: Duration) throws {
        let instant = naive.clock
        let portrait = machine.portrait(at: instant)
        let sequence = machine.sequence
        machine = Rig.newMachine(policy, isManual)
        lastStep = "recovery"
        for record in log {
            try machine.recover(record)
        }
        machine.finishRecovery(lastSequence: sequence)
        try same("portrait", machine.portrait(at: instant), portrait)
        (newLog, handles, watched) = (nil, [:], [])
        let now = boot ?? naive.clock + down
        let shift = boot == nil ? 0 : now.nanoseconds - (naive.clock + down).nanoseconds
        let lastToken = naive.lastToken + tokensSkipped
        let start = Start(boot: Text("b"), shift: shift, lastToken: lastToken)
        try step("restart") {
            machine.begin(start, rebooted: boot != nil, grace: grace, at: now, into: &effects)
            naive.restart(at: now, shift: shift, rebooted: boot != nil, grace: grace, lastToken: lastToken)
        }
        try advance(by: .zero)
    }

    private func brief(_ request: AcquireRequest) -> String {
        let keys = request.keys.all.map(\.string).joined(separator: ",")
        let words = [
            request.isShared ? "shared" : "", request.joins ? "join" : "",
            request.isEphemeral ? "ephemeral" : "", request.notifies ? "notify" : "",
            request.whilePID.map { "while=\($0)" } ?? "",
            request.request.map { "request=\($0.string)" } ?? "",
        ]
        return "\(keys) wait=\(request.wait.wholeMilliseconds) priority=\(request.priority) "
            + words.filter { !$0.isEmpty }.joined(separator: " ")
    }
}

extension Change {
    var isOfKeys: Bool {
        switch self {
        case .granted, .renewed, .ended, .bound, .kept, .forgotten: true
        case .resumed, .advanced, .started, .stopped, .compacted, .held, .remembered, .result,
            .resting: false
        }
    }
}

extension NaiveReport {
    var forCore: ProcessReport {
        switch self {
        case .notLookedAt: .notLookedAt
        case .alive(let identity, let uid): .alive(identity, uid: uid)
        case .dead: .dead
        }
    }
}

extension NaiveCaller {
    var forCore: Caller { Caller(connection: connection, peer: peer) }
}

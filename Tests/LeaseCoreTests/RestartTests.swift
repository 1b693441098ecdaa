// The log read again: what a restart, a reboot or a compaction leaves, and what they must not change.

import LeaseModel
import Testing

@testable import LeaseCore

@Suite struct RestartTests {
    /// A machine that has read what this one has written, at its instant and not yet serving.
    private func successor(of bench: Bench) throws -> Bench {
        let next = try Bench()
        for record in bench.effects.records {
            try next.machine.recover(record)
        }
        next.machine.finishRecovery(lastSequence: bench.machine.sequence)
        for record in bench.effects.records {
            next.effects.write(record)
        }
        return next
    }

    private func ephemeral(_ name: String, ttl: Int64, request: String? = nil) -> AcquireRequest {
        var asked = asking(name, request: request)
        asked.isEphemeral = true
        asked.ttl = .seconds(ttl)
        return asked
    }

    @Test func deadlinesGetTheGraceAndRestartsDoNotAddUp() throws {
        var bench = try Bench()
        for (name, ttl) in [("a/1", 1), ("a/2", 4), ("a/3", 100)] {
            var request = asking(name)
            request.ttl = .seconds(Int64(ttl))
            bench.token(request)
        }
        // d = 1, 4, 100. At 3 with a grace of 5: min(8, d + 5).
        bench = try successor(of: bench)
        bench.begin(at: at(3))
        #expect(deadlines(bench) == [at(6), at(8), at(100)])
        bench = try successor(of: bench)
        bench.begin(at: at(5))
        #expect(deadlines(bench) == [at(6), at(9), at(100)])
        bench = try successor(of: bench)
        bench.begin(at: at(8))
        #expect(deadlines(bench) == [at(6), at(9), at(100)])
        bench.advance(to: 8)
        #expect(bench.check(1).goneReason == .expired)
        #expect(bench.leaseCount == 2)
        #expect(bench.renew(RenewRequest(token: 2)) == .renewed(token: 2, ttl: .seconds(4)))
        #expect(deadlines(bench) == [at(12), at(100)])
    }

    private func deadlines(_ bench: Bench) -> [Instant] {
        bench.machine.portrait().compactMap { if case .held(let lease) = $0 { lease.deadline } else { nil } }
    }

    @Test func orphansEndWithTheGraceUnlessTheyFindAConnection() throws {
        var bench = try Bench()
        bench.token(ephemeral("a/1", ttl: 100))
        bench.token(ephemeral("a/2", ttl: 100))
        bench.token(ephemeral("a/3", ttl: 100, request: "r"))
        bench.token(ephemeral("a/4", ttl: 2))
        bench.token(ephemeral("a/5", ttl: 100))
        bench = try successor(of: bench)
        bench.begin(at: at(1))
        let caller = Bench.caller(9)
        bench.caller = caller
        #expect(bench.renew(RenewRequest(token: 1)) == .renewed(token: 1, ttl: .seconds(100)))
        #expect(bench.renew(RenewRequest(token: 2, isEphemeral: true)) != nil)
        #expect(bench.token(ephemeral("a/3", ttl: 1, request: "r")) == 3)
        // A second restart inside the grace: those that found a connection have it anew, the others don't.
        bench = try successor(of: bench)
        bench.begin(at: at(4))
        bench.caller = caller
        #expect(bench.renew(RenewRequest(token: 2, isEphemeral: true)) != nil)
        bench.advance(to: 5)
        #expect(bench.leaseCount == 5)
        bench.advance(to: 6)
        #expect(bench.check(1).goneReason == .disconnected)
        #expect(bench.check(4).goneReason == .disconnected)
        #expect(bench.check(5).goneReason == .disconnected)
        #expect(bench.leaseCount == 2)
        bench.advance(to: 9)
        #expect(bench.check(3).goneReason == .disconnected)
        #expect(bench.leaseCount == 1)
        bench.machine.endBoundLeases(of: 9, into: &bench.effects)
        #expect(bench.check(2).goneReason == .disconnected)
    }

    /// The clock began anew at 0, 20 s after the last record: instants of before are negative now.
    @Test func aRebootMovesInstantsAndEndsWhatWasBound() throws {
        var bench = try Bench()
        bench.token(asking("a/1", request: "r"))
        bench.advance(to: 1_000)
        var plain = asking("b/1")
        plain.ttl = .seconds(60)
        bench.token(plain)
        bench.token(ephemeral("b/1", ttl: 60))
        var bound = asking("b/2")
        bound.whilePID = 5
        let process = ProcessIdentity(pid: 5, startTicks: 1)
        bench.token(bound, .alive(process, uid: 1_000))
        bench = try successor(of: bench)
        let written = bench.effects.records.count
        bench.begin(rebooted: true, shift: -1_019_000_000_000, at: at(1))
        let changes = bench.effects.records[written...].map(\.change)
        #expect(
            changes.dropFirst() == [
                .ended(Ending(token: 3, reason: .disconnected)),
                .ended(Ending(token: 4, reason: .processEnded)),
                .resumed(grace: .seconds(5), afterRestart: true),
            ])
        guard case .checked(let view) = bench.check(2) else { throw Difference(description: "not alive") }
        #expect(view.age == .seconds(20) && view.left == .seconds(40))
        guard case .gone(let gone) = bench.check(1) else { throw Difference(description: "alive") }
        #expect(gone.reason == .expired && gone.ago == .seconds(1_010) && gone.next == 0)
        #expect(bench.effects.watched.isEmpty)
    }

    @Test func processesAreWatchedAgain() throws {
        var bench = try Bench()
        let process = ProcessIdentity(pid: 5, startTicks: 1)
        var request = asking("a/1", request: "r")
        request.whilePID = 5
        bench.token(request, .alive(process, uid: 1_000))
        bench = try successor(of: bench)
        bench.begin(at: at(1))
        #expect(bench.effects.watched == [process])
        bench.machine.processEnded(process, into: &bench.effects)
        #expect(bench.check(1).goneReason == .processEnded)
        #expect(reply(bench.acquire(request))?.goneReason == .processEnded)
    }

    @Test func aGrantThatWasTakenBackFreesItsRequest() throws {
        var bench = try Bench()
        bench.token(asking("a/1", request: "r"))
        bench.machine.takeBack(1, into: &bench.effects)
        bench = try successor(of: bench)
        bench.begin(at: at(0))
        #expect(bench.check(1).goneReason == .disconnected)
        #expect(bench.token(asking("a/2", request: "r")) == 2)
    }

    @Test func aGrantOfWhichARetryWasToldIsNotTakenBack() throws {
        let bench = try Bench()
        bench.token(asking("a/1", request: "r"))
        bench.machine.noteToldAgain(1)
        bench.machine.takeBack(1, into: &bench.effects)
        #expect(bench.leaseCount == 1)
    }

    /// The last 10,000 that ended: one more, and the first is unknown; also over a restart and a compaction.
    @Test func tenThousandAreRemembered() throws {
        var bench = try Bench()
        var request = asking("a/1", request: "first")
        request.keys = Keys(key("a/1"), [key("a/2")])
        let retry = request
        _ = bench.release(try #require(bench.token(request)))
        bench.token(asking("b/1"))
        for number in 2...Limits.endedRememberedMax {
            request.request = Text("r\(number)")
            request.keys = Keys(key("a/\(number % 7)"))
            _ = bench.release(try #require(bench.token(request)))
        }
        #expect(reply(bench.acquire(retry))?.goneReason == .released)
        bench = try successor(of: bench)
        #expect(bench.check(1).goneReason == .released)
        bench.machine.beginSnapshot()
        #expect(bench.machine.drawSnapshot(count: 1) == false)
        // Meanwhile two more end, and push out one that is drawn and one whose turn had not come.
        bench.effects.removeAll()
        _ = bench.release(try #require(bench.token(asking("a/9"))))
        _ = bench.release(try #require(bench.token(asking("a/9"))))
        #expect(bench.check(3).goneReason == nil)
        #expect(bench.check(4).goneReason == .released)
        while !bench.machine.drawSnapshot(count: 1) {}
        var lines: [Change] = []
        bench.machine.takeSnapshotLines(into: &lines)
        #expect(lines.count == Limits.endedRememberedMax + 1)
        let last = bench.machine.sequence
        let next = try Bench()
        for line in lines {
            try next.machine.recover(Record(sequence: last, at: at(0), change: line))
        }
        for record in bench.effects.records {
            try next.machine.recover(record)
        }
        next.machine.finishRecovery(lastSequence: last)
        #expect(next.machine.portrait() == bench.machine.portrait())
        #expect(next.check(1).goneReason == nil)
        #expect(reply(next.acquire(retry))?.grantedToken == bench.machine.lastToken + 1)
        // The next picture begins with the oldest, wherever in the ring it stands.
        bench.machine.beginSnapshot()
        while !bench.machine.drawSnapshot(count: 1) {}
        bench.machine.takeSnapshotLines(into: &lines)
        #expect(lines == bench.machine.portrait())
        guard case .remembered(let oldest)? = lines.first else { throw Difference(description: "no end") }
        #expect(oldest.token == 4)
    }

    /// Each lease changes before its turn to be drawn has come: its line still stands before its change.
    @Test func whatChangesIsDrawnFirst() throws {
        var bench = try Bench()
        for number in 1...4 {
            bench.token(ephemeral("a/\(number)", ttl: 100, request: "r\(number)"))
        }
        bench = try successor(of: bench)
        bench.begin(at: at(1))
        let (sequence, instant) = (bench.machine.sequence, bench.machine.lastInstant)
        let start = Start(boot: Text("b"), shift: 0, lastToken: bench.machine.lastToken)
        var log = [Record(sequence: sequence, at: instant, change: .started(start))]
        bench.machine.beginSnapshot()
        _ = bench.records()
        var lines: [Change] = []
        func take() {
            bench.machine.takeSnapshotLines(into: &lines)
            log += lines.map { Record(sequence: log.last!.sequence, at: log.last!.at, change: $0) }
            log += bench.records()
        }
        #expect(bench.release(2).goneReason == nil)
        take()
        #expect(bench.token(ephemeral("a/4", ttl: 100, request: "r4")) == 4)
        take()
        #expect(bench.renew(RenewRequest(token: 3, ttl: .seconds(7))) != nil)
        bench.token(asking("a/2"))
        take()
        while !bench.machine.drawSnapshot(count: 1) { take() }
        take()
        let next = try Bench()
        for record in log {
            try next.machine.recover(record)
        }
        next.machine.finishRecovery(lastSequence: bench.machine.sequence)
        #expect(next.machine.portrait() == bench.machine.portrait())
        #expect(next.leaseCount == 4 && next.check(2) == bench.check(2))
    }

    /// More pictures than their number can count, most of them given up.
    @Test func sixHundredCompactionsInARow() throws {
        let bench = try Bench()
        var lines: [Change] = []
        for round in 0..<600 {
            bench.token(asking("a/\(round)"))
            bench.machine.beginSnapshot()
            guard round % 255 == 0 else {
                bench.machine.abandonSnapshot()
                continue
            }
            while !bench.machine.drawSnapshot(count: 7) {}
            bench.machine.takeSnapshotLines(into: &lines)
            #expect(lines == bench.machine.portrait())
        }
    }
}

// Single flight, one story at a time: what the random talk can't reach, or would only reach by chance.

import LeaseModel
import Testing

@testable import LeaseCore

@Suite struct SharingTests {
    private func joining(_ name: String, wait: Int64 = 60) -> AcquireRequest {
        var request = asking(name, wait: wait)
        request.joins = true
        return request
    }

    private func release(_ bench: Bench, _ token: Token, _ result: String, keep: Int64? = nil) -> Reply {
        let request = ReleaseRequest(
            token: token, result: Text(result), keep: keep.map { Duration.seconds($0) })
        return bench.machine.release(request, from: bench.caller.forCore, into: &bench.effects)
    }

    private func done(_ outcome: Outcome) -> Done? {
        if case .done(let done)? = reply(outcome) { done } else { nil }
    }

    /// On a full disk the end is recorded and who joined gets the result, but it is not kept.
    @Test func withoutRoomAResultIsForThoseInLineAlone() throws {
        let bench = try Bench()
        let old = try #require(bench.token(asking("a/1")))
        #expect(release(bench, old, "old", keep: 60) == .released(token: 1, held: .zero, kept: .seconds(60)))
        let token = try #require(bench.token(asking("a/1")))
        #expect(bench.waiter(asking("a/1", wait: 60)) != nil)
        // What is kept answers a join at once, so only who comes without one joins the line.
        #expect(done(bench.acquire(joining("a/1")))?.result == Text("old"))
        bench.room = Room(logBytes: 0, tokens: 0, sequences: 0)
        _ = bench.records()
        #expect(release(bench, token, "new", keep: 60) == .released(token: token, held: .zero))
        #expect(
            bench.records().map(\.change) == [
                .ended(Ending(token: token, reason: .released)),
                .forgotten(Forgetting(token: old, key: nil, reason: .replaced)),
            ])
        bench.room = .unlimited
        bench.grantStarved()
        #expect(bench.answers().map(\.grantedToken) == [3])
        #expect(bench.waiter(joining("a/1")) != nil)
        bench.room = Room(logBytes: 0, tokens: 0, sequences: 0)
        #expect(release(bench, 3, "newest", keep: 60) == .released(token: 3, held: .zero))
        #expect(bench.answers() == [.done(Done(token: 3, result: Text("newest"), waited: .zero))])
    }

    /// What is taken for a result is what its record and those of its forgetting may need at most; and that
    /// is what is owed from then on.
    @Test func aResultPaysForItsForgetting() throws {
        let bench = try Bench()
        let token = try #require(bench.token(asking("a/1", "a/2")))
        let owed = bench.machine.owedBytes
        let room = Room(logBytes: 10_000, tokens: 0, sequences: 5)
        bench.room = room
        #expect(release(bench, token, "done", keep: 60) != .released(token: token, held: .zero))
        guard case .kept(let kept)? = bench.records().last?.change else {
            throw Difference(description: "nothing is kept")
        }
        let ends = 2 * RecordSize.forgetting
        #expect(room.logBytes - bench.room.logBytes == RecordSize.bound(of: kept) + ends)
        #expect(bench.room.sequences == 2)
        #expect(bench.machine.owedBytes == owed - RecordSize.ending - RecordSize.endingPerKey + ends)
        #expect(bench.machine.owedSequences == 2)
        bench.room = Room(logBytes: 0, tokens: 0, sequences: 0)
        for name in ["a/1", "a/2"] {
            let reply = bench.machine.forget(key(name), from: bench.caller.forCore, into: &bench.effects)
            #expect(reply == .forgotten(token: token, age: .zero))
        }
        #expect(
            bench.records().map(\.change) == [
                .forgotten(Forgetting(token: token, key: key("a/1"), reason: .asked)),
                .forgotten(Forgetting(token: token, key: nil, reason: .asked)),
            ])
        #expect(bench.machine.owedBytes == 0 && bench.machine.keptBytes == 0)
    }

    /// Where very much is due at once, a request may come before the result's turn to be forgotten.
    @Test func aResultWhoseTimeIsOverAnswersNobody() throws {
        let bench = try Bench("kind a x ttl=10s keep=10s")
        bench.token(asking("a/2"))
        bench.token(asking("a/3"))
        #expect(release(bench, try #require(bench.token(asking("a/1"))), "done").goneReason == nil)
        #expect(!bench.advance(to: 10, budget: 1))
        #expect(bench.machine.clock == at(10) && bench.machine.keptBytes > 0)
        guard case .key(let view) = bench.machine.view(key("a/1"), limit: 9, for: nil) else {
            throw Difference(description: "no view")
        }
        #expect(view.kept == nil)
        let reply = bench.machine.forget(key("a/1"), from: bench.caller.forCore, into: &bench.effects)
        #expect(reply == .refused(.nothingKept(key("a/1"))))
        #expect(bench.token(joining("a/1")) != nil)
        #expect(bench.machine.keptBytes == 0)
        bench.advance(to: 10)
    }

    /// A reload has given the key a second slot: who waits for the work goes on waiting for it, and what is
    /// behind takes the slots that are left.
    @Test func whoJoinedWaitsOnWhereThereAreMoreSlotsNow() throws {
        let bench = try Bench("kind a x ttl=10s")
        let first = try #require(bench.token(asking("a/1")))
        #expect(bench.waiter(joining("a/1")) != nil)
        #expect(bench.waiter(joining("a/1")) != nil)
        #expect(bench.waiter(asking("a/1", wait: 60)) != nil)
        giveSlots(3, "a/1", bench)
        #expect(bench.answers().isEmpty)
        #expect(reply(bench.acquire(joining("a/1"))) == cannotJoin("a/1", 3))
        giveSlots(4, "a/1", bench)
        #expect(bench.answers().map(\.grantedToken) == [2])
        // One holder is not done.
        #expect(bench.release(first).goneReason == nil)
        #expect(bench.answers().isEmpty && bench.waiterCount == 2)
        // The last one ends without a result: the first who joined does the work, the other waits for it.
        #expect(bench.release(2).goneReason == nil)
        #expect(bench.answers().map(\.grantedToken) == [3])
        #expect(release(bench, 3, "done").goneReason == nil)
        #expect(bench.answers() == [.done(Done(token: 3, result: Text("done"), waited: .zero))])
    }

    /// Nobody holds the key, which has more slots now; but who is before it waits for another one as well.
    @Test func whoJoinedPassesNobodyWhereThereAreMoreSlotsNow() throws {
        let bench = try Bench("kind a x ttl=10s\nkind b x ttl=10s")
        let (first, other) = (bench.token(asking("a/1")), bench.token(asking("b/1")))
        #expect(bench.waiter(asking("a/1", "b/1", wait: 60)) != nil)
        #expect(bench.waiter(joining("a/1")) != nil)
        #expect(bench.release(try #require(first)).goneReason == nil)
        giveSlots(3, "a/1", bench)
        #expect(bench.answers().isEmpty)
        #expect(bench.release(try #require(other)).goneReason == nil)
        #expect(bench.answers().map(\.grantedToken) == [3])
    }

    /// A slot rests after the last holder: whoever joined does not take another one that a reload gave the
    /// key.
    @Test func whoJoinedWaitsForASlotThatRests() throws {
        let bench = try Bench("kind a x ttl=10s lock-delay=5s")
        bench.token(asking("a/1"))
        #expect(bench.waiter(joining("a/1")) != nil)
        giveSlots(3, "a/1", bench)
        bench.advance(to: 10)
        #expect(bench.answers().isEmpty)
        bench.advance(to: 15)
        #expect(bench.answers().map(\.grantedToken) == [2])
    }

    private func cannotJoin(_ name: String, _ limit: Int) -> Reply {
        .refused(.cannotJoin(.severalSlots(key(name), limit: limit)))
    }

    private func giveSlots(_ limit: Int, _ name: String, _ bench: Bench) {
        let slot = bench.machine.ledger.keySlot(key(name))
        bench.machine.ledger.rules[Int(bench.machine.ledger.keys[slot].rules)].limit = limit
        var entrants: [WaiterID] = []
        bench.machine.refreshFront(slot, entrants: &entrants)
        bench.machine.promote(entrants, into: &bench.effects)
    }

    /// The clock began anew at 0, 20 s after the last record.
    @Test func overARebootAResultGoesOnByTheWallClock() throws {
        let bench = try Bench()
        bench.advance(to: 1_000)
        for (name, keep) in [("a/1", Int64(30)), ("a/2", 10), ("a/3", 60)] {
            #expect(release(bench, try #require(bench.token(asking(name))), name, keep: keep) != .ok)
        }
        let next = try Bench()
        for record in bench.records() { try next.machine.recover(record) }
        next.machine.finishRecovery(lastSequence: bench.machine.sequence)
        next.begin(rebooted: true, shift: -1_019_000_000_000, at: at(1))
        next.advance(to: 1)
        #expect(done(next.acquire(joining("a/1")))?.age == .seconds(20))
        #expect(next.token(joining("a/2")) == 4)
        next.advance(to: 11)
        #expect(next.token(joining("a/1")) == 5)
        #expect(done(next.acquire(joining("a/3")))?.age == .seconds(30))
        #expect(next.machine.owedSequences == 2)
    }

    /// A key is kept in mind by its result alone, and let go with it.
    @Test func aKeyThatNobodyUsesIsForgottenWithItsResult() throws {
        let bench = try Bench()
        #expect(release(bench, try #require(bench.token(asking("a/1"))), "done", keep: 20) != .ok)
        for number in 2...Limits.endedRememberedMax + 1 {
            _ = bench.release(try #require(bench.token(asking("b/\(number % 2)"))))
        }
        #expect(bench.keyCount == 3)
        #expect(done(bench.acquire(joining("a/1")))?.token == 1)
        bench.advance(to: 20)
        #expect(bench.keyCount == 2)
    }

    /// The first of a lease's bounded results is the one that may not go, also where it is the older one.
    @Test func whatWasJustKeptIsNotDropped() throws {
        var limits = Limits()
        limits.keptPerUserMax = 1
        let bench = try Bench(limits: limits)
        let (first, second) = (bench.token(asking("a/1")), bench.token(asking("a/2")))
        #expect(release(bench, try #require(second), "second", keep: 60) != .ok)
        #expect(release(bench, try #require(first), "first", keep: 60) != .ok)
        #expect(done(bench.acquire(joining("a/1")))?.result == Text("first"))
        #expect(bench.machine.owedSequences == 1)
    }
}

// What happens when what was set aside ahead is used up, and where the bounds are.

import LeaseModel
import Testing

@testable import LeaseCore

@Suite struct RoomTests {
    static let rooms = [
        Room(logBytes: 300, tokens: 9, sequences: 9), Room(logBytes: 1 << 20, tokens: 0, sequences: 9),
        Room(logBytes: 1 << 20, tokens: 9, sequences: 1),
    ]

    @Test(arguments: rooms)
    func withoutRoomNothingIsGrantedAndWhoWaitsStays(room: Room) throws {
        let bench = try Bench()
        let holder = try #require(bench.token(asking("a/1")))
        let second = bench.waiter(asking("a/1", wait: 60))
        let third = bench.waiter(asking("a/1", wait: 60))
        #expect(second != nil && third != nil)
        bench.room = room
        #expect(reply(bench.acquire(asking("a/2")))?.isNoSpace == true)
        #expect(bench.room == room)
        #expect(bench.release(holder) == .released(token: holder, held: .zero))
        #expect(bench.answers().isEmpty)
        #expect(bench.hasStarved)
        #expect(bench.leaseCount == 0 && bench.waiterCount == 2)
        // Its turn has come: nobody passes it.
        guard case .busy(let busy)? = reply(bench.acquire(asking("a/1"))) else {
            throw Difference(description: "")
        }
        #expect(busy.reason == .queued && busy.holder == nil && busy.waiting == 2 && busy.ahead == Text("c1"))
        bench.room = .unlimited
        bench.grantStarved()
        let answers = bench.answers()
        #expect(answers == [.granted(token: 2, ttl: .seconds(10), waited: .zero, again: false)])
        #expect(!bench.hasStarved)
    }

    @Test func aRenewalNeedsRoomAndAnEndDoesNot() throws {
        let bench = try Bench()
        let token = try #require(bench.token(asking("a/1")))
        bench.room = Room(logBytes: 0, tokens: 0, sequences: 0)
        #expect(bench.renew(RenewRequest(token: token))?.isNoSpace == true)
        #expect(bench.evict(token, note: Text("why")).isNoSpace)
        #expect(bench.evict(token) == .released(token: 1, held: .zero))
    }

    /// What is taken for a grant is what its two records may need at most.
    @Test func aGrantPaysForItsEnd() throws {
        let bench = try Bench()
        let request = asking("a/1", "a/2", request: "r")
        bench.room = Room(logBytes: 10_000, tokens: 2, sequences: 4)
        bench.token(request)
        guard case .granted(let grant)? = bench.records().first?.change else {
            throw Difference(description: "")
        }
        let ending = RecordSize.ending + RecordSize.endingPerKey
        let bytes = 10_000 - RecordSize.bound(of: grant) - ending
        #expect(bench.room == Room(logBytes: bytes, tokens: 1, sequences: 2))
        bench.room.logBytes = RecordSize.bound(of: grant) + ending
        #expect(bench.token(asking("b/1", "b/2", request: "r")) == nil)
        #expect(bench.token(asking("b/1", "b/2", request: "s")) == 2)
        #expect(bench.room == Room(logBytes: 0, tokens: 0, sequences: 0))
    }

    @Test func anOrphansNewBindingNeedsRoom() throws {
        let bench = try Bench()
        var request = asking("a/1", request: "r")
        request.isEphemeral = true
        bench.token(request)
        bench.begin(at: at(0))
        bench.room = Room(logBytes: 0, tokens: 0, sequences: 0)
        #expect(reply(bench.acquire(request))?.isNoSpace == true)
        bench.room = .unlimited
        #expect(bench.token(request) == 1)
    }

    @Test func whoWaitsCountsAgainstTheLeasesWhenItsTurnComes() throws {
        var limits = Limits()
        limits.leasesPerUserMax = 2
        let bench = try Bench(limits: limits)
        let other = Bench.caller(2, uid: 7)
        let first = try #require(bench.token(asking("a/1"), by: other))
        bench.token(asking("a/2"))
        #expect(bench.waiter(asking("a/1", wait: 9)) != nil)
        #expect(bench.waiter(asking("a/1", wait: 9), by: other) != nil)
        bench.token(asking("a/3"))
        let refusal = Refusal.tooManyLeases(max: 2, flag: "--leases-per-user-max")
        #expect(reply(bench.acquire(asking("a/4"))) == .refused(refusal))
        _ = bench.machine.release(ReleaseRequest(token: first), from: other.forCore, into: &bench.effects)
        let answers = bench.answers()
        #expect(answers.count == 2 && answers[0] == .refused(refusal) && answers[1].grantedToken == 4)
    }

    @Test func linesHaveBounds() throws {
        var limits = Limits()
        limits.waitersMax = 3
        limits.waitersPerUserMax = 2
        let bench = try Bench(limits: limits)
        bench.token(asking("a/1"))
        let first = try #require(bench.waiter(asking("a/1", wait: 9)))
        #expect(bench.waiter(asking("a/1", wait: 9)) != nil)
        #expect(
            reply(bench.acquire(asking("a/1", wait: 9)))
                == .refused(.tooManyWaiters(max: 2, flag: "--waiters-per-user-max")))
        let other = Bench.caller(2, uid: 7)
        #expect(bench.waiter(asking("a/1", wait: 9), by: other) != nil)
        #expect(
            reply(bench.acquire(asking("a/1", wait: 9), by: other))
                == .refused(.tooManyWaiters(max: 3, flag: "--waiters-max")))
        bench.cancel(first)
        bench.cancel(first)
        #expect(bench.answers().count == 1)
        #expect(bench.waiter(asking("a/1", wait: 9)) != nil)
    }

    /// A request counts once for each key with a `rate`, also after its lease has ended.
    @Test func grantsThatARateCountsHaveBounds() throws {
        var limits = Limits()
        limits.countedGrantsMax = 5
        limits.countedGrantsPerUserMax = 3
        let bench = try Bench("kind a x rate=9/1m ttl=10s\nkind b x ttl=10s", limits: limits)
        let other = Bench.caller(2, uid: 7)
        let token = try #require(bench.token(asking("a/1", "b/1", "a/2")))
        #expect(
            reply(bench.acquire(asking("a/3", "a/4")))
                == .refused(.tooManyCounted(max: 3, flag: "--counted-grants-per-user-max")))
        #expect(bench.token(asking("a/3")) != nil)
        _ = bench.release(token)
        #expect(
            reply(bench.acquire(asking("a/5")))
                == .refused(.tooManyCounted(max: 3, flag: "--counted-grants-per-user-max")))
        #expect(bench.token(asking("b/2")) != nil)
        #expect(
            reply(bench.acquire(asking("a/5", "a/6", "a/7"), by: other))
                == .refused(.tooManyCounted(max: 5, flag: "--counted-grants-max")))
        guard case .granted? = reply(bench.acquire(asking("a/5", "a/6"), by: other)) else {
            throw Difference(description: "the fifth is within the bound")
        }
    }

    @Test func whoJoinsHasBoundsOfItsOwn() throws {
        var limits = Limits()
        limits.joinersMax = 3
        limits.joinersPerUserMax = 2
        let bench = try Bench(limits: limits)
        let holder = try #require(bench.token(asking("a/1")))
        var joining = asking("a/1", wait: 9)
        joining.joins = true
        let first = try #require(bench.waiter(joining))
        #expect(bench.waiter(joining) != nil)
        #expect(bench.waiter(asking("a/1", wait: 9)) != nil)
        #expect(
            reply(bench.acquire(joining))
                == .refused(.tooManyWaiters(max: 2, flag: "--joiners-per-user-max")))
        let other = Bench.caller(2, uid: 7)
        #expect(bench.waiter(joining, by: other) != nil)
        #expect(
            reply(bench.acquire(joining, by: other))
                == .refused(.tooManyWaiters(max: 3, flag: "--joiners-max")))
        bench.cancel(first)
        #expect(bench.waiter(joining, by: other) != nil)
        let done = ReleaseRequest(token: holder, result: Text("done"))
        _ = bench.machine.release(done, from: bench.caller.forCore, into: &bench.effects)
        #expect(bench.waiterCount == 0)
        #expect(bench.waiter(joining) != nil && bench.waiter(joining) != nil)
    }

    @Test func aKeyThatNobodyUsesIsForgotten() throws {
        let bench = try Bench()
        _ = bench.acquire(asking("a/1", "z/1"))
        bench.room = Room(logBytes: 0, tokens: 0, sequences: 0)
        _ = bench.acquire(asking("a/1", "b/1"))
        #expect(bench.keyCount == 0)
        bench.room = .unlimited
        bench.token(asking("a/1"))
        _ = bench.acquire(asking("b/1", "a/1"))
        #expect(bench.keyCount == 1)
        let waiter = try #require(bench.waiter(asking("b/1", "a/1", wait: 1)))
        #expect(bench.keyCount == 2)
        bench.cancel(waiter)
        #expect(bench.keyCount == 1)
    }
}

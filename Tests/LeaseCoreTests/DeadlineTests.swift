// Deadlines: to the nanosecond, and where more are due than one pass can deal with.

import LeaseModel
import Testing

@testable import LeaseCore

@Suite struct DeadlineTests {
    @Test(arguments: [true, false])
    func aLeaseIsAliveUntilItsDeadlineAndNotAtIt(isManual: Bool) throws {
        var machine = Machine(
            policy: .builtIn, limits: Limits(), hasManualClock: isManual, seed: 1)
        var effects = Effects()
        let caller = Bench.caller(1).forCore
        var request = asking("user/1")
        request.ttl = .seconds(3)
        _ = machine.acquire(request, process: .notLookedAt, from: caller, into: &effects)
        _ = machine.advance(to: at(3) - Duration(nanoseconds: 1), budget: .max, into: &effects)
        #expect(machine.leaseCount == 1)
        guard case .checked(let view) = machine.check(1, into: &effects) else {
            throw Difference(description: "not alive")
        }
        #expect(view.left == Duration(nanoseconds: 1))
        _ = machine.advance(to: at(3), budget: .max, into: &effects)
        let reply = machine.check(1, into: &effects)
        #expect(reply == .gone(Gone(token: 1, reason: .expired, ago: .zero, next: 0)))
        #expect(effects.records.last?.at == at(3))
    }

    /// A connection is gone, and somebody behind it is granted, before the pass deals with deadlines.
    @Test(arguments: [true, false])
    func whatIsGrantedBeforeDeadlinesAreSeenHasItsWholeTTL(isManual: Bool) throws {
        var machine = Machine(policy: .builtIn, limits: Limits(), hasManualClock: isManual, seed: 1)
        var effects = Effects()
        var request = asking("user/1", wait: 60)
        request.isShared = true
        request.ttl = .seconds(10)
        let (first, second) = (Bench.caller(1).forCore, Bench.caller(2).forCore)
        _ = machine.acquire(request, process: .notLookedAt, from: first, into: &effects)
        request.isShared = false
        _ = machine.acquire(request, process: .notLookedAt, from: second, into: &effects)
        request.isShared = true
        _ = machine.acquire(request, process: .notLookedAt, from: first, into: &effects)
        machine.tick(to: at(9))
        machine.dropWaiters(of: [2], into: &effects)
        #expect(effects.answers.map(\.reply.grantedToken) == [2])
        _ = machine.advance(to: at(9), budget: .max, into: &effects)
        let portrait = machine.portrait()
        let deadlines = portrait.compactMap { if case .held(let lease) = $0 { lease.deadline } else { nil } }
        #expect(deadlines == [at(10), at(isManual ? 10 : 19)])
    }

    /// On the manual clock each deadline comes at its own instant, and what is granted by it begins then.
    @Test func everyDeadlineOnTheWayComesInOrder() throws {
        let bench = try Bench()
        bench.token(asking("a/1"))
        for _ in 0..<3 {
            #expect(bench.waiter(asking("a/1", wait: 25)) != nil)
        }
        bench.advance(to: 1_000)
        let instants = bench.records().map(\.at)
        #expect(instants == [at(0), at(10), at(10), at(20), at(20), at(30)])
        let answers = bench.answers()
        #expect(answers.prefix(2).map(\.grantedToken) == [2, 3])
        guard case .busy(let busy)? = answers.last else { throw Difference(description: "not busy") }
        #expect(busy.reason == .timeout && busy.waited == .seconds(25) && busy.holder?.token == 3)
        #expect(bench.machine.clock == at(1_000))
    }

    /// So many are due that a pass does not come to their end: requests in between must not revive any.
    @Test func whatIsDueIsGoneBeforeItsTurn() throws {
        let bench = try Bench()
        for number in 1...6 {
            bench.token(asking("a/\(number)", request: "r\(number)"))
        }
        #expect(!bench.advance(to: 10, budget: 1))
        #expect(bench.leaseCount == 5)
        let gone = Reply.gone(Gone(token: 2, reason: .expired, ago: .zero, next: 0))
        // What is said to be gone is written down as such, or a crash would bring it back.
        #expect(bench.check(2) == gone)
        #expect(bench.leaseCount == 4)
        #expect(bench.renew(RenewRequest(token: 2)) == gone)
        #expect(bench.release(3).goneReason == .expired)
        #expect(bench.evict(4).goneReason == .expired)
        #expect(reply(bench.acquire(asking("a/5", request: "r5")))?.goneReason == .expired)
        #expect(bench.leaseCount == 1)
        #expect(bench.advance(to: 10, budget: 1))
        #expect(bench.leaseCount == 0)
    }

    @Test func theLastInstantIsNotPassed() throws {
        let bench = try Bench("kind a x")
        var request = asking("a/1")
        request.ttl = .forever
        bench.token(request)
        request.wait = Duration(nanoseconds: .max - 1)
        #expect(bench.waiter(request) != nil)
        bench.advance(to: 3_650 * 86_400)
        #expect(bench.leaseCount == 1 && bench.waiterCount == 1)
    }
}

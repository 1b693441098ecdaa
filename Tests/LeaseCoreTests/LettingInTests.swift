// Very many who are let in together come in slices: in their order, passed by nobody, and all of them.

import LeaseModel
import Testing

@testable import LeaseCore

@Suite struct LettingInTests {
    private static func shared(_ name: String, wait: Int64 = 60, priority: Int = 0) -> AcquireRequest {
        var request = asking(name, wait: wait)
        request.isShared = true
        request.priority = priority
        return request
    }

    /// Ten shared ones behind an exclusive one that ends, of whom three may come with one pass.
    private static func lettingIn(isManual: Bool = true, wait: Int64 = 60) throws -> Bench {
        let bench = try Bench("kind a x ttl=1h", isManual: isManual)
        let holder = try #require(bench.token(asking("a/1")))
        for _ in 0..<10 { _ = try #require(bench.waiter(shared("a/1", wait: wait))) }
        bench.letMoreIn(count: 3)
        #expect(bench.release(holder) == .released(token: holder, held: .zero))
        #expect(bench.grantedTokens() == [2, 3, 4])
        #expect(bench.hasMoreToLetIn)
        return bench
    }

    @Test func allComeSliceBySlice() throws {
        let bench = try Self.lettingIn()
        bench.letMoreIn(count: 3)
        #expect(bench.grantedTokens() == [5, 6, 7])
        bench.letMoreIn(count: 3)
        #expect(bench.grantedTokens() == [8, 9, 10])
        #expect(bench.hasMoreToLetIn)
        bench.letMoreIn(count: 3)
        #expect(bench.grantedTokens() == [11])
        #expect(!bench.hasMoreToLetIn && bench.waiterCount == 0)
    }

    /// Whatever else happens meanwhile, it brings no more of them than the pass may.
    @Test func anEndInBetweenBringsNoMoreOfThem() throws {
        let bench = try Self.lettingIn()
        _ = bench.release(2)
        _ = bench.release(3)
        _ = bench.release(4)
        #expect(bench.grantedTokens().isEmpty && bench.waiterCount == 7)
        guard case .busy(let busy)? = reply(bench.acquire(asking("a/1"))) else {
            throw Difference(description: "an exclusive one passes those whose turn has come")
        }
        #expect(busy.reason == .queued)
    }

    @Test func anExclusiveOneThatComesBeforeThemIsNotPassed() throws {
        let bench = try Self.lettingIn()
        var urgent = asking("a/1", wait: 60)
        urgent.priority = 9
        #expect(bench.waiter(urgent) != nil)
        bench.letMoreIn(count: 100)
        #expect(bench.grantedTokens().isEmpty)
        for token: Token in 2...4 { _ = bench.release(token) }
        #expect(bench.grantedTokens() == [5])
        bench.letMoreIn(count: 100)
        #expect(bench.grantedTokens().isEmpty)
        _ = bench.release(5)
        #expect(bench.grantedTokens() == Array(6...12))
        #expect(!bench.hasMoreToLetIn)
    }

    /// A wait that ends while others are let in before it does not end on a key that is free.
    @Test func whoseWaitEndsMeanwhileIsGranted() throws {
        let bench = try Self.lettingIn(isManual: false, wait: 5)
        #expect(!bench.advance(to: 6, budget: 2))
        #expect(bench.grantedTokens() == [5, 6])
        #expect(bench.advance(to: 6))
        #expect(bench.grantedTokens() == Array(7...11))
        bench.letMoreIn(count: 3)
        #expect(!bench.hasMoreToLetIn && bench.waiterCount == 0)
    }

    @Test func theManualClockStandsStillUntilAllAreIn() throws {
        let bench = try Self.lettingIn(wait: 5)
        #expect(!bench.advance(to: 6))
        #expect(bench.machine.clock == at(0))
        bench.letMoreIn(count: 100)
        #expect(bench.grantedTokens() == Array(5...11))
        #expect(bench.advance(to: 6))
    }

    /// Where there is no room no more than a slice of them waits for it: all of those are granted at once.
    @Test func withoutRoomNoMoreComeThanASlice() throws {
        let bench = try Self.lettingIn()
        bench.room = Room(logBytes: 1 << 20, tokens: 0, sequences: 9)
        bench.letMoreIn(count: 3)
        bench.letMoreIn(count: 3)
        #expect(bench.hasStarved && !bench.machine.mayLetMoreIn)
        bench.room = .unlimited
        bench.letMoreIn(count: 3)
        bench.grantStarved()
        #expect(bench.grantedTokens() == [5, 6, 7])
        bench.letMoreIn(count: 100)
        #expect(bench.grantedTokens() == Array(8...11))
    }

    /// Room that may never come holds up neither the manual clock nor a drain.
    @Test func whoHasNoRoomHoldsNothingUp() throws {
        for drains in [false, true] {
            let bench = try Self.lettingIn(wait: 5)
            bench.room = Room(logBytes: 1 << 20, tokens: 0, sequences: 9)
            bench.letMoreIn(count: 3)
            #expect(bench.hasStarved && bench.hasMoreToLetIn)
            if drains {
                bench.machine.drain(into: &bench.effects)
                #expect(!bench.hasStarved && !bench.hasMoreToLetIn && bench.waiterCount == 0)
            }
            #expect(bench.advance(to: 6))
            #expect(bench.machine.clock == at(6))
        }
    }

    /// Who waits for two keys, both of which let in slice by slice, is let in when both have come so far.
    @Test func whoWaitsForTwoSuchKeysIsLetIn() throws {
        let bench = try Bench("kind a x ttl=1h")
        let holders = try [#require(bench.token(asking("a/1"))), #require(bench.token(asking("a/2")))]
        var both = asking("a/1", "a/2", wait: 60)
        both.isShared = true
        for _ in 0..<4 {
            _ = try #require(bench.waiter(Self.shared("a/1")))
            _ = try #require(bench.waiter(both))
            _ = try #require(bench.waiter(Self.shared("a/2")))
        }
        bench.letMoreIn(count: 2)
        for holder in holders { _ = bench.release(holder) }
        for _ in 0..<12 where bench.hasMoreToLetIn { bench.letMoreIn(count: 2) }
        #expect(bench.waiterCount == 0 && bench.leaseCount == 12)
        #expect(!bench.hasMoreToLetIn)
    }
}

extension Bench {
    fileprivate var hasMoreToLetIn: Bool { machine.hasMoreToLetIn }

    fileprivate func letMoreIn(count: Int) {
        machine.letMoreIn(count: count, into: &effects)
    }

    /// Of those who were granted since the last call, in the order in which they were told.
    fileprivate func grantedTokens() -> [Token] {
        answers().compactMap { if case .granted(let token, _, _, _) = $0 { token } else { nil } }
    }
}

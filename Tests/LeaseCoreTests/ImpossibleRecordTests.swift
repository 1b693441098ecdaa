// Records that can't follow from those before them: each kind is named in words, and none ends the process.

import LeaseModel
import Testing

@testable import LeaseCore

@Suite struct ImpossibleRecordTests {
    private func grant(_ token: Token, _ names: String..., isShared: Bool = false) -> Grant {
        Grant(
            token: token, keys: keys(names), owner: Text("o"), uid: 1, pid: 1, ttl: .seconds(30),
            isShared: isShared)
    }

    private func held(_ token: Token, _ names: String..., isShared: Bool = false) -> Change {
        let grant = Grant(
            token: token, keys: keys(names), owner: Text("o"), uid: 1, pid: 1, ttl: .seconds(30),
            isShared: isShared)
        return .held(
            HeldLease(
                grant: grant, grantedAt: at(0), ownDeadline: at(30), deadline: at(30), orphanedAt: nil))
    }

    private func keys(_ names: [String]) -> Keys {
        Keys(key(names[0]), names.dropFirst().map { key($0) })
    }

    private func ended(_ token: Token, rests: [Duration] = []) -> Change {
        .ended(Ending(token: token, reason: .released, rests: rests))
    }

    private func remembered(_ token: Token, newest: Token? = nil) -> Change {
        .remembered(
            EndedLease(
                token: token, reason: .released, endedAt: at(0), keys: Keys(key("a/1")), isShared: false,
                uid: 1, request: nil, newestThen: newest ?? token))
    }

    private func result(_ token: Token, _ names: String...) -> KeptResult {
        KeptResult(
            token: token, keys: keys(names), owner: Text("o"), uid: 1, pid: 1, keep: .seconds(60),
            value: Text("v"))
    }

    private func standing(_ token: Token, _ name: String) -> Change {
        .result(StandingResult(kept: result(token, name), at: at(0)))
    }

    private func resting(_ token: Token, _ name: String = "a/1") -> Change {
        .resting(Rest(token: token, key: key(name), uid: 1, until: at(50)))
    }

    private func forgotten(_ token: Token, _ name: String? = nil) -> Change {
        .forgotten(Forgetting(token: token, key: name.map { key($0) }, reason: .asked))
    }

    /// What is said of the last of these; nil: all of them may follow each other.
    private func wrong(_ changes: Change...) throws -> String? {
        let bench = try Bench()
        var recent = RecentEvents(capacity: 100)
        let records = changes.enumerated().map { place, change in
            Record(sequence: UInt64(place + 1), at: at(1), change: change)
        }
        do throws(ImpossibleRecord) {
            try bench.machine.recover(records, into: &recent)
        } catch {
            #expect(error.index == records.count - 1, "\(error.what)")
            return error.what
        }
        // What was taken is whole: all of it can be ended, and what is written of it is taken again.
        bench.machine.finishRecovery(lastSequence: 100)
        let portrait = bench.machine.portrait()
        let next = try Bench()
        for change in portrait {
            try next.machine.recover(Record(sequence: 101, at: at(1), change: change))
        }
        #expect(next.machine.portrait() == portrait)
        bench.advance(to: 1_000)
        #expect(bench.machine.leaseCount == 0)
        return nil
    }

    @Test func whatIsNotHeldNeitherChangesNorEnds() throws {
        let renewal = Change.renewed(Renewal(token: 1, ttl: .seconds(1)))
        let granted = Change.granted(grant(1, "a/1"))
        #expect(try wrong(granted, renewal, .bound(1), ended(1)) == nil)
        #expect(try wrong(renewal) == "token 1 is not held")
        #expect(try wrong(ended(1)) == "token 1 is not held")
        #expect(try wrong(.bound(1)) == "token 1 is not held")
        #expect(try wrong(granted, ended(1), renewal) == "token 1 is not held")
        #expect(try wrong(granted, ended(1), ended(1)) == "token 1 is not held")
        #expect(try wrong(granted, ended(1), .bound(1)) == "token 1 is not held")
        #expect(try wrong(remembered(1), ended(1)) == "token 1 is not held")
    }

    @Test func aTokenIsGivenOnce() throws {
        let granted = Change.granted(grant(3, "a/1"))
        #expect(try wrong(granted, .granted(grant(4, "a/1"))) == nil)
        #expect(try wrong(granted, granted) == "token 3 is granted after 3")
        #expect(try wrong(granted, ended(3), granted) == "token 3 is granted after 3")
        #expect(try wrong(granted, .granted(grant(2, "a/2"))) == "token 2 is granted after 3")
        let start = Change.started(Start(boot: Text("b"), shift: 0, lastToken: 9))
        #expect(try wrong(start, .granted(grant(9, "a/1"))) == "token 9 is granted after 9")
        let late = remembered(3, newest: 7)
        #expect(try wrong(late, .granted(grant(7, "a/1"))) == "token 7 is granted after 7")
        #expect(try wrong(held(3, "a/1"), held(2, "a/1")) == nil)
        #expect(try wrong(held(3, "a/1"), held(3, "a/2")) == "token 3 is held already")
        #expect(try wrong(held(3, "a/1"), held(1, "a/2"), held(3, "a/3")) == "token 3 is held already")
        #expect(try wrong(granted, held(3, "a/1")) == "token 3 is held already")
        #expect(try wrong(granted, ended(3), held(3, "a/1")) == "token 3 has ended already")
        #expect(try wrong(remembered(3), held(3, "a/1")) == "token 3 has ended already")
    }

    @Test func aTokenEndsOnce() throws {
        let granted = Change.granted(grant(3, "a/1"))
        #expect(try wrong(remembered(3), remembered(2)) == nil)
        #expect(try wrong(remembered(3), remembered(3)) == "token 3 has ended already")
        #expect(try wrong(granted, ended(3), remembered(3)) == "token 3 has ended already")
        #expect(try wrong(granted, remembered(3)) == "token 3 is held already")
        #expect(try wrong(remembered(3, newest: 2)) == "token 3 is newer than the newest, 2")
    }

    /// Who may hold a key beside whom was decided when it was granted.
    @Test func anybodyMayHoldAKeyBesideAnother() throws {
        for areShared in [[false, false], [false, true], [true, false], [true, true]] {
            let granted = areShared.enumerated().map { place, isShared in
                Change.granted(grant(UInt64(place + 1), "a/1", "a/2", isShared: isShared))
            }
            #expect(try wrong(granted[0], granted[1]) == nil)
            #expect(try wrong(granted[0], granted[1], ended(1)) == nil)
            #expect(try wrong(granted[0], granted[1], ended(2)) == nil)
        }
        #expect(try wrong(held(2, "a/1"), held(1, "a/1", isShared: true)) == nil)
    }

    @Test func aLeaseLeavesOneResult() throws {
        #expect(try wrong(.kept(result(1, "a/1")), .kept(result(2, "a/1")), forgotten(2)) == nil)
        let kept = Change.kept(result(1, "a/1", "a/2"))
        #expect(try wrong(kept, kept) == "a result of token 1 is kept already")
        #expect(try wrong(kept, standing(1, "a/3")) == "a result of token 1 is kept already")
        #expect(try wrong(standing(1, "a/1"), standing(2, "a/2")) == nil)
        #expect(try wrong(standing(1, "a/1"), standing(2, "a/1")) == "a/1 has another result already")
    }

    @Test func whatIsNotKeptIsNotForgotten() throws {
        let kept = Change.kept(result(1, "a/1", "a/2"))
        #expect(try wrong(kept, forgotten(1)) == nil)
        #expect(try wrong(kept, forgotten(1, "a/2"), forgotten(1, "a/1")) == nil)
        #expect(try wrong(forgotten(1)) == "no result of token 1 is kept")
        #expect(try wrong(kept, forgotten(1), forgotten(1)) == "no result of token 1 is kept")
        #expect(try wrong(kept, forgotten(1, "a/3")) == "the result of token 1 is not kept for a/3")
        #expect(
            try wrong(kept, .kept(result(2, "a/1")), forgotten(1, "a/1"))
                == "the result of token 1 is not kept for a/1")
        #expect(
            try wrong(kept, .kept(result(2, "a/1", "a/2")), forgotten(1)) == "no result of token 1 is kept")
    }

    @Test func aSlotRestsOnce() throws {
        let granted = Change.granted(grant(1, "a/1", "a/2"))
        let rests = [Duration.seconds(9), .seconds(8)]
        #expect(try wrong(granted, ended(1, rests: rests)) == nil)
        #expect(
            try wrong(granted, ended(1, rests: [.seconds(9)])) == "`rest` has 1 parts, and token 1 2 keys")
        #expect(
            try wrong(granted, ended(1, rests: rests + rests)) == "`rest` has 4 parts, and token 1 2 keys")
        #expect(try wrong(resting(1, "a/1"), resting(1, "a/2"), resting(2, "a/1")) == nil)
        #expect(try wrong(resting(1), resting(1)) == "a/1 rests after token 1 already")
        #expect(try wrong(granted, ended(1, rests: rests), resting(1)) == "a/1 rests after token 1 already")
        #expect(try wrong(granted, resting(1)) == "token 1 is held already")
        #expect(try wrong(resting(1), held(1, "a/1")) == "a slot rests after token 1")
    }
}

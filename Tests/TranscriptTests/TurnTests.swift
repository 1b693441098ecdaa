// A connection that asks for much at once: its first replies go while the rest is still to be decided.

import LeaseCore
import LeaseModel
import LeaseServer
import Testing

private final class Bench {
    private var server: Server
    private var sent: [UInt64: String] = [:]

    init(
        linesPerTurn: Int = .max, looksPerPass: Int = 1 << 16, workPerPass: Int = 4_096,
        linesAlways: Int = 32
    ) {
        var options = ServerOptions()
        options.hasLog = false
        options.looksPerPass = looksPerPass
        options.workPerPass = workPerPass
        options.linesAlways = linesAlways
        server = Server(policy: .builtIn, options: options)
        let moment = Moment(boot: Text("boot-1"), now: .zero, wallMilliseconds: 0)
        _ = server.endRecovery(at: moment)
        server.begin(at: moment, reserved: nil)
        server.linesPerTurn = linesPerTurn
        pass()
    }

    var wantsTurn: Bool { server.wantsTurn }
    /// Lists that are being made.
    var listCount: Int { server.machine.listCount }

    func connect() throws -> UInt64 {
        try server.open(Peer(uid: 0, pid: 7, defaultOwner: Text("nc:7"), isAdministrator: true))
    }

    /// One pass, in which these lines come.
    func pass(_ id: UInt64 = 0, _ lines: String = "") {
        server.beginPass(now: .zero, wallMilliseconds: 0)
        server.advance(to: .zero)
        if !lines.isEmpty { Array(lines.utf8).withUnsafeBytes { server.received(id, $0) } }
        settle()
    }

    /// One pass, in which all this came before any of it is decided.
    func pass(_ arrivals: [(id: UInt64, bytes: String)]) {
        server.beginPass(now: .zero, wallMilliseconds: 0)
        server.advance(to: .zero)
        let all = Array(arrivals.map(\.bytes).joined().utf8)
        all.withUnsafeBytes { room in
            var end = 0
            let parts = arrivals.map { id, bytes in
                defer { end += bytes.utf8.count }
                let part = room[end..<end + bytes.utf8.count]
                return LeaseServer.Arrival(id, UnsafeRawBufferPointer(rebasing: part))
            }
            parts.withUnsafeBufferPointer { server.received($0) }
        }
        settle()
    }

    func hangUp(_ ids: UInt64...) {
        server.beginPass(now: .zero, wallMilliseconds: 0)
        server.hungUp(ids)
        server.advance(to: .zero)
        for id in ids { server.finishGone(id) }
        settle()
    }

    /// It sends nothing more, and reads on.
    func endInput(_ id: UInt64) {
        server.beginPass(now: .zero, wallMilliseconds: 0)
        server.advance(to: .zero)
        server.inputEnded(id)
        settle()
    }

    /// The kernel takes nothing of what is sent meanwhile.
    var isStuck = false

    func take(_ id: UInt64) -> String { sent.removeValue(forKey: id) ?? "" }

    /// How often the policy was to be read.
    private(set) var policyReads = 0

    private func settle() {
        var directives: [Directive] = []
        repeat {
            server.endPass()
            server.takeDirectives(into: &directives)
            for case .readPolicy in directives {
                policyReads += 1
                server.policyRead(.success(.builtIn))
            }
            while let id = server.nextSendable() {
                _ = server.send(id) { bytes in
                    if isStuck { return 0 }
                    sent[id, default: ""] += String(decoding: bytes, as: UTF8.self)
                    return bytes.count
                }
            }
        } while server.hasMoreInThisPass
    }
}

@Suite struct TurnTests {
    private static let six = (1...6).map { "#\($0) ping\n" }.joined()

    private static func answers(_ numbers: ClosedRange<Int>) -> String {
        numbers.map { "#\($0) OK\n" }.joined()
    }

    /// Lines that came together are told of together where only the log wants to know of them; not those that
    /// let somebody in.
    @Test func whoIsLetInIsAnsweredBeforeTheNextLine() throws {
        let bench = Bench()
        let client = try bench.connect()
        bench.pass(client, "acquire user/1 ttl=1s\n#b acquire user/1 ttl=1s wait=1m\n")
        #expect(bench.take(client) == "OK token=1 ttl=1000ms\n")
        bench.pass(client, "release 1\nacquire user/2 ttl=1s\n")
        #expect(
            bench.take(client)
                == "OK token=1 held=0ms\n#b OK token=2 ttl=1000ms waited=0ms\nOK token=3 ttl=1000ms\n")
    }

    @Test func halfOfTheRepliesGoBeforeTheRestIsDecided() throws {
        let bench = Bench(linesPerTurn: 2)
        let id = try bench.connect()
        for (lines, numbers) in [(Self.six, 1...3), ("", 4...5), ("", 6...6)] {
            bench.pass(id, lines)
            #expect(bench.take(id) == Self.answers(numbers))
            #expect(bench.wantsTurn == (numbers.upperBound < 6))
        }
    }

    @Test func whatComesMeanwhileStandsBehindTheRest() throws {
        let bench = Bench(linesPerTurn: 2)
        let id = try bench.connect()
        bench.pass(id, Self.six)
        bench.pass(id, "#7 ping\n")
        while bench.wantsTurn { bench.pass() }
        #expect(bench.take(id) == Self.answers(1...7))
    }

    @Test func whatIsMoreThanOnePassMayCostComesWithTheNextEachInItsTurn() throws {
        let bench = Bench(workPerPass: 4, linesAlways: 1)
        let (first, second, third) = (try bench.connect(), try bench.connect(), try bench.connect())
        let ten = (1...10).map { "#\($0) ping\n" }.joined()
        // Four that came, and one of each; then those that were left over, in turns.
        bench.pass([(first, ten), (second, ten)])
        #expect(bench.take(first) == Self.answers(1...6) && bench.take(second) == Self.answers(1...3))
        // Who comes while others are left over does not stand behind them.
        bench.pass(third, "#1 ping\n")
        #expect(bench.take(third) == "#1 OK\n" && bench.wantsTurn)
        #expect(bench.take(first) == Self.answers(7...8) && bench.take(second) == Self.answers(4...5))
        while bench.wantsTurn { bench.pass() }
        #expect(bench.take(first) == Self.answers(9...10) && bench.take(second) == Self.answers(6...10))
    }

    @Test func whatTakesLongIsDoneForFewInOnePass() throws {
        for look in ["history a/", "watch a/", "get user/1"] {
            let bench = Bench(workPerPass: 4)
            let ids = try (0..<8).map { _ in try bench.connect() }
            bench.pass([(ids[0], "acquire user/1\nacquire user/1 wait=1m\n")])
            _ = bench.take(ids[0])
            bench.pass(ids.dropFirst(2).map { ($0, "\(look)\n") } + [(ids[1], "ping\n")])
            #expect(bench.take(ids[1]) == "OK\n", "\(look)")
            #expect(ids.dropFirst(2).map { bench.take($0).isEmpty }.contains(true), "\(look)")
            while bench.wantsTurn { bench.pass() }
            #expect(!bench.take(ids[7]).isEmpty, "\(look)")
        }
    }

    @Test(arguments: [
        "help", "policy", "acquirx user/1", "acquire usr/1", "acquire user/1 ownr=x", "acquire user/1 shard",
        "acquire user/1 note=\(String(repeating: "n", count: 200))",
        "acquire \((1...16).map { "user/\($0)" }.joined(separator: " "))",
    ])
    func whatCostsMoreThanOneLineCountsAsMore(line: String) throws {
        for (line, areAll) in [("ping", true), (line, false)] {
            let bench = Bench(workPerPass: 16, linesAlways: 1)
            let (first, second) = (try bench.connect(), try bench.connect())
            // What comes may cost 16, and what is left over 16 more.
            let lines = (1...24).map { "#\($0) \(line)\n" }.joined()
            bench.pass([(first, lines), (second, "#1 ping\n")])
            #expect(bench.take(second) == "#1 OK\n")
            #expect(bench.take(first).contains("#24 ") == areAll)
            while bench.wantsTurn { bench.pass() }
            #expect(bench.take(first).contains("#24 ") != areAll)
        }
    }

    /// What is not even read in this pass is no line that is too long.
    @Test func whatIsReadLaterIsNoLongLine() throws {
        let bench = Bench(workPerPass: 1, linesAlways: 1)
        let id = try bench.connect()
        let blanks = String(repeating: " ", count: 100)
        bench.pass(id, (1...300).map { "#\($0) ping\(blanks)\n" }.joined())
        while bench.wantsTurn { bench.pass() }
        #expect(bench.take(id) == Self.answers(1...300))
    }

    @Test func thePolicyIsReadOnceForAllWhoAskTogether() throws {
        let bench = Bench()
        let ids = try (0..<5).map { _ in try bench.connect() }
        bench.pass(ids.map { ($0, "reload\nreload\n") })
        #expect(bench.policyReads == 1)
        while bench.wantsTurn { bench.pass() }
        #expect(bench.policyReads == 2 && ids.allSatisfy { bench.take($0) == "OK\nOK\n" })
    }

    @Test func whoSendsNothingMoreIsAnsweredToTheLastLine() throws {
        let bench = Bench(workPerPass: 2, linesAlways: 1)
        let id = try bench.connect()
        bench.pass(id, Self.six + "#7 pi")
        bench.endInput(id)
        while bench.wantsTurn { bench.pass() }
        let answers = bench.take(id)
        #expect(answers.hasPrefix(Self.answers(1...6)))
        #expect(answers.dropFirst(Self.answers(1...6).count).hasPrefix("#7 ERR line-not-ended "))
    }

    @Test func whoIsGoneGetsAllDoneAtOnceAndNothingMadeForNobody() throws {
        let bench = Bench(workPerPass: 1, linesAlways: 1)
        let (id, other) = (try bench.connect(), try bench.connect())
        bench.pass(id, "acquire user/1 ttl=10m\nping\nping\nhistory user/\nwatch\nrelease 1\n")
        #expect(bench.take(id) == "OK token=1 ttl=600000ms\nOK\n")
        bench.hangUp(id)
        bench.pass(other, "acquire user/1\n")
        #expect(bench.take(other).hasPrefix("OK token=2 ") && !bench.wantsTurn)
    }

    @Test func fewAreDecidedAtOnceAndSoAreManyBesideOthers() throws {
        for most in [6, Int.max] {
            let bench = Bench(linesPerTurn: most)
            let id = try bench.connect()
            bench.pass(id, Self.six)
            #expect(bench.take(id) == Self.answers(1...6) && !bench.wantsTurn)
        }
    }

    @Test func whatCameTogetherIsDecidedInItsOrder() throws {
        let bench = Bench()
        let (first, second, third) = (try bench.connect(), try bench.connect(), try bench.connect())
        let pings = String(repeating: "ping\n", count: 100)
        bench.pass([
            (first, "acquire user/1 ttl=1m\n"),
            // What stands behind a request that waits is decided after it.
            (second, "acquire user/1 ttl=2m wait=1m\ncheck 2\ncheck 3\n"),
            (third, pings + "release 1\n" + pings + "acquire user/2 tt"),
        ])
        #expect(bench.take(first) == "OK token=1 ttl=60000ms\n")
        let answers = bench.take(second).split(separator: "\n").map(String.init)
        #expect(answers.first == "OK token=2 ttl=120000ms waited=0ms")
        #expect(answers.dropFirst().map { $0.prefix(4) } == ["OK t", "GONE"])
        let oks = String(repeating: "OK\n", count: 100)
        #expect(bench.take(third) == oks + "OK token=1 held=0ms\n" + oks)
        bench.pass([(third, "l=3m\n")])
        bench.pass([(first, "acquire user/2\n")])
        #expect(bench.take(third) == "OK token=3 ttl=180000ms\n")
        #expect(bench.take(first).hasPrefix("BUSY key=user/2 why=held token=3 "))
    }

    /// Its lines are decided together; what each of them brings about is told before the next is answered.
    @Test func whoWatchesIsToldOfItsOwnRequestsBetweenTheReplies() throws {
        let bench = Bench()
        let id = try bench.connect()
        bench.pass(id, "watch\n")
        _ = bench.take(id)
        bench.pass(id, "acquire user/1\nacquire user/2\nrenew 1\nrelease 2\n")
        let lines = bench.take(id).split(separator: "\n").map { $0.prefix { $0 != " " } }
        #expect(lines == ["OK", "*", "OK", "*", "OK", "*", "OK", "*"])
    }

    /// What it had sent is carried out, though it is gone before its turn came again.
    @Test func whoIsGoneBeforeTheRestHasAskedForIt() throws {
        let bench = Bench(linesPerTurn: 2)
        let (id, other) = (try bench.connect(), try bench.connect())
        bench.pass(id, "acquire user/1 ttl=10m\nping\nping\nrelease 1\nping\n")
        #expect(bench.take(id).hasPrefix("OK token=1 "))
        bench.hangUp(id)
        bench.pass(other, "acquire user/1\n")
        #expect(bench.take(other).hasPrefix("OK token="))
    }

    @Test func aGrantThatNobodyWasToldOfIsTakenBack() throws {
        for wasTold in [false, true] {
            let bench = Bench()
            let (id, other) = (try bench.connect(), try bench.connect())
            bench.isStuck = !wasTold
            bench.pass(id, "acquire user/1\n")
            bench.isStuck = false
            bench.hangUp(id)
            bench.pass(other, "acquire user/1\n")
            #expect(bench.take(other).hasPrefix(wasTold ? "BUSY " : "OK token=2 "))
        }
    }

    @Test func aGrantOfWhichARetryWasToldStands() throws {
        let bench = Bench()
        let (id, other) = (try bench.connect(), try bench.connect())
        bench.isStuck = true
        bench.pass(id, "acquire user/1 request=r\n")
        bench.isStuck = false
        bench.pass(other, "acquire user/1 request=r\n")
        #expect(bench.take(other).hasPrefix("OK token=1 "))
        bench.hangUp(id)
        bench.pass(other, "acquire user/1\n")
        #expect(bench.take(other).hasPrefix("BUSY "))
    }

    /// The place of who is gone is taken by who comes next.
    @Test func newsOfWhoIsGoneAreOfNobody() throws {
        let bench = Bench()
        let id = try bench.connect()
        bench.hangUp(id)
        let other = try bench.connect()
        bench.pass(id, "acquire user/1\n")
        bench.hangUp(id)
        bench.pass(other, "ping\n")
        #expect(bench.take(other) == "OK\n" && bench.take(id) == "")
    }

    /// Who stood before the other in line must not let it in on its way out.
    @Test func whoHangUpTogetherGetNothingFromEachOther() throws {
        let bench = Bench()
        let (holder, first, second) = (try bench.connect(), try bench.connect(), try bench.connect())
        bench.pass(holder, "acquire user/1\n")
        bench.pass(first, "acquire user/1 user/2 wait=1m\n")
        bench.pass(second, "acquire user/2 wait=1m\n")
        bench.hangUp(first, second)
        _ = bench.take(holder)
        bench.pass(holder, "acquire user/2\n")
        #expect(bench.take(holder).hasPrefix("OK token=2 "))
    }

    /// However many wait for a list, each lease that comes or goes is held against one. They are answered in
    /// their order, also where those go of whom it is the turn.
    @Test func listsAreMadeOneAfterTheOther() throws {
        let bench = Bench(looksPerPass: 1)
        let (other, gone) = (try bench.connect(), try bench.connect())
        bench.pass(other, "acquire user/1\nacquire user/2\nacquire user/3\n")
        bench.pass(gone, "list\n")
        let waiting = try (0..<4).map { _ in try bench.connect() }
        for (place, id) in waiting.enumerated() {
            bench.pass(id, place % 2 == 0 ? "list\n" : "#l list waiting\n")
            #expect(bench.listCount == 1)
        }
        bench.hangUp(gone, waiting[1])
        var answered: [UInt64] = []
        for _ in 0..<40 where bench.wantsTurn {
            bench.pass()
            answered += waiting.filter { !bench.take($0).isEmpty }
        }
        #expect(answered == [waiting[0], waiting[2], waiting[3]])
        #expect(bench.listCount == 0 && !bench.wantsTurn)
        // What was held up behind them goes on.
        for id in answered {
            bench.pass(id, "ping\n")
            #expect(bench.take(id) == "OK\n")
        }
    }

    /// Who asks for a list in each pass takes nothing from the one that is waited for.
    @Test func aListIsNotOvertaken() throws {
        let bench = Bench(looksPerPass: 1)
        let id = try bench.connect()
        bench.pass(id, "acquire user/1\nacquire user/2\nacquire user/3\n")
        _ = bench.take(id)
        bench.pass(id, "list\n")
        for _ in 0..<6 { bench.pass(try bench.connect(), "list\n") }
        #expect(bench.take(id).hasPrefix("OK lines=3"))
    }

    /// A list holds up what is behind it, which is carried out all the same if its connection goes.
    @Test func whoIsGoneAmidAListHasAskedForWhatIsBehindIt() throws {
        let bench = Bench(looksPerPass: 1)
        let (id, other) = (try bench.connect(), try bench.connect())
        bench.pass(other, "acquire user/1 ttl=10m\nacquire user/2 ttl=10m\nacquire user/3 ttl=10m\n")
        bench.pass(id, "#l list\nrelease 1\n")
        #expect(bench.take(id) == "" && bench.wantsTurn)
        bench.hangUp(id)
        _ = bench.take(other)
        bench.pass(other, "get user/1\nget user/2\n")
        let answers = bench.take(other)
        #expect(answers.contains(" key=user/1 holders=0 "))
        #expect(answers.contains(" key=user/2 holders=1 "))
    }
}

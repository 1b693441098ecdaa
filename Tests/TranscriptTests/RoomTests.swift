// Requests whose turn comes while the room for them in the log, or the numbers, are only being set aside.

import LeaseCore
import LeaseModel
import LeaseServer
import Testing

/// A server whose numbers are set aside when the test says so.
private final class Bench {
    private var server: Server
    private var wanted: Numbers?
    private var looks: [UInt64] = []
    private var sent: [UInt64: String] = [:]
    private(set) var logged = ""

    init(hasManualClock: Bool = false) {
        var options = ServerOptions()
        options.numbersAhead = 64
        options.hasManualClock = hasManualClock
        server = Server(policy: .builtIn, options: options)
        let moment = Moment(boot: Text("boot-1"), now: .zero, wallMilliseconds: 0)
        _ = server.endRecovery(at: moment)
        server.begin(at: moment, reserved: nil)
        server.numbersReserved(server.numbersToBeginWith)
        settle()
    }

    func connect() -> UInt64? {
        try? server.open(Peer(uid: 0, pid: 7, defaultOwner: Text("nc:7"), isAdministrator: true))
    }

    /// All in one pass, with the looks at processes last.
    func send(_ lines: [(UInt64, String)]) {
        server.beginPass(now: .zero, wallMilliseconds: 0)
        server.advance(to: .zero)
        for (id, line) in lines { Array((line + "\n").utf8).withUnsafeBytes { server.received(id, $0) } }
        settle()
    }

    var wantsTurn: Bool { server.wantsTurn }

    func answerLooks() {
        let process = ProcessReport.alive(ProcessIdentity(pid: 7, startTicks: 1), uid: 0)
        for ticket in looks { server.inspected(ticket: ticket, process) }
        looks = []
        settle()
    }

    /// The numbers that are wanted are on the disk now.
    func setAside() {
        if let wanted { server.numbersReserved(wanted) }
        wanted = nil
        settle()
    }

    func take(_ id: UInt64) -> String { sent.removeValue(forKey: id) ?? "" }

    private func settle() {
        repeat {
            server.endPass()
            carryOut()
            logged += String(decoding: server.batch, as: UTF8.self)
            server.batchWritten()
            server.acknowledge(upTo: server.lastSequence, synced: true)
            while let id = server.nextSendable() {
                _ = server.send(id) { bytes in
                    sent[id, default: ""] += String(decoding: bytes, as: UTF8.self)
                    return bytes.count
                }
            }
        } while server.hasMoreInThisPass
    }

    private func carryOut() {
        var directives: [Directive] = []
        server.takeDirectives(into: &directives)
        for directive in directives {
            switch directive {
            case .reserveNumbers(let numbers): wanted = numbers
            case .reserveSpace(let wanted, let least):
                server.spaceReserved(bytes: wanted, wanted: wanted, least: least)
            case .inspect(_, let ticket): looks.append(ticket)
            default: break
            }
        }
    }
}

@Suite struct RoomTests {
    /// More requests than there are numbers have passed when the first of their processes has been looked at.
    @Test func whoNamesAProcessWaitsForRoomLikeEverybody() throws {
        let bench = Bench()
        var ids: [UInt64] = []
        for _ in 0..<80 { ids.append(try #require(bench.connect())) }
        bench.send(ids.enumerated().map { ($1, "acquire user/\($0) while=7") })
        // More than one pass looks at.
        while bench.wantsTurn { bench.send([]) }
        bench.answerLooks()
        let early = ids.map { bench.take($0) }
        bench.setAside()
        bench.send([])
        bench.setAside()
        let late = ids.map { bench.take($0) }
        let replies = zip(early, late).map { $0 + $1 }
        #expect(replies.allSatisfy { $0.hasPrefix("OK token=") }, "\(replies)")
        #expect(early.contains(""), "all had room at once, so nothing was tested")
    }

    /// The next block is wanted when half of this one is used up. Until it is on the disk, a power cut would
    /// let a start give its tokens once more.
    @Test func noTokenIsGivenBeforeItIsSetAside() throws {
        let bench = Bench()
        let id = try #require(bench.connect())
        for number in 0..<80 { bench.send([(id, "acquire user/\(number)")]) }
        let early = bench.take(id).split(separator: "\n")
        #expect(early.count <= 64 && early.count > 32)
        bench.setAside()
        bench.send([])
        let late = bench.take(id).split(separator: "\n")
        #expect((early + late).enumerated().allSatisfy { $1.hasPrefix("OK token=\($0 + 1) ") })
        #expect(early.count + late.count == 80)
    }

    /// The look comes between the lines of a pass and its batch: the renewal must not miss that.
    @Test func whatNamesAProcessIsLoggedBeforeItIsAnswered() throws {
        let bench = Bench()
        let id = try #require(bench.connect())
        for line in ["#a acquire user/1 while=7", "#r renew 1 while=7"] {
            bench.send([(id, line)])
            bench.answerLooks()
        }
        #expect(bench.take(id).contains("#r OK token=1 "))
        #expect(bench.logged.contains(" renewed token=1 "))
    }

    /// A wait ends after the instant at which its key becomes free; meanwhile numbers run short.
    @Test func theManualClockWaitsForRoom() throws {
        let bench = Bench(hasManualClock: true)
        let holder = try #require(bench.connect())
        let waiter = try #require(bench.connect())
        for number in 0..<60 { bench.send([(holder, "acquire user/\(number) ttl=1s")]) }
        bench.send((0..<10).map { (waiter, "#w\($0) acquire user/\($0) wait=2s ttl=1h") })
        _ = bench.take(holder)
        bench.send([(holder, "clock advance=5s")])
        bench.setAside()
        bench.send([])
        let replies = bench.take(waiter).split(separator: "\n")
        #expect(replies.count == 10)
        let areInTime = replies.allSatisfy { $0.contains(" OK token=") && $0.hasSuffix("waited=1000ms") }
        #expect(areInTime, "\(replies)")
        #expect(bench.take(holder) == "OK now=5000ms clock=manual\n")
    }
}

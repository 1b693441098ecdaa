// The talk without its socket: what is sent when, and what becomes of it where the connection breaks.

import LeaseModel
import LeaseWire
import Testing

@testable import LeaseClient

/// A session with a daemon that the test plays, and one clock for both times.
private struct Talk {
    var session = Session(patience: .seconds(5), isManual: false)
    var now = Instant.zero + .seconds(1_000)

    init() {
        session.need(moment)
        connect()
    }

    var moment: Moment { Moment(lease: now, real: now) }

    /// Connects and greets.
    mutating func connect() {
        session.connected(to: "/s", moment)
        _ = sent()
        hear("#w OK uid=0 pid=77 owner=x admin=yes")
    }

    mutating func hear(_ lines: String...) {
        var reader = ArrivalReader()
        reader.take(lines.map { $0 + "\n" }.joined().utf8)
        while case .answer(let answer)? = try? reader.next() {
            session.arrived(answer, moment)
        }
        step()
    }

    mutating func step() {
        session.renewDue(moment)
        session.giveUpDue(moment)
        session.flush(moment)
    }

    mutating func pass(_ span: LeaseModel.Duration) {
        now = now + span
        step()
    }

    /// The lines that were sent since the last look.
    mutating func sent() -> [String] {
        defer { session.outgoing = [] }
        return String(decoding: session.outgoing, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Asks for `user/1`; the ID of its request is `r`.
    mutating func acquire(
        wait: LeaseModel.Duration? = nil, mayWaitLess: Bool = false, clock: LeaseClock = .system
    ) -> (tag: String, record: LeaseRecord) {
        let keys = Keys(Key(printed: Array("user/1".utf8)))
        let record = LeaseRecord(keys, clock: clock)
        let asked = AcquireRequest(keys: keys, request: Text("r"))
        let call = Call(
            CallHandle(), .acquire(asked), .acquire(record), waitEnd: wait.map { now + $0 },
            mayWaitLess: mayWaitLess)
        session.ask(call, moment)
        step()
        return (call.tag, record)
    }

    mutating func release(_ token: Token) -> String {
        let call = Call(CallHandle(), .release(ReleaseRequest(token: token)), .repeatable)
        session.ask(call, moment)
        step()
        return call.tag
    }

    /// How the calls ended since the last look: the status of an answer, or what else.
    mutating func ends() -> [String] {
        defer { session.finished = [] }
        return session.finished.map { _, outcome in
            switch outcome {
            case .answer(let answer, _): answer.status.rawValue
            case .cancelled: "cancelled"
            case .unavailable(let outage): "\(outage)".prefix { $0 != "(" }.description
            case .settled: "settled"
            }
        }
    }
}

struct SessionTests {
    @Test func theDeadlineCountsFromBeforeTheRequest() {
        var talk = Talk()
        let (tag, record) = talk.acquire()
        let sentAt = talk.now
        talk.pass(.seconds(2))
        talk.hear("#\(tag) OK token=1 ttl=30000ms")
        #expect(record.deadline == sentAt + .seconds(30))
        // And a third of it later, again.
        _ = talk.sent()
        talk.pass(.seconds(8))
        #expect(talk.sent() == ["#r1 renew 1"])
        talk.pass(.seconds(3))
        talk.hear("#r1 OK token=1 ttl=30000ms")
        #expect(record.deadline == sentAt + .seconds(40))
    }

    @Test func whatWasWaitedIsNotCounted() {
        var talk = Talk()
        let (tag, record) = talk.acquire(wait: .seconds(60))
        let sentAt = talk.now
        talk.pass(.seconds(50))
        talk.hear("#\(tag) OK token=1 ttl=30000ms waited=49000ms")
        #expect(record.deadline == sentAt + .seconds(79))
    }

    @Test func aLeaseIsLostWithoutWordFromTheDaemon() {
        var talk = Talk()
        let (tag, record) = talk.acquire()
        talk.hear("#\(tag) OK token=1 ttl=30000ms")
        talk.pass(.seconds(29))
        #expect(talk.session.losses.isEmpty)
        talk.pass(.seconds(1))
        #expect(talk.session.losses.map(\.1) == [Loss(reason: nil, next: 0)])
        #expect(talk.session.losses.first?.0 === record)
        // A word that comes too late revives nothing.
        talk.hear("#r1 OK token=1 ttl=30000ms")
        #expect(talk.session.held.isEmpty)
    }

    @Test func renewalIsOverBeforeTheRelease() {
        var talk = Talk()
        let (tag, _) = talk.acquire()
        talk.hear("#\(tag) OK token=1 ttl=30000ms")
        talk.pass(.seconds(10))
        _ = talk.sent()
        let release = talk.release(1)
        #expect(talk.sent() == [])
        talk.hear("#r1 OK token=1 ttl=30000ms")
        #expect(talk.sent() == ["#\(release) release 1"])
        talk.pass(.seconds(29))
        #expect(talk.sent() == [] && talk.session.losses.isEmpty)
    }

    @Test func aFullDiskIsAskedAgain() {
        var talk = Talk()
        let (tag, _) = talk.acquire()
        talk.hear("#\(tag) OK token=1 ttl=30000ms")
        talk.pass(.seconds(10))
        _ = talk.sent()
        talk.hear("#r1 ERR no-space the disk is full")
        #expect(talk.sent() == [])
        talk.pass(.seconds(1))
        #expect(talk.sent() == ["#r1 renew 1"])
    }

    @Test func theLastRenewalOfAPolicyIsTheLast() {
        var talk = Talk()
        let time = ManualTime()
        let (tag, record) = talk.acquire(clock: .manual(time))
        talk.hear("#\(tag) OK token=1 ttl=30000ms")
        talk.pass(.seconds(10))
        talk.hear("#r1 OK token=1 ttl=5000ms final=yes")
        _ = talk.sent()
        talk.pass(.seconds(4))
        #expect(talk.sent() == [] && talk.session.losses.isEmpty)
        // That the daemon said nothing is not why, whoever sees first that it is over.
        time.move(toNanoseconds: record.deadline.nanoseconds)
        let seen = #expect(throws: LeaseError.self) { try Lease(record, keys: []).checkHeld() }
        #expect(seen == .lost(LeaseError.Lost(token: 1, .expired)))
        talk.pass(.seconds(1))
        #expect(talk.session.losses.map(\.1) == [.expired])
    }

    @Test(arguments: [true, false]) func whereNobodySaysHowLongThePolicysWaitHolds(_ mayWaitLess: Bool) {
        var talk = Talk()
        let (tag, _) = talk.acquire(wait: .seconds(60), mayWaitLess: mayWaitLess)
        _ = talk.sent()
        talk.hear("#\(tag) ERR wait-too-long max=5000ms the policy bounds it")
        guard mayWaitLess else {
            #expect(talk.ends() == ["ERR"])
            return
        }
        #expect(talk.sent() == ["#\(tag) acquire user/1 wait=5000ms while=77 request=r"])
        // The policy may have changed since: once is enough.
        talk.hear("#\(tag) ERR wait-too-long max=1000ms the policy bounds it")
        #expect(talk.ends() == ["ERR"])
    }

    @Test func anAcquireIsSentAgainWithItsIDAndWhatIsLeftOfItsWait() {
        var talk = Talk()
        let (tag, _) = talk.acquire(wait: .seconds(60))
        #expect(talk.sent() == ["#\(tag) acquire user/1 wait=60000ms while=77 request=r"])
        talk.pass(.seconds(20))
        talk.session.disconnected(talk.moment)
        talk.connect()
        #expect(talk.sent() == ["#\(tag) acquire user/1 wait=40000ms while=77 request=r"])
        talk.hear("#\(tag) OK token=1 ttl=20000ms again=yes")
        #expect(talk.ends() == ["OK"])
        // How much time it has, a renewal tells.
        #expect(talk.sent() == ["#r1 renew 1"])
    }

    @Test func onTheNextConnectionReleasesComeFirst() {
        var talk = Talk()
        let (first, _) = talk.acquire()
        talk.hear("#\(first) OK token=1 ttl=30000ms")
        let (waiting, _) = talk.acquire(wait: .seconds(60))
        let release = talk.release(1)
        #expect(talk.sent().map { $0.prefix { $0 != " " } } == ["#\(first)", "#\(waiting)", "#\(release)"])
        talk.session.disconnected(talk.moment)
        talk.connect()
        #expect(talk.sent().map { $0.prefix { $0 != " " } } == ["#\(release)", "#\(waiting)"])
    }

    @Test func aLeaseThatEndedBeforeWeHeardOfItIsAskedForAnew() {
        var talk = Talk()
        let (tag, _) = talk.acquire()
        talk.session.disconnected(talk.moment)
        talk.connect()
        _ = talk.sent()
        talk.hear("#\(tag) GONE token=1 why=expired ago=1ms")
        let lines = talk.sent()
        #expect(lines.count == 1 && lines[0].hasPrefix("#\(tag) acquire user/1") && talk.ends() == [])
        #expect(!lines[0].hasSuffix("request=r"))
    }

    @Test func whatCountsTwiceIsNotSentAgain() {
        var talk = Talk()
        let call = Call(CallHandle(), .clock(advance: .seconds(1)), .single)
        talk.session.ask(call, talk.moment)
        talk.step()
        talk.session.disconnected(talk.moment)
        #expect(talk.ends() == ["gone"])
        talk.connect()
        #expect(talk.sent() == [])
    }

    @Test func aDaemonThatStopsIsLeftForTheNext() {
        var talk = Talk()
        let (tag, _) = talk.acquire(wait: .seconds(60))
        _ = talk.sent()
        talk.hear("#\(tag) BUSY key=user/1 why=draining limit=1 waiting=0")
        #expect(talk.sent() == [] && talk.ends() == [])
        talk.session.disconnected(talk.moment)
        talk.connect()
        #expect(talk.sent().count == 1)
        talk.hear("#\(tag) BUSY key=user/1 why=draining limit=1 waiting=0")
        talk.pass(.seconds(5))
        #expect(talk.ends() == ["refused"])
    }

    @Test func whatWasGrantedToAWithdrawnCallIsReleased() {
        var talk = Talk()
        let (tag, _) = talk.acquire(wait: .seconds(60))
        _ = talk.sent()
        talk.session.withdraw(UInt64(tag)!, talk.moment)
        #expect(talk.sent() == ["#c\(tag) cancel \(tag)"])
        talk.hear("#\(tag) OK token=1 ttl=30000ms waited=5ms", "#c\(tag) ERR no-such-tag it does not wait")
        #expect(talk.ends() == [] && talk.session.held.isEmpty)
        #expect(talk.sent() == ["#\(tag) release 1"])
        talk.hear("#\(tag) OK token=1 held=1ms")
        #expect(talk.ends() == ["cancelled"])
    }

    @Test func whatMayHaveBeenGrantedToAWithdrawnCallIsAskedFor() {
        var talk = Talk()
        let (tag, _) = talk.acquire(wait: .seconds(60))
        talk.session.disconnected(talk.moment)
        talk.session.withdraw(UInt64(tag)!, talk.moment)
        #expect(talk.ends() == [])
        talk.connect()
        // Without a wait: only what is there already is to come back.
        #expect(talk.sent() == ["#\(tag) acquire user/1 while=77 request=r"])
        talk.hear("#\(tag) BUSY key=user/1 why=held limit=1 waiting=0")
        #expect(talk.ends() == ["cancelled"])
    }

    @Test func aProcessThatTheDaemonCannotSeeIsNotNamed() {
        var talk = Talk()
        let (tag, _) = talk.acquire()
        _ = talk.sent()
        talk.hear("#\(tag) ERR no-process pid=77 there is none")
        #expect(talk.sent() == ["#\(tag) acquire user/1 request=r"] && talk.ends() == [])
    }

    @Test func aSilentDaemonIsGivenUpAndHungUpOn() {
        var talk = Talk()
        _ = talk.acquire(wait: .seconds(10))
        talk.pass(.milliseconds(14_999))
        #expect(talk.ends() == [] && !talk.session.mustHangUp)
        talk.pass(.milliseconds(1))
        #expect(talk.ends() == ["silent"] && talk.session.mustHangUp)
    }
}

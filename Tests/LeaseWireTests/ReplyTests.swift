// Every reply in its exact words.

import LeaseModel
import Testing

@testable import LeaseWire

struct ReplyTests {
    private static let holder = HolderView(
        token: 17, owner: Text("tab-A"), pid: 3312, uid: 1000, age: .milliseconds(1569),
        left: .milliseconds(28431), isShared: false)

    private static func busy(_ reason: BusyReason, _ holder: HolderView?, waited: Duration? = nil) -> Busy {
        Busy(
            key: key("user/42"), reason: reason, holder: holder, ahead: nil, limit: 1, waiting: 0,
            waited: waited)
    }

    @Test(arguments: [
        (Reply.ok, "OK"),
        (.granted(token: 17, ttl: .seconds(30), waited: nil, again: false), "OK token=17 ttl=30000ms"),
        (
            .granted(token: .max, ttl: .seconds(30), waited: .milliseconds(12), again: true),
            "OK token=18446744073709551615 ttl=30000ms waited=12ms again=yes"
        ),
        (
            .granted(token: 0, ttl: Duration(nanoseconds: 1_999_999), waited: .zero, again: false),
            "OK token=0 ttl=1ms waited=0ms"
        ),
        (.renewed(token: 17, ttl: .seconds(30)), "OK token=17 ttl=30000ms"),
        (.released(token: 17, held: .milliseconds(4210)), "OK token=17 held=4210ms"),
        (
            .released(token: 17, held: .milliseconds(4210), kept: .seconds(300)),
            "OK token=17 held=4210ms kept=300000ms"
        ),
        (
            .done(Done(token: 17, result: Text("a b"), waited: .milliseconds(12))),
            "DONE token=17 result=a%20b waited=12ms"
        ),
        (
            .done(Done(token: 17, result: Text(""), age: .milliseconds(902))),
            "DONE token=17 result= age=902ms"
        ),
        (.forgotten(token: 17, age: .milliseconds(902)), "OK token=17 age=902ms"),
        (
            .gone(Gone(token: 17, reason: .released, ago: .milliseconds(902), next: 0)),
            "GONE token=17 why=released ago=902ms"
        ),
        (
            .gone(Gone(token: 17, reason: .processEnded, ago: .milliseconds(902), next: 18)),
            "GONE token=17 why=process-ended ago=902ms next=18"
        ),
        (.gone(Gone(token: 17, reason: nil, ago: .zero, next: 0)), "GONE token=17 why=unknown"),
        (
            .busy(busy(.held, holder)),
            "BUSY key=user/42 why=held token=17 owner=tab-A pid=3312 uid=1000 age=1569ms left=28431ms "
                + "limit=1 waiting=0"
        ),
        (
            .busy(busy(.timeout, nil, waited: .seconds(5))),
            "BUSY key=user/42 why=timeout limit=1 waiting=0 waited=5000ms"
        ),
        (
            .whoami(Peer(uid: 0, pid: 7, defaultOwner: Text("nc:7"), isAdministrator: true)),
            "OK uid=0 pid=7 owner=nc:7 admin=yes"
        ),
        (.clock(now: Instant(nanoseconds: 600_000_000_000), isManual: true), "OK now=600000ms clock=manual"),
        (.clock(now: .zero, isManual: false), "OK now=0ms clock=system"),
        (.compacted(bytesBefore: 4096, bytesAfter: 512), "OK bytes-before=4096 bytes-after=512"),
    ])
    func oneLine(reply: Reply, wanted: String) {
        #expect(written(reply) == wanted)
        #expect(written(reply, tag: "a1") == "#a1 " + wanted)
    }

    @Test func busyBehindOthers() {
        var shared = ReplyTests.holder
        shared.isShared = true
        var busy = ReplyTests.busy(.queued, shared)
        busy.ahead = Text("tab B")
        busy.waiting = 3
        #expect(
            written(.busy(busy))
                == "BUSY key=user/42 why=queued ahead=tab%20B token=17 owner=tab-A pid=3312 uid=1000 "
                + "age=1569ms left=28431ms shared=yes limit=1 waiting=3")
    }

    private static let lease = LeaseView(
        grant: Grant(
            token: 17, keys: keys("user/42", "user/43"), owner: Text("tab-A"), uid: 1000, pid: 3312,
            ttl: .seconds(30), isShared: true, isEphemeral: true,
            process: ProcessIdentity(pid: 99, startTicks: 5), request: Text("r"), note: Text("")),
        age: .seconds(1), left: .seconds(29))

    private static let plain = LeaseView(
        grant: Grant(
            token: 18, keys: keys("user/42"), owner: Text("tab-B"), uid: 0, pid: 1, ttl: .seconds(10)),
        age: .zero, left: .seconds(10))

    private static func waiter(position: Int, left: Duration?, isShared: Bool, _ keys: Keys) -> WaiterView {
        WaiterView(
            keys: keys, owner: Text("w"), pid: 5, uid: 6, waited: .seconds(2), left: left, priority: 3,
            isShared: isShared, position: position)
    }

    @Test func checked() {
        #expect(
            written(.checked(ReplyTests.lease))
                == "OK token=17 ttl=29000ms key=user/42,user/43 owner=tab-A pid=3312 uid=1000 age=1000ms "
                + "shared=yes ephemeral=yes while=99 note=")
    }

    @Test func keyView() {
        let view = KeyView(
            key: key("user/42"), rules: Rules(limit: 2, maxTTL: .seconds(20), queue: 4), holderCount: 2,
            waiterCount: 2, holders: [ReplyTests.lease, ReplyTests.plain],
            waiters: [
                ReplyTests.waiter(position: 1, left: .seconds(8), isShared: true, keys("user/42", "user/7")),
                ReplyTests.waiter(position: 2, left: nil, isShared: false, keys("user/42")),
            ], hasMore: true)
        let wanted = [
            "OK lines=4 key=user/42 holders=2 waiting=2 limit=2 default-ttl=20000ms "
                + "max-ttl=20000ms queue=4 more=yes",
            "  holder token=17 owner=tab-A pid=3312 uid=1000 age=1000ms left=29000ms ttl=30000ms shared=yes "
                + "ephemeral=yes while=99 key=user/42,user/43 note=",
            "  holder token=18 owner=tab-B pid=1 uid=0 age=0ms left=10000ms ttl=10000ms",
            "  waiter position=1 owner=w pid=5 uid=6 waited=2000ms left=8000ms priority=3 shared=yes "
                + "key=user/42,user/7",
            "  waiter position=2 owner=w pid=5 uid=6 waited=2000ms priority=3",
        ]
        #expect(written(.key(view)) == wanted.joined(separator: "\n"))
        let empty = KeyView(
            key: key("user/1"), rules: Rules(), holderCount: 0, waiterCount: 0, holders: [], waiters: [],
            hasMore: false)
        #expect(
            written(.key(empty)) == "OK lines=0 key=user/1 holders=0 waiting=0 limit=1 default-ttl=30000ms")
    }

    @Test func aRateThatIsUsedUpSaysUntilWhen() {
        var rules = Rules()
        rules.rate = Rate(grants: 1, window: .seconds(60))
        rules.keep = .seconds(9)
        let view = KeyView(
            key: key("r/1"), rules: rules, holderCount: 0, waiterCount: 0,
            nextGrant: Duration(nanoseconds: 1_000_001), holders: [], waiters: [], hasMore: true)
        #expect(
            written(.key(view))
                == "OK lines=0 key=r/1 holders=0 waiting=0 limit=1 default-ttl=30000ms rate=1/60000ms "
                + "retry=2ms keep=9000ms more=yes")
    }

    @Test func lists() {
        #expect(written(.leases([], hasMore: false)) == "OK lines=0")
        #expect(
            written(.leases([ReplyTests.plain], hasMore: true), tag: "t")
                == "#t OK lines=1 more=yes\n"
                + "  token=18 key=user/42 owner=tab-B pid=1 uid=0 age=0ms left=10000ms ttl=10000ms")
        let waiter = ReplyTests.waiter(position: 0, left: nil, isShared: false, keys("user/1", "user/2"))
        #expect(
            written(.waiters([waiter], hasMore: false))
                == "OK lines=1\n  key=user/1,user/2 owner=w pid=5 uid=6 waited=2000ms priority=3")
    }

    @Test func policies() {
        let origins = [
            Policy.Origin(rule: .limit(1), line: 1), Policy.Origin(rule: .ttl(.seconds(60)), line: 4),
            Policy.Origin(rule: .maxTTL(.seconds(90)), line: 0), Policy.Origin(rule: .queue(3), line: 2),
        ]
        let wanted = [
            "OK lines=4 key=user/1", "  limit=1 from-line=1", "  ttl=60000ms from-line=4",
            "  max-ttl=90000ms from=default", "  queue=3 from-line=2",
        ]
        #expect(written(.rules(key("user/1"), origins)) == wanted.joined(separator: "\n"))
        let source = [
            Policy.Line(number: 1, text: bytes("kind user\tid  limit=1")),
            Policy.Line(number: 3, text: bytes("key user/%20 \u{1B}[31m\u{E9}")),
            Policy.Line(number: 4, text: [UInt8](repeating: 0xFF, count: 8_000)),
        ]
        let lines = written(.policy(source)).split(separator: "\n")
        #expect(lines[0] == "OK lines=3")
        #expect(lines[1] == "  1: kind user id  limit=1")
        #expect(lines[2] == "  3: key user/%20 %1B[31m%C3%A9")
        #expect(lines[3].utf8.count <= Limits.lineBytesMax)
    }

    /// The longest lease line there can be still fits, and ten thousand of them are cut.
    @Test func bounds() {
        let longest = String(repeating: "k", count: 250)
        let many = (10..<26).map { key("user/\($0)" + longest.dropLast(2)) }
        let text = Text(String(repeating: "t", count: 255))
        let lease = LeaseView(
            grant: Grant(
                token: 17, keys: Keys(many[0], Array(many.dropFirst())), owner: text, uid: 1000, pid: 3312,
                ttl: .seconds(30), isShared: true, isEphemeral: true,
                process: ProcessIdentity(pid: 99, startTicks: 5), request: Text("r"), note: text),
            age: .seconds(1), left: .seconds(29))
        let reply = written(.leases(Array(repeating: lease, count: 10_000), hasMore: false))
        #expect(reply.utf8.count <= Limits.replyBytesMax)
        let lines = reply.utf8.split(separator: UInt8(ascii: "\n"))
        #expect(lines.allSatisfy { $0.count < Limits.lineBytesMax })
        let first = ReplyLine(Array(lines[0]).span)
        #expect(first?.lines == lines.count - 1)
        #expect(first?.value("more") == bytes("yes"))
        #expect(lines.count > 100)
    }
}

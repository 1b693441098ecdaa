// Good lines and the requests that they are.

import LeaseModel
import Testing

@testable import LeaseWire

struct RequestTests {
    @Test(arguments: [
        ("acquire user/42", AcquireRequest(keys: keys("user/42"))),
        ("ACQUIRE user/42 ", AcquireRequest(keys: keys("user/42"))),
        ("   AcQuIrE    user/42   shared", AcquireRequest(keys: keys("user/42"), isShared: true)),
        ("acquire user/42\r", AcquireRequest(keys: keys("user/42"))),
        (
            "acquire ttl=30s user/42 ephemeral species/3/video owner=tab-A",
            AcquireRequest(
                keys: keys("user/42", "species/3/video"), owner: Text("tab-A"), ttl: .seconds(30),
                isEphemeral: true)
        ),
        (
            "acquire user/42 wait=forever priority=9 while=2147483647 request=r1 note=",
            AcquireRequest(
                keys: keys("user/42"), wait: .forever, priority: 9, whilePID: .max, request: Text("r1"),
                note: Text(""))
        ),
        ("acquire user/42 wait=0s ttl=1ms", AcquireRequest(keys: keys("user/42"), ttl: .milliseconds(1))),
        (
            "acquire user/42 owner=a=b/c%20d", AcquireRequest(keys: keys("user/42"), owner: Text("a=b/c d"))
        ),
        ("acquire 17/4", AcquireRequest(keys: keys("17/4"))),
        ("acquire user/1 join notify", AcquireRequest(keys: keys("user/1"), joins: true, notifies: true)),
    ])
    func acquire(line: String, wanted: AcquireRequest) {
        #expect(request(line) == .acquire(wanted))
        #expect(reading(requestLine(.acquire(wanted), "a")) == .request(.acquire(wanted), tag: "a"))
    }

    @Test(arguments: [
        ("renew 17", Request.renew(RenewRequest(token: 17))),
        (
            "renew ephemeral while=7 ttl=2h 17",
            .renew(RenewRequest(token: 17, ttl: .seconds(7_200), isEphemeral: true, whilePID: 7))
        ),
        ("release 17", .release(ReleaseRequest(token: 17))),
        ("release 0", .release(ReleaseRequest(token: 0))),
        ("release 00000000000000000000000000017", .release(ReleaseRequest(token: 17))),
        ("release 18446744073709551615", .release(ReleaseRequest(token: .max))),
        (
            "release keep=5m 17 result=a%20b",
            .release(ReleaseRequest(token: 17, result: Text("a b"), keep: .seconds(300)))
        ),
        ("release 17 result=", .release(ReleaseRequest(token: 17, result: Text("")))),
        ("cancel a1", .cancel(bytes("a1"))),
        ("cancel #a1", .cancel(bytes("a1"))),
        ("cancel 17", .cancel(bytes("17"))),
        ("get user/42", .get(key("user/42"), limit: 100)),
        ("get limit=10000 user/42", .get(key("user/42"), limit: 10_000)),
        ("check 17", .check(17)),
        ("list", .list(ListRequest())),
        ("list waiting limit=1 after=17", .list(ListRequest(waiting: true, limit: 1, after: 17))),
        ("watch", .watch([], since: nil)), ("watch since=0", .watch([], since: 0)), ("unwatch", .unwatch),
        ("history", .history(.all, last: 20)), ("history last=3", .history(.all, last: 3)),
        ("forget user/42", .forget(key("user/42"))), ("stats", .stats),
        ("reload", .reload), ("drain", .drain),
        ("policy", .policy(nil)),
        ("policy user/42", .policy(key("user/42"))),
        ("whoami", .whoami), ("ping", .ping), ("quit", .quit), ("compact", .compact),
        ("help", .help(nil)), ("help ACQUIRE", .help(.acquire)),
        ("evict 17 note=stuck", .evict(17, note: Text("stuck"))),
        ("clock", .clock(advance: nil)), ("clock advance=10m", .clock(advance: .seconds(600))),
    ])
    func others(line: String, wanted: Request) {
        #expect(request(line) == wanted)
    }

    @Test func prefixes() throws {
        for written in ["species/31", "species/31/"] {
            let prefix = try KeyPrefix.read(bytes(written).span)
            #expect(request("list \(written)") == .list(ListRequest(prefix: prefix)))
            #expect(request("history \(written) last=5") == .history(prefix, last: 5))
            let other = try KeyPrefix.read(bytes("user/").span)
            #expect(request("watch \(written) since=7 user/") == .watch([prefix, other], since: 7))
            #expect(refusal("watch \(written) user/ species/31") == .givenTwice(bytes("species/31")))
        }
    }

    @Test(arguments: ["", " ", "      ", "\r", "   \r"])
    func nothing(line: String) {
        #expect(reading(line) == .nothing)
    }

    @Test func tags() {
        let longest = String(repeating: "t", count: 32)
        #expect(reading("#a1 ping") == .request(.ping, tag: "a1"))
        #expect(reading("  #A.b_c:d-9   ping") == .request(.ping, tag: "A.b_c:d-9"))
        #expect(reading("#\(longest) ping") == .request(.ping, tag: longest))
        for bad in ["# ping", "#", "#a/b ping", "#ä ping", "##a ping", "#\(longest)t", "#a\u{1}b ping"] {
            #expect(reading(bad) == .refused(.badTag, tag: ""), "\(bad)")
        }
        #expect(reading("#a1") == .refused(.noVerb, tag: "a1"))
        #expect(reading("#a1  \r") == .refused(.noVerb, tag: "a1"))
        #expect(reading("#a1 ping\u{7}") == .refused(.controlCharacter(byte: 7, column: 9), tag: "a1"))
    }

    @Test(arguments: [
        "user/42", "user/%34%32", "%75ser/42", "user/%34" + "2", "user%2F42/x", "user/%c3%a9", "user/%C3%A9",
    ])
    func oneSpellingOfAKey(word: String) {
        let wanted =
            switch word {
            case "user%2F42/x": "user%2F42/x"
            case "user/%c3%a9", "user/%C3%A9": "user/%C3%A9"
            default: "user/42"
            }
        #expect(request("get \(word)") == .get(key(wanted), limit: 100))
    }

    @Test func bytesNotUnicodeTellKeysApart() {
        let composed = request("get user/caf%C3%A9")
        let decomposed = request("get user/cafe%CC%81")
        #expect(composed != nil && decomposed != nil && composed != decomposed)
        #expect(request("get user/f%FF") != request("get user/f%FE"))
    }

    @Test(arguments: 1...19) func tokensOfEachLength(length: Int) throws {
        let digits = String("9876543210123456789".prefix(length))
        let token = try #require(UInt64(digits))
        #expect(request("release \(digits)") == .release(ReleaseRequest(token: token)))
        #expect(request("release \(digits)\r") == .release(ReleaseRequest(token: token)))
        #expect(request("release  \(digits) ") == .release(ReleaseRequest(token: token)))
        #expect(reading("#a release \(digits)") == .request(.release(ReleaseRequest(token: token)), tag: "a"))
        #expect(request("renew \(digits)") == .renew(RenewRequest(token: token)))
        for place in 0..<length {
            for other in ["/", ":", "x", "-", "\u{b9}"] {
                let start = digits.prefix(place)
                #expect(request("release \(start)\(other)\(digits.dropFirst(place + 1))") == nil)
            }
        }
    }

    @Test func durationsOfEachUnit() {
        let units: [(String, Int64)] = [
            ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        for (unit, milliseconds) in units {
            let wanted = AcquireRequest(keys: keys("user/1"), ttl: .milliseconds(7 * milliseconds))
            #expect(request("acquire user/1 ttl=7\(unit)") == .acquire(wanted))
        }
        #expect(request("acquire user/1 ttl=3650d") != nil)
        #expect(request("acquire user/1 ttl=315360000s") != nil)
    }
}

// Policy files: what a good one means, and where and how a bad one is refused.

import LeaseModel
import Testing

@Suite struct PolicyReaderTests {
    @Test func readsKindsPatternsAndRules() throws {
        let policy = try read("""
            # kinds
            kind species id media:image,video limit=2 ttl=10m max-ttl=1h queue=0  # slow

            \tkey\tspecies/*/video   queue=4\r
            """)
        #expect(
            policy.kinds == [
                Policy.Kind(
                    name: bytes("species"),
                    parts: [
                        Policy.Part(name: bytes("id"), values: []),
                        Policy.Part(name: bytes("media"), values: [bytes("image"), bytes("video")]),
                    ],
                    rules: [.limit(2), .ttl(.seconds(600)), .maxTTL(.seconds(3_600)), .queue(0)], line: 2)
            ])
        #expect(
            policy.patterns == [
                Policy.Pattern(
                    kind: bytes("species"), parts: [nil, bytes("video")], rules: [.queue(4)], line: 4)
            ])
        #expect(
            policy.source == [
                Policy.Line(
                    number: 2,
                    text: bytes("kind species id media:image,video limit=2 ttl=10m max-ttl=1h queue=0")),
                Policy.Line(number: 4, text: bytes("key species/*/video   queue=4")),
            ])
    }

    @Test(arguments: [
        "", "\n", "# nothing", " \t \r\n#", "#\u{E9}\n", "kind a b", "kind a b\r", "kind a b #c",
    ])
    func isTaken(text: String) throws {
        _ = try read(text)
    }

    @Test func anEmptyFileRefusesEveryKey() throws {
        let policy = try read("# nothing\n")
        #expect(policy.kinds.isEmpty && policy.source.isEmpty)
        #expect(throws: UnknownKey.kind(name: bytes("user"), meant: nil)) {
            try policy.rules(for: key("user/1"))
        }
    }

    @Test func spellingIsOne() throws {
        let policy = try read("""
            kind user id:4,a%20b
            key %75ser/%34 limit=4
            key user/a%20%62 limit=5
            """)
        #expect(policy.kinds[0].parts[0].values == [bytes("4"), bytes("a%20b")])
        #expect(try policy.rules(for: key("user/4")).limit == 4)
        #expect(try policy.rules(for: key("user/a%20b")).limit == 5)
    }

    @Test func aWrittenStarIsNoWildcard() throws {
        let policy = try read("kind user id\nkey user/%2a limit=4\nkey user/* limit=3")
        #expect(policy.patterns.map(\.parts) == [[bytes("%2A")], [nil]])
        #expect(try policy.rules(for: key("user/%2A")).limit == 4)
        #expect(try policy.rules(for: key("user/b")).limit == 3)
    }

    @Test func boundsAreInclusive() throws {
        let parts = (1...15).map { "p\($0)" }.joined(separator: " ")
        let rules = "limit=1000000 ttl=3650d max-ttl=3650d queue=1000000000 rate=10000/3650d"
        let policy = try read("kind k \(parts) \(rules)\n")
        #expect(policy.kinds[0].parts.count == 15)
        let longest = "k/" + (1...15).map { "\($0)" }.joined(separator: "/")
        #expect(try policy.rules(for: key(longest)).rate?.grants == 10_000)
        let long = "kind a b #" + String(repeating: "x", count: Limits.lineBytesMax - 10)
        #expect(try read(long + "\r\nkind c d").kinds.count == 2)
    }

    @Test(arguments: wrongLines + wrongKinds + wrongPatterns + wrongRules)
    func isRefused(wrong: Wrong) {
        let error = #expect(throws: PolicyError.self) { try read(wrong.text) }
        #expect(error?.line == wrong.line && error?.column == wrong.column, "\(String(describing: error))")
        #expect(error?.message.contains(wrong.says) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("\n") == false)
    }

    @Test func messagesStayShort() {
        let long = String(repeating: "x", count: 8_000)
        for text in ["", "kind ", "kind a ", "kind a b =", "kind a b limit=", "key "].map({ $0 + long }) {
            let error = #expect(throws: PolicyError.self) { try read(text) }
            #expect((error?.message.utf8.count ?? 0) < 250)
        }
    }
}

/// A bad file, the place of its first mistake, and some words of the message.
struct Wrong: Sendable, CustomTestStringConvertible {
    let text: String
    let line: Int
    let column: Int
    let says: String

    init(_ text: String, _ line: Int, _ column: Int, _ says: String) {
        self.text = text
        self.line = line
        self.column = column
        self.says = says
    }

    var testDescription: String { String(text.prefix(80)) }
}

private let wrongLines = [
    Wrong("kind a b\nknid c d", 2, 1, "did you mean \"kind\"?"),
    Wrong("  Key a/b", 1, 3, "did you mean \"key\"?"),
    Wrong("user id", 1, 1, "begins with \"kind\" or \"key\""),
    Wrong("kind a b#c", 1, 9, "\"#\" is none of them"),
    Wrong("\u{FEFF}kind a b", 1, 1, "0xEF is not ASCII"),
    Wrong("kind usér id", 1, 8, "%C3"),
    Wrong("kind a b\0", 1, 9, "control character 0x00"),
    Wrong("kind a b # \u{1B}[31m", 1, 12, "control character 0x1B"),
    Wrong("# a\rkind a b", 1, 4, "carriage return"),
    Wrong("kind a b\r\rkind", 1, 9, "carriage return"),
    Wrong("\n" + String(repeating: "#", count: 8_193), 2, 8_193, "8193 bytes; at most 8192"),
]

private let wrongKinds = [
    Wrong("kind", 1, 5, "name is missing"),
    Wrong("kind   # user", 1, 5, "name is missing"),
    Wrong("kind user", 1, 10, "at least one part"),
    Wrong("kind user limit=1", 1, 11, "at least one part"),
    Wrong("kind 4 id", 1, 6, "begins with a letter"),
    Wrong("kind a/b id", 1, 7, "\"/\" is none of them"),
    Wrong("kind limit=1 id", 1, 11, "\"=\" is none of them"),
    Wrong("kind \(String(repeating: "k", count: 254)) id", 1, 6, "at most 253 bytes"),
    Wrong("kind k a:\(String(repeating: "v", count: 254))", 1, 6, "would fit into 255"),
    Wrong("kind user id\nkind user name", 2, 6, "stands already in line 1"),
    Wrong("kind a \((1...16).map { "p\($0)" }.joined(separator: " "))", 1, 59, "at most 15 parts"),
    Wrong("kind a id limit=1 media", 1, 19, "parts come before the rules"),
    Wrong("kind a id id", 1, 11, "stands twice"),
    Wrong("kind a 1d", 1, 8, "begins with a letter"),
    Wrong("kind a :x", 1, 8, "begins with a letter"),
    Wrong("kind a b:", 1, 10, "missing"),
    Wrong("kind a b:x,,y", 1, 12, "missing"),
    Wrong("kind a b:x,y,%78", 1, 14, "\"x\" stands twice"),
    Wrong("kind a b:*", 1, 10, "without values: \"b\""),
    Wrong("kind a b:x,v*d", 1, 13, "one whole part"),
    Wrong("kind a b:x/y", 1, 11, "written %2F"),
    Wrong("kind a b:x%4", 1, 11, "two hex digits"),
    Wrong("kind a *", 1, 8, "begins with a letter"),
]

private let wrongPatterns = [
    Wrong("key", 1, 4, "pattern is missing"),
    Wrong("key user/4", 1, 5, "no line above this one has the kind \"user\""),
    Wrong("kind user id\nkey usr/4", 2, 5, "did you mean \"user\"?"),
    Wrong("key user/4\nkind user id", 1, 5, "no line above"),
    Wrong("kind user id\nkey user limit=1", 2, 5, "is no pattern"),
    Wrong("kind user id\nkey limit=1", 2, 5, "is no pattern"),
    Wrong("kind user id\nkey */4", 2, 5, "names its kind"),
    Wrong("kind user id\nkey /4", 2, 5, "missing"),
    Wrong("kind user id\nkey user/", 2, 10, "missing"),
    Wrong("kind user id\nkey user/4/5", 2, 5, "look like user/ID"),
    Wrong("kind s id m:x,y\nkey s/4", 2, 5, "look like s/ID/x|y"),
    Wrong("kind s id m:x,y\nkey s//x", 2, 7, "missing"),
    Wrong("kind s id m:x,y\nkey s/4/z", 2, 9, "line 1 allows x, y"),
    Wrong("kind user id\nkey user/v*", 2, 11, "one whole part"),
    Wrong("kind user id\nkey user/**", 2, 10, "one whole part"),
    Wrong("kind user id\nkey user/a,b", 2, 11, "written %2C"),
    Wrong("kind user id\nkey user/%zz", 2, 10, "two hex digits"),
    Wrong("kind user id\nkey user/4\n\nkey user/%34", 4, 5, "stands already in line 2"),
    Wrong("kind s id m\nkey s/*/x\nkey s/*/x", 3, 5, "stands already in line 2"),
    Wrong("kind u i\nkey u/\(String(repeating: "x", count: 254))", 2, 5, "at most 255"),
    Wrong("kind user id\nkey user/4 vip", 2, 12, "written NAME=VALUE"),
]

private let wrongRules = [
    Wrong("kind a b limit=0", 1, 16, "from 1 to 1000000"),
    Wrong("kind a b limit=1000001", 1, 16, "from 1 to 1000000"),
    Wrong("kind a b limit=99999999999999999999", 1, 16, "from 1 to 1000000"),
    Wrong("kind a b limit=", 1, 16, "from 1 to 1000000"),
    Wrong("kind a b limit=+1", 1, 16, "from 1 to 1000000"),
    Wrong("kind a b queue=-1", 1, 16, "from 0 to"),
    Wrong("kind a b queue=1=1", 1, 16, "from 0 to"),
    Wrong("kind a b ttl=10", 1, 14, "needs a unit"),
    Wrong("kind a b ttl=1.5s", 1, 14, "whole number and one unit"),
    Wrong("kind a b ttl=", 1, 14, "whole number and one unit"),
    Wrong("kind a b ttl=0s", 1, 14, "at least 1ms"),
    Wrong("kind a b max-ttl=3651d", 1, 18, "at most 3650d"),
    Wrong("kind a b limit=1 limit=1", 1, 18, "limit= stands twice"),
    Wrong("kind a b max-ttl=1m ttl=61s", 1, 21, "more than max-ttl="),
    Wrong("kind a b\nkey a/* ttl=2ms max-ttl=1ms", 2, 9, "more than max-ttl="),
    Wrong("kind a b limt=1", 1, 10, "did you mean \"limit=\"?"),
    Wrong("kind a b maxttl=1m", 1, 10, "did you mean \"max-ttl=\"?"),
    Wrong("kind a b LIMIT=1", 1, 10, "did you mean \"limit=\"?"),
    Wrong("kind a b frobnicate=1", 1, 10, "the rules are limit=, ttl=, max-ttl=, max-hold="),
    Wrong("kind a b overflow=drop", 1, 19, "refuse or drop-oldest"),
    Wrong("kind a b rate=30", 1, 15, "a number of grants and a window"),
    Wrong("kind a b rate=30/1h/2", 1, 15, "a number of grants and a window"),
    Wrong("kind a b rate=0/1h", 1, 15, "from 1 to 10000"),
    Wrong("kind a b rate=10001/1h", 1, 15, "from 1 to 10000"),
    Wrong("kind a b rate=3/1", 1, 17, "needs a unit"),
    Wrong("kind a b max-priority=10", 1, 23, "from 0 to 9"),
    Wrong("kind a b lock-delay=0s", 1, 21, "at least 1ms"),
    Wrong("kind a b =1", 1, 10, "there is no rule"),
]

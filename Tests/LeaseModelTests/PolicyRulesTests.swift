// The rules of a key: the most specific line wins, rule by rule, and other keys are told what is wanted.

import LeaseModel
import Testing

@Suite struct PolicyRulesTests {
    /// The lines of the documentation.
    private static let example = """
        kind user          id                                limit=1 ttl=10m
        kind conversation  id                                limit=1 ttl=1m
        kind species       id media:image,video              limit=1 ttl=10m
        kind provider      name                              limit=3 queue=200
        kind background    user place weather time season    keep=5m
        key  species/*/video                                 ttl=15m queue=4
        key  user/vip-7                                      limit=4
        """

    @Test func theExampleHolds() throws {
        let policy = try read(Self.example)
        let minute = Duration.seconds(60)
        var background = Rules()
        background.keep = .seconds(300)
        let expected: [(String, Rules)] = [
            ("user/42", Rules(limit: 1, defaultTTL: .seconds(600))),
            ("user/vip-7", Rules(limit: 4, defaultTTL: .seconds(600))),
            ("conversation/c9", Rules(limit: 1, defaultTTL: minute)),
            ("species/31/image", Rules(limit: 1, defaultTTL: .seconds(600))),
            ("species/31/video", Rules(limit: 1, defaultTTL: .seconds(900), queue: 4)),
            ("provider/x", Rules(limit: 3, queue: 200)),
            ("background/u/p/w/t/s", background),
        ]
        for (name, rules) in expected {
            #expect(try policy.rules(for: key(name)) == rules, "\(name)")
            #expect(policy.rulesIfKnown(for: key(name)) == rules, "\(name)")
        }
        #expect(
            try policy.origins(for: key("species/31/video")) == [
                Policy.Origin(rule: .limit(1), line: 3), Policy.Origin(rule: .ttl(.seconds(900)), line: 6),
                Policy.Origin(rule: .queue(4), line: 6),
            ])
        #expect(
            try policy.origins(for: key("background/u/p/w/t/s")) == [
                Policy.Origin(rule: .limit(1), line: 0), Policy.Origin(rule: .keep(.seconds(300)), line: 5),
            ])
    }

    @Test func theBuiltInPolicyIsTheFirstThreeLines() throws {
        #expect(Policy.builtIn.kinds == Array(try read(Self.example).kinds.prefix(3)))
        #expect(Policy.builtIn.patterns.isEmpty)
        #expect(Policy.builtIn.source.map(\.number) == [1, 2, 3])
    }

    /// Lines from the least specific to the most: in any order in the file, a later one here wins.
    @Test(arguments: [0, 1, 2, 3, 4, 5])
    func theMostSpecificWins(turn: Int) throws {
        let patterns = ["*/*/*", "*/*/c", "*/b/*", "a/*/*", "*/b/c", "a/*/c", "a/b/*", "a/b/c"]
        for most in patterns.indices {
            var written = Array(patterns[...most].enumerated())
            written = turn % 2 == 0 ? written : written.reversed()
            let cut = written.count * turn / 6
            written = Array(written[cut...] + written[..<cut])
            let lines = written.map { "key k/\($0.element) limit=\($0.offset + 2)" }
            let policy = try read((["kind k x y z limit=1"] + lines).joined(separator: "\n"))
            let winner = written.firstIndex { $0.offset == most }.map { $0 + 2 }
            #expect(
                try policy.origins(for: key("k/a/b/c")) == [
                    Policy.Origin(rule: .limit(most + 2), line: try #require(winner))
                ])
        }
    }

    @Test func eachRuleIsFoundOnItsOwn() throws {
        let policy = try read("""
            kind k x y limit=1 ttl=1m
            key k/*/b limit=2 queue=2
            key k/a/* limit=3 max-ttl=3h
            key k/a/b queue=4
            """)
        #expect(
            try policy.origins(for: key("k/a/b")) == [
                Policy.Origin(rule: .limit(3), line: 3), Policy.Origin(rule: .ttl(.seconds(60)), line: 1),
                Policy.Origin(rule: .maxTTL(.seconds(10_800)), line: 3),
                Policy.Origin(rule: .queue(4), line: 4),
            ])
        #expect(try policy.rules(for: key("k/x/b")) == Rules(limit: 2, defaultTTL: .seconds(60), queue: 2))
        #expect(try policy.rules(for: key("k/x/y")) == Rules(limit: 1, defaultTTL: .seconds(60)))
    }

    @Test func everyRuleIsRead() throws {
        let text = "limit=2 ttl=1s max-ttl=2s max-hold=3s max-wait=4s max-priority=5 queue=6 "
            + "overflow=drop-oldest rate=7/8s keep=9s lock-delay=10s"
        let policy = try read("kind k x \(text)")
        let rules = try policy.rules(for: key("k/a"))
        var wanted = Rules(limit: 2, defaultTTL: .seconds(1), maxTTL: .seconds(2), queue: 6)
        wanted.maxHold = .seconds(3)
        wanted.maxWait = .seconds(4)
        wanted.maxPriority = 5
        wanted.overflow = .dropOldest
        wanted.rate = Rate(grants: 7, window: .seconds(8))
        wanted.keep = .seconds(9)
        wanted.lockDelay = .seconds(10)
        #expect(rules == wanted)
        #expect(try policy.origins(for: key("k/a")).map(\.line) == Array(repeating: 1, count: 11))
        // The same from a less specific line, and none where no line says it.
        let nearer = try read("kind k x \(text)\nkey k/a limit=3")
        wanted.limit = 3
        #expect(try nearer.rules(for: key("k/a")) == wanted)
        #expect(try read("kind k x").rules(for: key("k/a")) == Rules())
    }

    @Test func aDefaultIsCutToTheMaxOfAnotherLine() throws {
        let policy = try read("kind k x ttl=10m\nkey k/a max-ttl=1m\nkey k/b max-ttl=20m")
        #expect(try policy.rules(for: key("k/a")) == Rules(defaultTTL: .seconds(60), maxTTL: .seconds(60)))
        #expect(try policy.rules(for: key("k/b")).defaultTTL == .seconds(600))
        #expect(
            try policy.origins(for: key("k/a")) == [
                Policy.Origin(rule: .limit(1), line: 0), Policy.Origin(rule: .ttl(.seconds(60)), line: 2),
                Policy.Origin(rule: .maxTTL(.seconds(60)), line: 2),
            ])
    }

    @Test(arguments: [
        ("usr/4", UnknownKey.kind(name: bytes("usr"), meant: bytes("user"))),
        ("USER/4", .kind(name: bytes("USER"), meant: bytes("user"))),
        ("teapot/4", .kind(name: bytes("teapot"), meant: nil)),
        ("user/4/5", .parts(kind: bytes("user"), wanted: "user/ID")),
        ("species/4", .parts(kind: bytes("species"), wanted: "species/ID/image|video")),
        ("species/4/video/x", .parts(kind: bytes("species"), wanted: "species/ID/image|video")),
        ("species/4/vido", .value(part: bytes("media"), allowed: [bytes("image"), bytes("video")])),
    ])
    func otherKeysAreRefused(name: String, error: UnknownKey) throws {
        let policy = try read(Self.example)
        #expect(throws: error) { try policy.rules(for: key(name)) }
        #expect(throws: error) { try policy.origins(for: key(name)) }
        #expect(policy.rulesIfKnown(for: key(name)) == nil)
    }

    @Test func keysOfAnyShapeAreAnswered() throws {
        let policy = try read(Self.example)
        let long = (2...40).map { String(repeating: "user/", count: $0) + "x" }
        for name in ["", "/", "//", "user"] + long {
            #expect(throws: UnknownKey.self, "\(name)") { try policy.rules(for: key(name)) }
            #expect(policy.rulesIfKnown(for: key(name)) == nil, "\(name)")
        }
        let part = Policy.Part(name: bytes("p"), values: [bytes("v")])
        let most = Policy.Kind(
            name: bytes("k"), parts: Array(repeating: part, count: 20), rules: [], line: 1)
        let tooMany = Policy(kinds: [most], patterns: [], source: [])
        for count in 0...25 {
            #expect(throws: UnknownKey.self) {
                try tooMany.rules(for: key("k" + String(repeating: "/v", count: count)))
            }
        }
    }

    @Test func patternsThatFitNoKindAreIgnored() throws {
        let kind = Policy.Kind(
            name: bytes("k"), parts: [Policy.Part(name: bytes("p"), values: [])], rules: [], line: 1)
        let policy = Policy(
            kinds: [kind],
            patterns: [
                Policy.Pattern(kind: bytes("other"), parts: [nil], rules: [.limit(2)], line: 2),
                Policy.Pattern(kind: bytes("k"), parts: [nil, nil], rules: [.limit(3)], line: 3),
            ], source: [])
        #expect(try policy.rules(for: key("k/a")) == Rules())
    }

    @Test func everyLineOfManyIsFound() throws {
        var lines = (0..<50).map { "kind kind\($0) id name limit=\($0 + 1)" }
        lines += (0..<500).map { "key kind7/\($0 * 7)/* limit=\($0 + 100)" }
        let policy = try read(lines.joined(separator: "\n"))
        for place in 0..<50 {
            #expect(try policy.rules(for: key("kind\(place)/none/x")).limit == place + 1)
        }
        for id in 0..<3_500 {
            let limit = id % 7 == 0 ? id / 7 + 100 : 8
            #expect(try policy.rules(for: key("kind7/\(id)/x")).limit == limit)
        }
    }
}

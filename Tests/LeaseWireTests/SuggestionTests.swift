// What was probably meant, and the words in which it is asked.

import LeaseModel
import Testing

@testable import LeaseWire

struct SuggestionTests {
    @Test(arguments: [
        ("acqire", Verb.acquire), ("aquire", .acquire), ("acq", .acquire), ("acquier", .acquire),
        ("RELAESE", .release),
        ("pong", .ping), ("lits", .list), ("hlep", .help), ("who", .whoami), ("lock", .acquire),
        ("UNLOCK", .release), ("polciy", .policy),
    ])
    func verbs(word: String, meant: Verb) {
        #expect(refusal(word) == .unknownVerb(bytes(word), meant: meant))
    }

    @Test(arguments: ["xyzzy", "q1w2e3", "book", "a-very-long-word-that-is-near-to-nothing-at-all"])
    func nothingNear(word: String) {
        #expect(refusal(word) == .unknownVerb(bytes(word), meant: nil))
    }

    @Test(arguments: [
        ("acquire user/1 tttl=5s", "ttl="), ("acquire user/1 onwer=x", "owner="),
        ("acquire user/1 TTL=5s", "ttl="),
        ("acquire user/1 prio=5", "priority="), ("acquire user/1 shared=yes", "shared"),
        ("renew 17 tll=5s", "ttl="), ("list user/ limt=5", "limit="),
    ])
    func options(line: String, meant: String) {
        guard case .unknownOption(_, _, let suggested) = refusal(line) else {
            Issue.record("\(line)")
            return
        }
        #expect(suggested == meant)
    }

    @Test(arguments: [
        ("acquire user/1 shred", "shared"), ("acquire user/1 ephemral", "ephemeral"),
        ("list wating", "waiting"),
        ("acquire user/1 ttl", "ttl="), ("acquire user/1 SHARED", "shared"),
        ("renew 17 ephemerel", "ephemeral"),
    ])
    func flags(line: String, meant: String) {
        guard case .unknownWord(_, _, let suggested) = refusal(line) else {
            Issue.record("\(line): \(reading(line))")
            return
        }
        #expect(suggested == meant)
    }

    @Test func longWordsCostNothing() {
        let long = String(repeating: "e", count: 8_000)
        #expect(refusal(long) == .unknownVerb(bytes(long), meant: nil))
        #expect(refusal("acquire user/1 \(long)=1") == .unknownOption(bytes(long), .acquire, meant: nil))
    }

    @Test(arguments: [
        (
            "acquire user/1 ttl=30",
            "ERR bad-value option=ttl the value '30' won't do for ttl=, which needs a unit: write ttl=30s"
        ),
        ("acqire user/1", "ERR unknown-verb there is no verb 'acqire'; did you mean acquire?"),
        ("check", "ERR missing-word a token is missing; write check TOKEN"),
        ("check 1 2", "ERR unknown-word the word '2' has no place in check; write check TOKEN"),
        (
            "acquire user/1 tttl=5s",
            "ERR unknown-option the option 'tttl=' has no place in acquire; did you mean ttl=?"
        ),
        ("acquire user", "ERR bad-key there is no / in 'user': a key is a kind and its parts, as in user/42"),
        ("renew 1 ttl=5s ttl=5s", "ERR given-twice write 'ttl=' only once"),
    ])
    func sentences(line: String, wanted: String) {
        #expect(answer(line) == wanted)
    }

    /// Every example that `help` shows is a request, and every verb can be explained.
    @Test func helpIsTrue() {
        #expect(VerbTable.entries.map(\.verb) == Verb.allCases)
        for entry in VerbTable.entries {
            #expect(request(entry.example) != nil, "\(entry.example)")
            #expect(written(.help(entry.verb)).contains(entry.example))
        }
        let all = written(.help(nil)).split(separator: "\n")
        #expect(all.first == "OK lines=\(Verb.allCases.count)")
        #expect(all.count == Verb.allCases.count + 1)
        #expect(all.dropFirst().allSatisfy { $0.hasPrefix("  ") })
        let check = """
            OK lines=4
              check TOKEN
              tell whether a lease is alive
              TOKEN         the lease's number, from the answer to acquire
              for example   check 17
            """
        #expect(written(.help(.check)) == check)
    }
}

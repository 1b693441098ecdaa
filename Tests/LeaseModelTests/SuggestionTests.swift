// What was probably meant: near words are found, far ones are not.

import LeaseModel
import Testing

@Suite struct SuggestionTests {
    private static let words = ["acquire", "renew", "release", "get", "list", "ping", "quit", "conversation"]
        .map { Array($0.utf8) }

    @Test(arguments: [
        ("aquire", "acquire"), ("accquire", "acquire"), ("relaese", "release"), ("RENEW", "renew"),
        ("gte", "get"), ("lis", "list"), ("pint", "ping"), ("conversatoin", "conversation"),
        ("conversation", "conversation"), ("convrsatons", "conversation"),
    ])
    func findsTheNearest(word: String, meant: String) {
        #expect(Suggestion.nearest(to: Array(word.utf8), among: Self.words) == Array(meant.utf8))
    }

    @Test(arguments: ["", "x", "frobnicate", "lock", "q", "conver"])
    func findsNothingFar(word: String) {
        #expect(Suggestion.nearest(to: Array(word.utf8), among: Self.words) == nil)
    }

    @Test func theFirstOfEquallyNearWins() {
        let pair = ["bat", "cat"].map { Array($0.utf8) }
        #expect(Suggestion.nearest(to: Array("hat".utf8), among: pair) == Array("bat".utf8))
        #expect(Suggestion.nearest(to: Array("cat".utf8), among: pair) == Array("cat".utf8))
    }

    @Test func longWordsAreNotMatched() {
        let long = [UInt8](repeating: 0x61, count: 8_000)
        #expect(Suggestion.nearest(to: long, among: [long] + Self.words) == nil)
        #expect(Suggestion.nearest(to: Array("get".utf8), among: [long, []]) == nil)
    }
}

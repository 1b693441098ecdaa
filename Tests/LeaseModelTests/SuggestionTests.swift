// What was probably meant: near words are found, far ones are not.

import LeaseModel
import SeededRandom
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

    /// Beside the same distance, looked for everywhere: over rows of which none is left out.
    @Test func nothingIsMissedAwayFromTheDiagonal() {
        var generator = SeededRandom(seed: 11)
        for _ in 0..<2_000 {
            let words = (0..<4).map { _ in
                (0..<Int.random(in: 1...9, using: &generator)).map { _ in
                    UInt8.random(in: 0x61...0x63, using: &generator)
                }
            }
            let found = Suggestion.nearest(to: words[0], among: Array(words[1...]))
            #expect(found == Self.plainNearest(to: words[0], among: Array(words[1...])))
        }
    }

    private static func plainNearest(to word: [UInt8], among candidates: [[UInt8]]) -> [UInt8]? {
        let near = candidates.map { ($0, plainDistance(word[...], $0[...])) }.filter {
            let longer = max(word.count, $0.count)
            return $1 <= min(3, max(1, (longer + 1) / 3)) && $1 < longer
        }
        return near.min { $0.1 < $1.1 }?.0
    }

    private static func plainDistance(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Int {
        var rows = [Array(0...right.count)]
        for (row, letter) in left.enumerated() {
            var next = [row + 1]
            for (column, other) in right.enumerated() {
                let last = rows[row]
                let change = letter == other ? 0 : 1
                var steps = min(last[column + 1] + 1, next[column] + 1, last[column] + change)
                if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                    steps = min(steps, rows[row - 1][column - 1] + 1)
                }
                next.append(steps)
            }
            rows.append(next)
        }
        return rows[left.count][right.count]
    }
}

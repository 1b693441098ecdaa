// Policy files that were damaged at random: each is read or refused, and nothing traps.

import LeaseModel
import SeededRandom
import Testing

@Suite struct PolicyDamageTests {
    private static let good = """
        # what the example has, and more
        kind user id limit=1 ttl=10m max-ttl=1h
        kind species id media:image,video%20x queue=4 limit=3
        key species/*/image ttl=15m queue=0
        key user/vip%2D7 limit=4

        """

    @Test func randomBytes() {
        var random = printedSeed()
        for _ in 0..<3_000 {
            let count = Int.random(in: 0...200, using: &random)
            check((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }

    @Test func randomWords() {
        var random = printedSeed()
        let words = [
            "kind", "key", "a", "b:x,y", "a/x", "a/*", "a/%78", "limit=2", "ttl=5s", "max-ttl=1s", "queue=0",
            "#", "\n", "\n", "\n", "keep=1s", "=", "*", "/", "%", ":", ",", "\t", "\r",
        ]
        for _ in 0..<5_000 {
            let count = Int.random(in: 0...24, using: &random)
            let text = (0..<count).map { _ in words[Int.random(in: words.indices, using: &random)] }
            check(bytes(text.joined(separator: " ")))
        }
    }

    @Test func mutatedGoodFiles() {
        var random = printedSeed()
        for _ in 0..<5_000 {
            var text = bytes(Self.good)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: text.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: text[place] = UInt8.random(in: 0...255, using: &random)
                case 1: text.remove(at: place)
                case 2: text.insert(text[Int.random(in: text.indices, using: &random)], at: place)
                default: text.removeSubrange(place..<min(text.count, place + 20))
                }
                guard !text.isEmpty else { break }
            }
            check(text)
        }
    }

    @Test func everyCut() {
        let text = bytes(Self.good)
        for count in 0...text.count {
            check(Array(text.prefix(count)))
        }
    }

    /// What is read answers keys and prints itself to be read again; what is refused has a place in the file.
    private func check(_ text: [UInt8]) {
        do throws(PolicyError) {
            let policy = try PolicyReader.read(text.span)
            for name in ["user/1", "a/x", "species/1/image", "x"] {
                _ = try? policy.rules(for: key(name))
                _ = try? policy.origins(for: key(name))
            }
            let again = try PolicyReader.read(Array(policy.source.map(\.text).joined(separator: [0x0A])).span)
            #expect(again.kinds.map(\.rules) == policy.kinds.map(\.rules))
            #expect(policy.source.allSatisfy { $0.text.allSatisfy { $0 >= 0x20 && $0 < 0x7F } })
        } catch {
            let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
            #expect(lines.indices.contains(error.line - 1))
            #expect(1...lines[error.line - 1].count + 1 ~= error.column)
            #expect(error.message.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
        }
    }
}

/// The seed is printed; give it here to repeat a failure.
private func printedSeed(_ seed: UInt64 = .random(in: 0...UInt64.max)) -> SeededRandom {
    print("seed \(seed)")
    return SeededRandom(seed: seed)
}

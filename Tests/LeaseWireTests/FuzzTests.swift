// Whatever comes, a line makes one request or one refusal, and nothing traps.

import LeaseModel
import SeededRandom
import Testing

@testable import LeaseWire

struct FuzzTests {
    private static let goodLines = [
        "acquire user/42 species/3/video owner=tab%20A ttl=30s wait=10s priority=3 shared ephemeral while=17",
        "#a1 renew 17 ttl=10m ephemeral while=7", "release 123456", "cancel #a1", "get user/42 limit=10",
        "check 9",
        "list species/ waiting limit=20 after=7", "policy user/42", "help acquire", "evict 17 note=%41%",
        "clock advance=10m",
    ]

    private static func check(_ line: [UInt8], seed: UInt64) {
        switch reading(line) {
        case .nothing:
            let ends = line.last == 0x0D ? line.dropLast() : line[...]
            #expect(ends.allSatisfy { $0 == UInt8(ascii: " ") }, "seed \(seed)")
        case .request(let request, let tag):
            // What a client writes for it is read as the same request.
            #expect(reading(requestLine(request, tag)) == .request(request, tag: tag), "seed \(seed)")
            if case .get(let key, _) = request {
                // One key has one spelling: reading it again changes nothing.
                #expect((try? Key.read(key.bytes.span)) == key, "seed \(seed)")
            }
        case .refused(let refusal, let tag):
            let reply = written(.refused(refusal), tag: tag)
            let sound =
                reply.utf8.count < Limits.lineBytesMax && reply.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
            #expect(sound && replyLine(reply)?.code != nil, "seed \(seed): \(reply)")
        }
    }

    @Test func randomBytes() {
        let seed = UInt64.random(in: 0 ... .max)
        print("FuzzTests.randomBytes: seed \(seed)")
        var random = SeededRandom(seed: seed)
        for round in 0..<20_000 {
            let length =
                round % 100 == 0
                ? Int.random(in: 0...8_192, using: &random) : Int.random(in: 0...40, using: &random)
            let line = (0..<length).map { _ in
                // Half of them from the bytes that mean something.
                Bool.random(using: &random)
                    ? UInt8.random(in: 0...255, using: &random)
                    : bytes("#=/% .:019azAmsd-")[Int.random(in: 0...16, using: &random)]
            }
            FuzzTests.check(line.filter { $0 != 0x0A }, seed: seed)
        }
    }

    @Test func mutatedLines() {
        let seed = UInt64.random(in: 0 ... .max)
        print("FuzzTests.mutatedLines: seed \(seed)")
        var random = SeededRandom(seed: seed)
        for _ in 0..<30_000 {
            var line = bytes(FuzzTests.goodLines.randomElement(using: &random)!)
            for _ in 0..<Int.random(in: 1...4, using: &random) where !line.isEmpty {
                FuzzTests.mutate(&line, &random)
            }
            FuzzTests.check(line.filter { $0 != 0x0A }, seed: seed)
        }
    }

    private static func mutate(_ line: inout [UInt8], _ random: inout SeededRandom) {
        let place = Int.random(in: 0..<line.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: line[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: line.remove(at: place)
        case 2: line.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 3: line.insert(contentsOf: line[place...].prefix(9), at: place)
        default: line.removeSubrange(place...)
        }
    }

    /// A reply's bytes as a client sees them: every line of every reply reads back.
    @Test func randomRepliesReadBack() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("FuzzTests.randomRepliesReadBack: seed \(seed)")
        var random = SeededRandom(seed: seed)
        for _ in 0..<2_000 {
            let raw = (0..<Int.random(in: 1...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let owner = Text(encoding: raw)
            let token = Token.random(in: 1 ... .max, using: &random)
            let holder = HolderView(
                token: token, owner: owner, pid: 1, uid: 2,
                age: Duration(nanoseconds: .random(in: 0 ... .max, using: &random)),
                left: .zero, isShared: false)
            let busy = Busy(
                key: key("user/42"), reason: .held, holder: holder, ahead: nil, limit: 1, waiting: 0,
                waited: nil)
            let line = try #require(replyLine(written(.busy(busy), tag: "t")), "seed \(seed)")
            #expect(line.value("owner") == owner.bytes && line.number("token") == token, "seed \(seed)")
            #expect(owner.decoded == raw, "seed \(seed)")
            #expect(line.number("age") == UInt64(holder.age.wholeMilliseconds), "seed \(seed)")
        }
    }
}

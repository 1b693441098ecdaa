// What came lately: given again without being read anew, and nothing else.

import LeaseModel
import SeededRandom
import Testing

@testable import LeaseWire

struct ReaderMemoryTests {
    private static func request(_ line: String, _ memory: inout ReaderMemory) throws -> AcquireRequest {
        let line = Array(line.utf8)
        let head = try #require(try RequestReader.readTag(line.span))
        guard case .acquire(let request) = try RequestReader.read(line.span, head, &memory) else {
            throw Refusal.noVerb
        }
        return request
    }

    /// Where the bytes are: the same exactly where they were not made anew.
    private static func place(_ bytes: [UInt8]) -> UInt {
        bytes.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
    }

    @Test func whatComesAgainIsNotMadeAnew() throws {
        var memory = ReaderMemory(seed: 1)
        let first = try Self.request("acquire user/42 owner=tab-A", &memory)
        let second = try Self.request("acquire owner=tab-A user/42 ttl=3s", &memory)
        #expect(Self.place(first.keys.first.bytes) == Self.place(second.keys.first.bytes))
        #expect(Self.place(try #require(first.owner).bytes) == Self.place(try #require(second.owner).bytes))
        let other = try Self.request("acquire user/43 owner=tab-B", &memory)
        #expect(other.keys.first.string == "user/43" && other.owner?.string == "tab-B")
    }

    /// Notes are no names: where one is not made anew, the line is not read anew.
    @Test func aLineThatComesOftenIsNotReadAnew() throws {
        var memory = ReaderMemory(seed: 1)
        let places = try (0..<8).map { _ in
            let request = try Self.request("acquire user/42 ttl=3s note=nightly wait=1s", &memory)
            #expect(request.ttl == .seconds(3) && request.wait == .seconds(1))
            return Self.place(try #require(request.note).bytes)
        }
        #expect(places[4] == places[7] && places[5] == places[7])
        #expect(try Self.request("acquire user/42 ttl=3s note=nightly wait=2s", &memory).wait == .seconds(2))
    }

    /// Two lines may have the same place, and there may be many that never come again.
    @Test func whatIsKeptIsKeptBesideAnother() throws {
        var memory = ReaderMemory(seed: 1, count: 2)
        let lines = [("acquire user/1 note=a", "a"), ("acquire user/2 note=b", "b")]
        var places: [UInt] = []
        for _ in 0..<64 {
            places = try lines.map { line, note in
                let request = try Self.request(line, &memory)
                #expect(request.note?.string == note)
                return Self.place(try #require(request.note).bytes)
            }
        }
        for (place, (line, _)) in zip(places, lines) {
            #expect(Self.place(try #require(try Self.request(line, &memory).note).bytes) == place)
        }
    }

    @Test func anotherSpellingIsTheSameKey() throws {
        var memory = ReaderMemory(seed: 1, count: 2)
        for spelling in ["user/42", "user/%34%32", "user/4%32", "user/42"] {
            #expect(try Self.request("acquire \(spelling)", &memory).keys.first.string == "user/42")
        }
    }

    @Test func whatIsRefusedIsRefusedAgain() throws {
        var memory = ReaderMemory(seed: 1, count: 2)
        for line in ["acquire user/", "acquire user/%zz", "acquire user/42 owner=", "acquire a/b owner=%zz"] {
            for _ in 0..<2 { #expect(throws: Refusal.self) { try Self.request(line, &memory) } }
        }
    }

    /// With few places, each drives out the one before.
    @Test(arguments: [2, 4, 4_096]) func whateverCameBeforeNamesAreWhatIsWritten(places: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("ReaderMemoryTests.whateverCameBefore: seed \(seed)")
        var random = SeededRandom(seed: seed)
        var memory = ReaderMemory(seed: seed, count: places)
        for _ in 0..<5_000 {
            let length = [1, 7, 8, 9, 60, 64, 65, 200].randomElement(using: &random)!
            let part = String(repeating: "x", count: length) + "\(Int.random(in: 0..<20, using: &random))"
            let request = try Self.request("acquire user/\(part) owner=\(part)", &memory)
            #expect(request.keys.first.string == "user/\(part)" && request.owner?.string == part, "\(seed)")
        }
    }
}

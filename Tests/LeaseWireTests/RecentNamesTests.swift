// What came lately: given again without being read anew, and nothing else.

import LeaseModel
import SeededRandom
import Testing

@testable import LeaseWire

struct RecentNamesTests {
    private static func request(_ line: String, _ names: inout RecentNames) throws -> AcquireRequest {
        let line = Array(line.utf8)
        var tag = 0..<0
        guard case .acquire(let request) = try RequestReader.read(line.span, tag: &tag, &names) else {
            throw Refusal.noVerb
        }
        return request
    }

    /// Where the bytes are: the same exactly where they were not made anew.
    private static func place(_ bytes: [UInt8]) -> UInt {
        bytes.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
    }

    @Test func whatComesAgainIsNotMadeAnew() throws {
        var names = RecentNames(seed: 1)
        let first = try Self.request("acquire user/42 owner=tab-A", &names)
        let second = try Self.request("acquire owner=tab-A user/42 ttl=3s", &names)
        #expect(Self.place(first.keys.first.bytes) == Self.place(second.keys.first.bytes))
        #expect(Self.place(try #require(first.owner).bytes) == Self.place(try #require(second.owner).bytes))
        let other = try Self.request("acquire user/43 owner=tab-B", &names)
        #expect(other.keys.first.string == "user/43" && other.owner?.string == "tab-B")
    }

    /// As long, and with the same beginning and end: only what stands between tells them apart.
    @Test func namesThatDifferInTheirMiddleAreTwo() throws {
        var names = RecentNames(seed: 1)
        for middle in ["1", "2", "1", "2"] {
            let key = "user/aaaaaaaa\(middle)bbbbbbbb"
            #expect(try Self.request("acquire \(key)", &names).keys.first.string == key)
        }
    }

    /// As many as there are places: none of them drives out another.
    @Test func twoNamesCanHaveTheSamePlace() throws {
        var names = RecentNames(seed: 1, count: 2)
        let keys = ["user/1", "user/2"]
        let first = try keys.map { Self.place(try Self.request("acquire \($0)", &names).keys.first.bytes) }
        let places = try keys.map { Self.place(try Self.request("acquire \($0)", &names).keys.first.bytes) }
        #expect(places == first)
    }

    @Test func anotherSpellingIsTheSameKey() throws {
        var names = RecentNames(seed: 1, count: 2)
        for spelling in ["user/42", "user/%34%32", "user/4%32", "user/42"] {
            #expect(try Self.request("acquire \(spelling)", &names).keys.first.string == "user/42")
        }
    }

    @Test func whatIsRefusedIsRefusedAgain() throws {
        var names = RecentNames(seed: 1, count: 2)
        for line in ["acquire user/", "acquire user/%zz", "acquire user/42 owner=", "acquire a/b owner=%zz"] {
            for _ in 0..<2 { #expect(throws: Refusal.self) { try Self.request(line, &names) } }
        }
    }

    private static func outcome(_ line: String, _ names: inout RecentNames) -> Result<Request, Refusal> {
        let line = Array(line.utf8)
        do throws(Refusal) {
            var tag = 0..<0
            guard let request = try RequestReader.read(line.span, tag: &tag, &names) else {
                return .failure(.noVerb)
            }
            return .success(request)
        } catch {
            return .failure(error)
        }
    }

    /// The words behind a key are remembered without it: what stands in its place may be no key, or one of
    /// several, and words that differ in their middle alone are others.
    @Test(arguments: [2, 4_096]) func wordsThatCameBeforeMeanWhatTheyMeant(places: Int) {
        var words = ["", " ", " shared", " ttl=30s owner=bench", " owner=bench ttl=30s", " ttl=3s ttl=3s"]
        words += [" owner=aaaaaaaabaaaaaaaa", " owner=aaaaaaaacaaaaaaaa", " wait=3s priority=2 join notify"]
        words += [" note=n", " request=r ttl=3s", " while=7", " user/2", " user/1 ttl=30s", " x=3"]
        var firsts = ["user/1", "user/2", "user/%31", "user", "user/", "/1", "owner=x", "ttl=3s", "shared"]
        firsts += ["=", "17", "a=b/c", "user/%zz", "user/\u{e9}", "user/1 ", " user/2"]
        var names = RecentNames(seed: 1, count: places)
        for _ in 0..<2 {
            for word in words {
                for first in firsts {
                    let line = "acquire \(first)\(word)"
                    var fresh = RecentNames(seed: 2)
                    let (outcome, wanted) = (Self.outcome(line, &names), Self.outcome(line, &fresh))
                    #expect(outcome == wanted, "\(line)")
                }
            }
        }
    }

    /// The terms that came last are told first: others between them, as long or longer, change nothing.
    @Test func termsThatTakeTurnsMeanWhatIsWritten() throws {
        var names = RecentNames(seed: 1)
        let owners = ["tab-A", "tab-B", "tab-A ", "a", "tab-A-and-more", "tab-AB"]
        for round in 0..<3 {
            for owner in owners {
                for key in ["user/1", "user/\(round)"] {
                    let request = try Self.request("acquire \(key) ttl=3s owner=\(owner)", &names)
                    #expect(request.keys.first.string == key)
                    #expect(request.owner?.string == owner.filter { $0 != " " })
                }
            }
        }
    }

    /// With few places, each drives out the one before.
    @Test(arguments: [2, 4, 4_096]) func whateverCameBeforeNamesAreWhatIsWritten(places: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("RecentNamesTests.whateverCameBefore: seed \(seed)")
        var random = SeededRandom(seed: seed)
        var names = RecentNames(seed: seed, count: places)
        for _ in 0..<5_000 {
            let length = [1, 7, 8, 9, 60, 64, 65, 200].randomElement(using: &random)!
            let part = String(repeating: "x", count: length) + "\(Int.random(in: 0..<20, using: &random))"
            let request = try Self.request("acquire user/\(part) owner=\(part)", &names)
            #expect(request.keys.first.string == "user/\(part)" && request.owner?.string == part, "\(seed)")
        }
    }
}

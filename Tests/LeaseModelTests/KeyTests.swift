// Keys and prefixes: one spelling, and what is refused.

import LeaseModel
import Testing

@Suite struct KeyTests {
    @Test(arguments: [
        ("user/42", "user/42"),
        ("user/%34%32", "user/42"),
        ("%75ser/42", "user/42"),
        ("user/a%20b", "user/a%20b"),
        ("user/%c3%a9", "user/%C3%A9"),
        ("user/a%2fb", "user/a%2Fb"),
        ("user/%2a", "user/%2A"),
        ("species/31/video", "species/31/video"),
        ("a/._:@+-", "a/._:@+-"),
    ])
    func hasOneSpelling(written: String, printed: String) throws {
        #expect(try Key.read(Array(written.utf8).span).string == printed)
    }

    @Test(arguments: [
        ("", KeyError.noParts), ("user", .noParts), ("user%2F4", .noParts),
        ("user/", .emptyPart), ("/4", .emptyPart), ("a//b", .emptyPart), ("/", .emptyPart),
        ("user/a b", .mustBeEncoded(byte: 0x20)), ("user/*", .mustBeEncoded(byte: 0x2A)),
        ("user/é", .mustBeEncoded(byte: 0xC3)), ("user/\0", .mustBeEncoded(byte: 0)),
        ("user/%", .badPercent), ("user/%4", .badPercent), ("user/%4g", .badPercent),
        ("user/%%41", .badPercent),
    ])
    func isRefused(written: String, error: KeyError) {
        #expect(throws: error) { try Key.read(Array(written.utf8).span) }
    }

    @Test func lengthCountsAsPrinted() throws {
        let longest = "u/" + String(repeating: "x", count: Limits.keyBytesMax - 2)
        #expect(try Key.read(Array(longest.utf8).span).bytes.count == Limits.keyBytesMax)
        #expect(throws: KeyError.tooLong(bytes: Limits.keyBytesMax + 1)) {
            try Key.read(Array((longest + "x").utf8).span)
        }
        let written = "u/" + String(repeating: "%78", count: Limits.keyBytesMax - 2)
        #expect(try Key.read(Array(written.utf8).span).string == longest)
    }

    @Test func tellsKindAndParts() {
        let key = Key(printed: Array("species/31/video".utf8))
        #expect(Array(key.kind) == Array("species".utf8))
        #expect(key.parts.map { String(decoding: $0, as: UTF8.self) } == ["31", "video"])
    }

    @Test(arguments: [
        ("species/31", "species/31", true), ("species/31/", "species/31/video", true),
        ("species/", "species/31", true), ("user/4", "user/42", false), ("user/42", "user/4", false),
        ("user/%34", "user/4", true), ("users/", "user/4", false),
    ])
    func prefixEndsWhereAPartEnds(prefix: String, key: String, matches: Bool) throws {
        let prefix = try KeyPrefix.read(Array(prefix.utf8).span)
        #expect(prefix.matches(Key(printed: Array(key.utf8))) == matches)
    }

    @Test func everyKeyMatchesAll() {
        #expect(KeyPrefix.all.matches(Key(printed: Array("a/b".utf8))))
    }

    @Test(arguments: [("user", KeyError.noParts), ("/", .emptyPart), ("user//", .emptyPart), ("", .noParts)])
    func prefixIsRefused(written: String, error: KeyError) {
        #expect(throws: error) { try KeyPrefix.read(Array(written.utf8).span) }
    }
}

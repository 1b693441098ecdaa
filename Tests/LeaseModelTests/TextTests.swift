// Texts: any byte goes in, printable ASCII comes out, and back.

import LeaseModel
import Testing

@Suite struct TextTests {
    @Test(arguments: [
        ("nc:3312", "nc:3312"), ("tab%20A", "tab%20A"), ("%41", "A"), ("é", "%C3%A9"), ("%c3%a9", "%C3%A9"),
        ("%25", "%25"), ("", ""), ("a=b,c#", "a=b,c#"),
    ])
    func isPrintedOneWay(written: String, printed: String) throws {
        #expect(try Text.read(Array(written.utf8).span).string == printed)
    }

    @Test(arguments: [("%", 0), ("ab%4", 2), ("ab%zz", 2), ("%41%", 3)])
    func percentNeedsTwoDigits(written: String, at: Int) {
        let error = #expect(throws: PercentError.self) { try Text.read(Array(written.utf8).span) }
        #expect(error?.at == at)
    }

    @Test func everyByteSurvives() throws {
        let raw = (0...255).map { UInt8($0) }
        let text = Text(encoding: raw)
        #expect(text.decoded == raw)
        #expect(text.bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        #expect(try Text.read(text.bytes.span) == text)
    }

    @Test func composedAndDecomposedLettersDiffer() {
        #expect(Text("\u{E9}") != Text("e\u{301}"))
    }
}

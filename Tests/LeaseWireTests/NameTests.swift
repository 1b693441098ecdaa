// The names of verbs and words: each is found, in its one spelling.

import LeaseModel
import Testing

@testable import LeaseWire

struct NameTests {
    @Test(arguments: Verb.allCases) func everyVerbIsFoundInAnyCase(verb: Verb) {
        let name = verb.rawValue
        for name in [name, name.uppercased(), name.prefix(1).uppercased() + name.dropFirst()] {
            let word = bytes(name)
            #expect(VerbTable.find(word.span, 0..<word.count) == verb)
            #expect(VerbTable.accepted(verb).verb == verb)
        }
        for name in [name + "x", String(name.dropLast()), "x" + name] {
            let word = bytes(name)
            #expect(VerbTable.find(word.span, 0..<word.count) == nil)
        }
    }

    @Test(arguments: WordName.allCases) func everyWordIsFoundAsItIsWritten(name: WordName) {
        let word = bytes(name.rawValue)
        #expect(WordName.find(word.span, 0..<word.count) == name)
        let line = bytes("x \(name.rawValue)=1")
        #expect(WordName.find(line.span, 2..<2 + word.count) == name)
        for other in [name.rawValue + "x", String(name.rawValue.dropLast()), name.rawValue.uppercased()] {
            let word = bytes(other)
            #expect(WordName.find(word.span, 0..<word.count) == nil)
        }
    }
}

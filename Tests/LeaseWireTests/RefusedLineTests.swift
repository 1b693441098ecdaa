// Bad lines: each is answered once, by name, with what to write instead.

import LeaseModel
import Testing

@testable import LeaseWire

struct RefusedLineTests {
    @Test(arguments: [
        "30", "0", "0s", "0ms", "-5s", "-0s", "+5s", "1.5s", "1,5s", "0x5s", "5S", "5sec", "5 s", "s", "ms",
        "", "5ss",
        "５s", "2147483648", "4294967297", "9223372036854775807s", "9223372036854775808ms",
        "18446744073709551616ms",
        "9223372036s", "9223372037s", "315360001s", "3651d", "86400000000000000ms",
        "999999999999999999999999999999d",
        "1e3s", "5s5s", "forever", "5%73", "5d/", "inf", "NaN",
    ])
    func badDurations(value: String) {
        guard value != "5 s" else { return }
        for line in ["acquire user/1 ttl=\(value)", "renew 1 ttl=\(value)", "clock advance=\(value)"] {
            guard case .badValue = refusal(line) else {
                Issue.record("\(line): \(reading(line))")
                continue
            }
        }
    }

    @Test func hugeDurations() {
        for unit in ["ms", "s", "m", "h", "d"] {
            let hundredDigits = "1" + String(repeating: "0", count: 100)
            let others = ["2147483648000000", "9223372036854775807", "9223372036854775808", hundredDigits]
            for number in others {
                guard case .badValue("wait", _, _) = refusal("acquire user/1 wait=\(number)\(unit)") else {
                    Issue.record("\(number)\(unit)")
                    continue
                }
            }
        }
    }

    @Test(arguments: [
        "priority=10", "priority=-1", "priority=", "priority=1.0", "priority=99999999999999999999", "while=0",
        "while=2147483648", "while=-1", "while=self", "while=", "owner=", "request=", "owner=%", "owner=%4",
        "owner=%zz", "note=a%", "request=%4x",
    ])
    func badValues(option: String) {
        guard case .badValue(let name, _, _) = refusal("acquire user/1 \(option)") else {
            Issue.record("\(option): \(reading("acquire user/1 \(option)"))")
            return
        }
        #expect(option.hasPrefix("\(name)="))
    }

    @Test(arguments: [
        "limit=0", "limit=10001", "limit=-1", "limit=", "limit=18446744073709551616", "after=", "after=x",
        "after=18446744073709551616", "after=-1",
    ])
    func badValuesOfList(option: String) {
        guard case .badValue = refusal("list \(option)") else {
            Issue.record("\(option)")
            return
        }
    }

    @Test(arguments: ["get user/1 limit", "list limit", "list waiting limit", "history last"])
    func aListHasFromOneToTenThousandLines(_ beginning: String) {
        for good in [1, 10_000] { #expect(request("\(beginning)=\(good)") != nil) }
        for bad in [0, 10_001] {
            guard case .badValue = refusal("\(beginning)=\(bad)") else {
                Issue.record("\(beginning)=\(bad)")
                continue
            }
        }
    }

    @Test func boundsCountBytesAsPrinted() {
        let longest = String(repeating: "x", count: 255)
        #expect(request("acquire user/1 owner=\(longest)") != nil)
        #expect(request("acquire user/1 owner=\(longest)x") == nil)
        // 85 bytes that each are printed as three.
        #expect(request("acquire user/1 owner=\(String(repeating: "%FF", count: 85))") != nil)
        #expect(request("acquire user/1 owner=\(String(repeating: "%FF", count: 86))") == nil)
        // 255 bytes as printed, though written longer.
        #expect(request("acquire user/1 owner=\(String(repeating: "%78", count: 255))") != nil)
        let longKey = "user/" + String(repeating: "k", count: 250)
        #expect(request("get \(longKey)") != nil)
        #expect(refusal("get \(longKey)k") == .badKey(bytes(longKey + "k"), .tooLong(bytes: 256)))
    }

    @Test(arguments: [
        ("acquire", Refusal.missing(.acquire, what: "a key")),
        ("acquire ttl=5s", .missing(.acquire, what: "a key")),
        ("release", .missing(.release, what: "a token")),
        ("cancel", .missing(.cancel, what: "a tag")),
        ("get", .missing(.get, what: "a key")),
        ("release 17 18", .unknownWord(bytes("18"), .release, meant: nil)),
        ("get user/1 user/2", .unknownWord(bytes("user/2"), .get, meant: nil)),
        ("ping 17", .unknownWord(bytes("17"), .ping, meant: nil)),
        ("release 18446744073709551616", .badToken(bytes("18446744073709551616"))),
        ("release user/42", .badToken(bytes("user/42"))),
        ("release -1", .badToken(bytes("-1"))),
        ("release +1", .badToken(bytes("+1"))),
        ("release 0x11", .badToken(bytes("0x11"))),
        ("acquire user", .badKey(bytes("user"), .noParts)),
        ("acquire 17", .badKey(bytes("17"), .noParts)),
        ("acquire user/", .badKey(bytes("user/"), .emptyPart)),
        ("acquire /user", .badKey(bytes("/user"), .emptyPart)),
        ("acquire user//1", .badKey(bytes("user//1"), .emptyPart)),
        ("acquire user/é", .badKey(bytes("user/é"), .mustBeEncoded(byte: 0xC3))),
        ("acquire user/a=b", .badKey(bytes("user/a=b"), .mustBeEncoded(byte: UInt8(ascii: "=")))),
        ("acquire user/%4", .badKey(bytes("user/%4"), .badPercent)),
        ("list user", .badKey(bytes("user"), .noParts)),
        ("cancel a/b", .badTag),
        ("cancel #", .badTag),
        ("help acqire", .unknownVerb(bytes("acqire"), meant: .acquire)),
        ("acquire user/1 user/%31", .givenTwice(bytes("user/1"))),
        ("acquire user/1 user/2 user/2", .givenTwice(bytes("user/2"))),
        ("release 17 keep=5m", .missing(.release, what: "result= for keep=")),
        ("acquire user/1 =5", .unknownOption([], .acquire, meant: nil)),
    ])
    func words(line: String, wanted: Refusal) {
        #expect(refusal(line) == wanted)
    }

    @Test func sixteenKeysAreTheMost() {
        let sixteen = (1...16).map { "user/\($0)" }.joined(separator: " ")
        #expect(request("acquire \(sixteen)") != nil)
        #expect(refusal("acquire \(sixteen) user/17") == .tooManyKeys)
        #expect(request("watch \(sixteen)") != nil)
        #expect(refusal("watch \(sixteen) user/17") == .tooManyPrefixes)
    }

    @Test func eachWordOnce() {
        for entry in VerbTable.entries {
            for word in entry.words {
                let isNumber = [.after, .since, .whilePID].contains(word.name)
                let shown = word.value == "..." ? "1m" : word.value
                let value = word.name.isFlag ? "" : isNumber ? "7" : shown
                let argument: String =
                    switch entry.argument?.argument {
                    case .keys, .key, .prefix, .prefixes: "user/1"
                    case .token: word.name == .keep ? "17 result=x" : "17"
                    case .tag: "a"
                    case .verb, nil: ""
                    }
                let once = "\(entry.verb.rawValue) \(argument) \(word.name.form)\(value)"
                #expect(request(once) != nil, "\(once)")
                let twice = "\(once) \(word.name.form)\(value)"
                #expect(refusal(twice) == .givenTwice(bytes(word.name.form)), "\(twice)")
                let unknown = "\(once) \(word.name.form.uppercased())\(value)"
                #expect(request(unknown) == nil, "names are written in lower case: \(unknown)")
            }
        }
    }

    @Test func controlCharactersAtEachPlace() {
        let line = bytes("acquire user/1 note=x")
        for byte in Array(0..<0x20) + [0x7F] as [UInt8] {
            for place in 0...line.count {
                // A CR at the very end belongs to the line's end.
                guard byte != 0x0D || place < line.count else { continue }
                var broken = line
                broken.insert(byte, at: place)
                let wanted = Refusal.controlCharacter(byte: byte, column: place + 1)
                #expect(reading(broken) == .refused(wanted, tag: ""))
            }
        }
        #expect(refusal("ping\r\r") == .controlCharacter(byte: 0x0D, column: 5))
    }

    @Test func bytesAboveASCII() {
        for tail: [UInt8] in [[0xFF], [0xFE], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0x80], [0xC3, 0xA9]] {
            guard case .refused(.badKey, _) = reading(bytes("get user/f") + tail) else {
                Issue.record("\(tail)")
                continue
            }
        }
        #expect(
            reading(bytes("acquire user/1 owner=") + [0xC3, 0xA9])
                == .request(
                    .acquire(AcquireRequest(keys: keys("user/1"), owner: Text(printed: bytes("%C3%A9")))),
                    tag: ""))
    }

    @Test func otherProtocols() {
        #expect(refusal("GET / HTTP/1.1") != nil)
        #expect(refusal("Host: example.org") != nil)
        #expect(reading([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]) != .nothing)
        #expect(reading(Array(repeating: UInt8(ascii: " "), count: 8_192)) == .nothing)
        let manyWords = String(repeating: "k=v ", count: 2_048)
        #expect(refusal("acquire \(manyWords)") == .unknownOption(bytes("k"), .acquire, meant: nil))
    }
}

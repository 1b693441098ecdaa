// From the bytes of a line to a request, or to the one refusal that answers it.

package import LeaseModel

/// A line's tag and the rest of it, by their places. (Small enough to be handed over in registers.)
package struct RequestHead: Equatable, Sendable {
    private let tagStart: UInt32
    private let tagEnd: UInt32
    private let bodyStart: UInt32
    private let bodyEnd: UInt32

    init(tag: Range<Int>, body: Range<Int>) {
        tagStart = UInt32(tag.lowerBound)
        tagEnd = UInt32(tag.upperBound)
        bodyStart = UInt32(body.lowerBound)
        bodyEnd = UInt32(body.upperBound)
    }

    /// Without its `#`; empty where there is none.
    package var tag: Range<Int> { Int(tagStart)..<Int(tagEnd) }
    /// The verb and all behind it, without the line's end.
    package var body: Range<Int> { Int(bodyStart)..<Int(bodyEnd) }
}

package enum RequestReader {
    /// Finds the tag of a line that comes without its LF. nil: nothing stands in it, and nothing is answered.
    /// Throws only `.badTag`: that refusal goes out untagged. Every later one has the tag.
    package static func readTag(_ line: Span<UInt8>) throws(Refusal) -> RequestHead? {
        var end = line.count
        if end > 0, line[end - 1] == ASCII.carriageReturn {
            end -= 1
        }
        var position = 0
        WordScanner.skipSpaces(line, &position, end: end)
        guard position < end else { return nil }
        guard line[position] == ASCII.hash else { return RequestHead(tag: 0..<0, body: position..<end) }
        position += 1
        let start = position
        WordScanner.skipWord(line, &position, end: end)
        guard isTag(line, start..<position) else { throw .badTag }
        return RequestHead(tag: start..<position, body: position..<end)
    }

    /// Reads the request behind the tag. Names that came lately are not made anew. `isClean`: it is known
    /// that no control character stands in the line.
    package static func read(
        _ line: Span<UInt8>, _ head: RequestHead, _ names: inout RecentNames, isClean: Bool = false
    ) throws(Refusal) -> Request {
        if !isClean { try requireNoControls(line, head.body) }
        let end = head.body.upperBound
        var position = head.body.lowerBound
        WordScanner.skipSpaces(line, &position, end: end)
        let start = position
        WordScanner.skipWord(line, &position, end: end)
        guard start < position else { throw .noVerb }
        guard let verb = VerbTable.find(line, start..<position) else {
            throw unknownVerb(line.extracting(start..<position))
        }
        if position < end, let request = ofTokenAlone(verb, line.extracting(position + 1..<end)) {
            return request
        }
        guard verb == .acquire else { return try readWords(of: verb, line, position..<end, &names) }
        return .acquire(try readAcquire(line, position..<end, &names))
    }

    /// Nearly always the key is what comes first, and nearly always what stands behind it came lately, too.
    @inline(__always)
    private static func readAcquire(
        _ line: Span<UInt8>, _ range: Range<Int>, _ names: inout RecentNames
    ) throws(Refusal) -> AcquireRequest {
        var position = range.lowerBound
        WordScanner.skipSpaces(line, &position, end: range.upperBound)
        let start = position
        WordScanner.skipWord(line, &position, end: range.upperBound)
        let (first, words) = (start..<position, position..<range.upperBound)
        if let asked = names.request(line, key: first, words: words) { return asked }
        guard case .acquire(let asked) = try readWords(of: .acquire, line, range, &names) else {
            preconditionFailure("an acquire is read as one")
        }
        if names.key(line, first) == asked.keys.first {
            names.noteManner(of: asked, writtenAs: line.extracting(words))
        }
        return asked
    }

    private static func readWords(
        of verb: Verb, _ line: Span<UInt8>, _ range: Range<Int>, _ names: inout RecentNames
    ) throws(Refusal) -> Request {
        var position = range.lowerBound
        var given = GivenWords(VerbTable.accepted(verb))
        while let word = WordScanner.next(line, &position, end: range.upperBound) {
            try given.take(word, of: line)
        }
        return try given.assembled(from: line, &names)
    }

    /// Nearly always the token is all that stands behind these verbs.
    private static func ofTokenAlone(_ verb: Verb, _ rest: Span<UInt8>) -> Request? {
        guard verb == .release || verb == .renew, let token = ValueReader.number(rest) else { return nil }
        return verb == .release
            ? .release(ReleaseRequest(token: token)) : .renew(RenewRequest(token: token))
    }

    /// 1 to 32 letters, digits and `._:-`.
    static func isTag(_ line: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard !range.isEmpty, range.count <= Limits.tagBytesMax else { return false }
        for index in range where !isTagByte(line[index]) {
            return false
        }
        return true
    }

    static func unknownVerb(_ word: Span<UInt8>) -> Refusal {
        let meant = Suggestion.nearest(
            to: word.copied(), among: Verb.allCases.map { Array($0.rawValue.utf8) }, completing: true)
        let nearest = meant.flatMap { Verb(rawValue: String(decoding: $0, as: UTF8.self)) }
        return .unknownVerb(word.copied(), meant: VerbTable.findElsewhere(word) ?? nearest)
    }

    private static func isTagByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "-"):
            true
        default:
            false
        }
    }

    private static func requireNoControls(_ line: Span<UInt8>, _ range: Range<Int>) throws(Refusal) {
        let place = ControlScanner.first(line, from: range.lowerBound, to: range.upperBound)
        guard place < range.upperBound else { return }
        throw .controlCharacter(byte: line[place], column: place + 1)
    }
}

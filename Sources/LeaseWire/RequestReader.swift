// From the bytes of a line to a request, or to the one refusal that answers it.

package import LeaseModel

package enum RequestReader {
    /// A line's tag and the rest of it, by their places.
    private struct Head {
        /// Without its `#`; empty where there is none.
        let tag: Range<Int>
        /// The verb and all behind it, without the line's end.
        let body: Range<Int>
    }

    /// Reads a line that comes without its LF. nil: nothing stands in it, and nothing is answered. Names that
    /// came lately are not made anew.
    /// - Parameter isClean: it is known that no control character stands in the line.
    /// - Parameter tag: gets the place of the line's tag, without its `#`, or an empty range, unless it is
    ///   the tag that is refused: that refusal goes out untagged. Every later one has the tag.
    package static func read(
        _ line: Span<UInt8>, isClean: Bool = false, tag: inout Range<Int>, _ names: inout RecentNames
    ) throws(Refusal) -> Request? {
        guard let head = try readHead(line) else { return nil }
        tag = head.tag
        if !isClean { try requireNoControls(line, head.body) }
        let end = head.body.upperBound
        var position = head.body.lowerBound
        WordScanner.skipSpaces(line, &position, end: end)
        let verb = try readVerb(line, &position, end: end)
        if position < end, let request = ofTokenAlone(verb, line.extracting(position + 1..<end)) {
            return request
        }
        guard verb == .acquire else { return try readWords(of: verb, line, position..<end, &names) }
        return .acquire(try readAcquire(line, position..<end, &names))
    }

    /// Only the tag of a line, or nil where there is nothing in it. Throws only `.badTag`.
    package static func readTag(_ line: Span<UInt8>) throws(Refusal) -> Range<Int>? {
        try readHead(line)?.tag
    }

    @inline(__always)
    private static func readHead(_ line: Span<UInt8>) throws(Refusal) -> Head? {
        var end = line.count
        if end > 0, line[end - 1] == ASCII.carriageReturn {
            end -= 1
        }
        var position = 0
        WordScanner.skipSpaces(line, &position, end: end)
        guard position < end else { return nil }
        guard line[position] == ASCII.hash else { return Head(tag: 0..<0, body: position..<end) }
        position += 1
        let start = position
        WordScanner.skipWord(line, &position, end: end)
        guard isTag(line, start..<position) else { throw .badTag }
        return Head(tag: start..<position, body: position..<end)
    }

    /// The verb at `position`, which moves behind it.
    @inline(__always)
    private static func readVerb(
        _ line: Span<UInt8>, _ position: inout Int, end: Int
    ) throws(Refusal) -> Verb {
        // These two are in nearly all lines: told by one look, with the space behind them. (At the line's end
        // a zero stands in its place, which is a space in lower case.)
        switch PackedName.eight(line, from: position) {
        case "acquire ":
            position += "acquire".utf8.count
            return .acquire
        case "release ":
            position += "release".utf8.count
            return .release
        default:
            let start = position
            WordScanner.skipWord(line, &position, end: end)
            guard start < position else { throw .noVerb }
            guard let verb = VerbTable.find(line, start..<position) else {
                throw unknownVerb(line.extracting(start..<position))
            }
            return verb
        }
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
            names.noteTerms(of: asked, writtenAs: line.extracting(words))
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

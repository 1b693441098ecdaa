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

    /// Reads the line that stands in a part of the bytes, without its LF. nil: nothing stands in it, and
    /// nothing is answered. Names that came lately are not made anew.
    /// - Parameter isClean: it is known that no control character stands in the line.
    /// - Parameter tag: gets the place in the line of its tag, without the `#`. It stays as it is where there
    ///   is none, or where it is the tag that is refused: that refusal goes out untagged. Every later one has
    ///   the tag.
    package static func read(
        _ bytes: Span<UInt8>, _ line: Range<Int>, isClean: Bool, tag: inout Range<Int>,
        _ names: inout RecentNames
    ) throws(Refusal) -> Request? {
        if isClean, let request = readUsual(bytes, line, &names) { return request }
        return try read(bytes.extracting(line), isClean: isClean, tag: &tag, &names)
    }

    @inline(never)
    package static func read(
        _ line: Span<UInt8>, isClean: Bool = false, tag: inout Range<Int>, _ names: inout RecentNames
    ) throws(Refusal) -> Request? {
        guard let head = try readHead(line) else { return nil }
        tag = head.tag
        if !isClean { try requireNoControls(line, head.body) }
        let end = head.body.upperBound
        var position = head.body.lowerBound
        WordScanner.skipSpaces(line, &position, end: end)
        if let request = readUsual(line, position..<end, &names) { return request }
        return try readAny(line, position..<end, &names)
    }

    /// Nearly all lines are one of these two: told by one look, with the space behind them. Nearly always the
    /// token is all that stands behind the one, and what stands behind the other came lately, and its key
    /// first. nil: it is read as any line.
    @inline(__always)
    private static func readUsual(
        _ line: Span<UInt8>, _ range: Range<Int>, _ names: inout RecentNames
    ) -> Request? {
        let end = range.upperBound
        var position = range.lowerBound &+ 8
        guard position < end else { return nil }
        switch PackedName.eight(line, from: range.lowerBound) {
        case "release ":
            guard let token = ValueReader.number(line, position..<end) else { return nil }
            return .release(ReleaseRequest(token: token))
        case "acquire ":
            WordScanner.skipSpaces(line, &position, end: end)
            let start = position
            WordScanner.skipWord(line, &position, end: end)
            guard let asked = names.request(line, key: start..<position, words: position..<end)
            else { return nil }
            return .acquire(asked)
        default:
            return nil
        }
    }

    @inline(never)
    private static func readAny(
        _ line: Span<UInt8>, _ range: Range<Int>, _ names: inout RecentNames
    ) throws(Refusal) -> Request {
        var position = range.lowerBound
        let verb = try readVerb(line, &position, end: range.upperBound)
        let rest = position..<range.upperBound
        switch verb {
        case .renew:
            if rest.count > 1, let token = ValueReader.number(line, rest.lowerBound + 1..<rest.upperBound) {
                return .renew(RenewRequest(token: token))
            }
        case .acquire: return .acquire(try readAcquire(line, rest, &names))
        default: break
        }
        return try readWords(of: verb, line, rest, &names)
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
        return try readHead(line, tagged: position + 1..<end)
    }

    @inline(never)
    private static func readHead(_ line: Span<UInt8>, tagged range: Range<Int>) throws(Refusal) -> Head {
        let (start, end) = (range.lowerBound, range.upperBound)
        var position = start
        WordScanner.skipWord(line, &position, end: end)
        guard isTag(line, start..<position) else { throw .badTag }
        return Head(tag: start..<position, body: position..<end)
    }

    /// The verb at `position`, which moves behind it.
    private static func readVerb(
        _ line: Span<UInt8>, _ position: inout Int, end: Int
    ) throws(Refusal) -> Verb {
        // The two that come most, where not all of the line is usual, are told by one look, with the space
        // behind them. (At the line's end a zero stands in its place, which is a space in lower case.)
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

    /// Where its key comes first, what stands behind it is remembered.
    private static func readAcquire(
        _ line: Span<UInt8>, _ range: Range<Int>, _ names: inout RecentNames
    ) throws(Refusal) -> AcquireRequest {
        var position = range.lowerBound
        WordScanner.skipSpaces(line, &position, end: range.upperBound)
        let start = position
        WordScanner.skipWord(line, &position, end: range.upperBound)
        guard case .acquire(let asked) = try readWords(of: .acquire, line, range, &names) else {
            preconditionFailure("an acquire is read as one")
        }
        if names.key(line, start..<position) == asked.keys.first {
            names.noteTerms(of: asked, writtenAs: line.extracting(position..<range.upperBound))
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
        let place = line.firstControl(from: range.lowerBound, to: range.upperBound)
        guard place < range.upperBound else { return }
        throw .controlCharacter(byte: line[place], column: place + 1)
    }
}

// How a line falls into words, and what a word is by its look alone.

/// A word of a line by its place in it.
struct Word {
    enum Look {
        /// `name=value`: a `=` before any `/`.
        case option
        /// Holds a `/`.
        case key
        /// All digits.
        case token
        case other
    }

    let range: Range<Int>
    let look: Look
    /// Where the `=` of an option is.
    let equals: Int

    /// An option's name; the word itself where it is no option.
    var name: Range<Int> { range.lowerBound..<(look == .option ? equals : range.upperBound) }
    /// An option's value.
    var value: Range<Int> { equals + 1..<range.upperBound }
}

enum WordScanner {
    /// The word that begins at `position` or behind the spaces there; `position` moves behind it.
    /// nil at the end.
    static func next(_ line: Span<UInt8>, _ position: inout Int, end: Int) -> Word? {
        precondition(position >= 0 && end <= line.count, "a word stands in its line")
        skipSpaces(line, &position, end: end)
        guard position < end else { return nil }
        let start = position
        var sign = position
        while sign < end, !isSign(line[unchecked: sign]) {
            sign &+= 1
        }
        position = sign
        guard sign < end, line[sign] != ASCII.space else {
            let look: Word.Look = isNumber(line.extracting(start..<sign)) ? .token : .other
            return Word(range: start..<sign, look: look, equals: start)
        }
        skipWord(line, &position, end: end)
        let isOption = line[sign] == ASCII.equals
        return Word(range: start..<position, look: isOption ? .option : .key, equals: isOption ? sign : start)
    }

    /// What ends a word, or says what it is. (Letters are none of them: they are through with one look.)
    @inline(__always)
    private static func isSign(_ byte: UInt8) -> Bool {
        byte <= ASCII.equals && (byte == ASCII.space || byte == ASCII.equals || byte == ASCII.slash)
    }

    private static func isNumber(_ word: Span<UInt8>) -> Bool {
        for index in word.indices where !ASCII.isDigit(word[index]) { return false }
        return true
    }

    @inline(__always)
    static func skipSpaces(_ line: Span<UInt8>, _ position: inout Int, end: Int) {
        precondition(position >= 0 && end <= line.count, "a word stands in its line")
        while position < end, line[unchecked: position] == ASCII.space {
            position &+= 1
        }
    }

    /// The words of most lines are short, and many end with the first eight bytes.
    @inline(__always)
    static func skipWord(_ line: Span<UInt8>, _ position: inout Int, end: Int) {
        precondition(position >= 0 && end <= line.count, "a word stands in its line")
        while position < end {
            let length = EightBytes.beforeSpace(line.eight(from: position))
            position = min(position &+ length, end)
            if length < 8 { return }
        }
    }
}

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
        skipSpaces(line, &position, end: end)
        guard position < end else { return nil }
        let start = position
        while position < end, ASCII.isDigit(line[position]) {
            position += 1
        }
        if position == end || line[position] == ASCII.space {
            return Word(range: start..<position, look: .token, equals: start)
        }
        while position < end {
            switch line[position] {
            case ASCII.space:
                return Word(range: start..<position, look: .other, equals: start)
            case ASCII.equals:
                let equals = position
                skipWord(line, &position, end: end)
                return Word(range: start..<position, look: .option, equals: equals)
            case ASCII.slash:
                skipWord(line, &position, end: end)
                return Word(range: start..<position, look: .key, equals: start)
            default:
                position += 1
            }
        }
        return Word(range: start..<position, look: .other, equals: start)
    }

    static func skipSpaces(_ line: Span<UInt8>, _ position: inout Int, end: Int) {
        while position < end, line[position] == ASCII.space {
            position += 1
        }
    }

    static func skipWord(_ line: Span<UInt8>, _ position: inout Int, end: Int) {
        while position < end, line[position] != ASCII.space {
            position += 1
        }
    }
}

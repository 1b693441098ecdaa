// A line of the daemon, read back: for clients and for tests.

import LeaseModel

package enum ReplyStatus: String, CaseIterable, Sendable {
    case ok = "OK"
    case busy = "BUSY"
    case done = "DONE"
    case gone = "GONE"
    case err = "ERR"
}

package struct ReplyLine: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// The first line of a reply.
        case reply(ReplyStatus)
        /// One of the lines that follow `OK lines=N`.
        case continuation
        /// `* …`
        case event
    }

    package struct Field: Equatable, Sendable {
        package let name: [UInt8]
        /// As printed, percent-encoding included.
        package let value: [UInt8]
    }

    package let kind: Kind
    /// Without its `#`; empty where there is none.
    package let tag: [UInt8]
    /// The first word without a `=` behind the status: the code of `ERR`, `holder`, `queued`. Empty: none.
    package let word: [UInt8]
    /// In the order of the line.
    package let fields: [Field]
    /// What `ERR` says in plain words.
    package let message: [UInt8]

    /// Reads a line that comes without its LF. nil where it is no line of the daemon's.
    package init?(_ line: Span<UInt8>) {
        var position = 0
        var tag: [UInt8] = []
        let isContinuation = line.count >= 2 && line[0] == ASCII.space && line[1] == ASCII.space
        if !isContinuation, line.count > 0, line[0] == ASCII.hash {
            WordScanner.skipWord(line, &position, end: line.count)
            guard RequestReader.isTag(line, 1..<position) else { return nil }
            tag = line.extracting(1..<position).copied()
        }
        self.tag = tag
        if isContinuation {
            kind = .continuation
        } else {
            guard let first = WordScanner.next(line, &position, end: line.count),
                let kind = ReplyLine.kind(line.extracting(first.range))
            else { return nil }
            self.kind = kind
        }
        var rest = Rest()
        rest.read(line, from: position, untilSentence: kind == .reply(.err))
        word = rest.word
        fields = rest.fields
        message = rest.message
    }

    /// The field's value as printed; nil where the line has none of that name.
    package func value(_ name: String) -> [UInt8]? {
        fields.first { $0.name.elementsEqual(name.utf8) }?.value
    }

    /// A field that holds a whole number, with `ms` behind it or not.
    package func number(_ name: String) -> UInt64? {
        guard var digits = value(name) else { return nil }
        if digits.suffix(2).elementsEqual("ms".utf8) {
            digits.removeLast(2)
        }
        return ValueReader.number(digits.span)
    }

    /// How many lines follow this one.
    package var lines: Int {
        guard kind == .reply(.ok) else { return 0 }
        return number("lines").flatMap { Int(exactly: $0) } ?? 0
    }

    /// nil where it is no `ERR`, or where the code is none that this version knows.
    package var code: ErrorCode? {
        kind == .reply(.err) ? ErrorCode(rawValue: String(decoding: word, as: UTF8.self)) : nil
    }

    private static func kind(_ word: Span<UInt8>) -> Kind? {
        if word.count == 1, word[0] == ASCII.star { return .event }
        return ReplyStatus(rawValue: String(decoding: word.copied(), as: UTF8.self)).map { .reply($0) }
    }
}

/// What stands behind the first word of a line.
private struct Rest {
    var word: [UInt8] = []
    var fields: [ReplyLine.Field] = []
    var message: [UInt8] = []

    /// With `untilSentence`, the second word that is no field begins the message.
    mutating func read(_ line: Span<UInt8>, from start: Int, untilSentence: Bool) {
        var position = start
        while let next = WordScanner.next(line, &position, end: line.count) {
            if next.look == .option {
                let name = line.extracting(next.name).copied()
                fields.append(ReplyLine.Field(name: name, value: line.extracting(next.value).copied()))
            } else if word.isEmpty {
                word = line.extracting(next.range).copied()
            } else if untilSentence {
                message = line.extracting(next.range.lowerBound...).copied()
                return
            }
        }
    }
}

// From the bytes of a connection to whole replies and events.

internal import LeaseModel
private import LeaseWire

/// Takes bytes as they come, and gives what is complete.
package struct ArrivalReader {
    private var unread: [UInt8] = []
    /// Where the first line begins that was not given yet.
    private var start = 0
    /// Up to where no end of a line was found.
    private var searched = 0
    private var unfinished: Unfinished?

    /// A reply of several lines of which some are missing.
    private struct Unfinished {
        let first: ReplyLine
        var missing: Int
        var texts: [[UInt8]] = []
    }

    package init() {}

    package mutating func take(_ bytes: some Collection<UInt8>) {
        if start > 0 {
            unread.removeFirst(start)
            searched -= start
            start = 0
        }
        unread.append(contentsOf: bytes)
    }

    /// The next thing that came whole; nil where more has to come first. Throws `.garbled` for what no
    /// daemon says: then nothing that follows can be trusted.
    package mutating func next() throws(ConnectionError) -> Arrival? {
        while let line = try nextLine() {
            if let arrival = try read(line) { return arrival }
        }
        return nil
    }

    private mutating func nextLine() throws(ConnectionError) -> [UInt8]? {
        guard let end = unread[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = unread.count
            guard unread.count - start <= Limits.lineBytesMax else { throw .garbled(Array(unread[start...])) }
            return nil
        }
        defer {
            start = end + 1
            searched = start
        }
        return Array(unread[start..<end])
    }

    /// nil: more lines belong to it.
    private mutating func read(_ text: [UInt8]) throws(ConnectionError) -> Arrival? {
        guard let line = ReplyLine(text.span) else { throw .garbled(text) }
        switch line.kind {
        case .continuation:
            guard unfinished != nil else { throw .garbled(text) }
            unfinished?.texts.append(text)
            unfinished?.missing -= 1
            return takeFinished()
        case .event:
            guard unfinished == nil else { throw .garbled(text) }
            return .event(line)
        case .reply(let status):
            guard unfinished == nil else { throw .garbled(text) }
            guard line.lines > 0 else {
                return .answer(Answer(first: line, status: status, texts: []))
            }
            unfinished = Unfinished(first: line, missing: line.lines)
            return nil
        }
    }

    private mutating func takeFinished() -> Arrival? {
        guard let reply = unfinished, reply.missing == 0 else { return nil }
        unfinished = nil
        return .answer(Answer(first: reply.first, status: .ok, texts: reply.texts))
    }
}

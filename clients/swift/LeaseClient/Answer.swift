// What comes from the daemon, put together: whole replies, and events.

package import LeaseWire

/// A whole reply: its first line, and those that belong to it.
package struct Answer: Equatable, Sendable {
    package let first: ReplyLine
    package let status: ReplyStatus
    /// The further lines as they came, each with the two spaces at its beginning.
    package let texts: [[UInt8]]

    /// The further lines, read.
    package var lines: [ReplyLine] {
        texts.compactMap { ReplyLine($0.span) }
    }
}

/// One thing that came.
package enum Arrival: Equatable, Sendable {
    case answer(Answer)
    case event(ReplyLine)
}

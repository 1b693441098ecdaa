// A program on a terminal, and a person in front of it.

import Glibc

package final class Terminal {
    package let program: Program
    private var side: Int32 = -1
    /// All that was shown.
    package private(set) var shown = ""

    package init(_ words: [String], environment: [String]) throws(Failure) {
        var side: Int32 = -1
        program = try Program(onTerminal: words, environment: environment, side: &side)
        self.side = side
    }

    /// The program loses its terminal (SIGHUP). A shell needs a moment to tell its jobs: killed before that,
    /// it would leave those in the background running.
    deinit {
        hangUp()
        _ = program.exitCode(within: 5)
    }

    package func hangUp() {
        if side >= 0 { closeForAll(side) }
        side = -1
    }

    /// `\u{3}` is Ctrl-C, `\u{1A}` Ctrl-Z, `\u{4}` Ctrl-D.
    package func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(side, bytes, bytes.count)
    }

    /// Whether a text is shown within a while. What was shown up to the end of the last one doesn't count.
    package func shows(_ text: String, within seconds: Int = patience) -> Bool {
        let deadline = milliseconds() + Int64(seconds) * 1_000
        while true {
            if let found = unseen.firstRange(of: text) {
                unseen = String(unseen[found.upperBound...])
                return true
            }
            guard milliseconds() < deadline, receive() else { return false }
        }
    }

    private var unseen = ""

    /// - Returns: false where nothing can come any more.
    private func receive() -> Bool {
        var look = pollfd(fd: side, events: Int16(POLLIN), revents: 0)
        guard poll(&look, 1, 100) == 1 else { return side >= 0 }
        var chunk = [UInt8](repeating: 0, count: 4_096)
        let count = read(side, &chunk, chunk.count)
        guard count > 0 else { return false }
        let text = String(decoding: chunk.prefix(count), as: UTF8.self)
        shown += text
        unseen += text
        return true
    }
}

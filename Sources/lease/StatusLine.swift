// The one line on a terminal that says what is waited for.

import Glibc
import LeaseClient
import LeaseModel
import LeaseWire

struct StatusLine {
    private var isDrawn = false

    /// Draws over what stands there; does nothing away from a terminal.
    mutating func draw(_ text: String) {
        guard Terminal.mayDraw, Environment["TERM"] != "dumb" else { return }
        let shown = String(text.prefix(StatusLine.width - 1))
        Paper.errors.write("\r\(Paper.errors.coloured(shown, .faint))\u{1B}[K")
        isDrawn = true
    }

    /// Leaves the terminal as it was found.
    mutating func clear() {
        if isDrawn, Terminal.mayDraw { Paper.errors.write("\r\u{1B}[K") }
        isDrawn = false
    }

    /// What is to be said of a key that is waited for, from the answer to `get`. Our own place is the one of
    /// our process.
    static func text(_ answer: Answer, key: Key) -> String {
        var text = "waiting for \(key.string)"
        let lines = answer.lines
        if let holder = lines.first(where: { $0.word.elementsEqual("holder".utf8) }) {
            let who = holder.shown("owner") ?? "somebody"
            let pid = holder.shown("pid").map { " (pid \($0))" } ?? ""
            text += ", held by \(who)\(pid) for \(People.time(holder.count("age")))"
        }
        let place = lines.first { line in
            line.word.elementsEqual("waiter".utf8) && line.milliseconds("pid") == Int64(getpid())
        }
        if let place = place?.milliseconds("position") { text += "; \(People.ordinal(place)) in line" }
        return text
    }

    private static var width: Int {
        var size = winsize()
        guard ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
        return Int(size.ws_col)
    }
}

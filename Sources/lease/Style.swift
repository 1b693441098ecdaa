// What people read: columns and colours, where they are wanted.

import Glibc

/// Where something is written to.
struct Paper {
    let descriptor: Int32
    let isTerminal: Bool
    let hasColours: Bool

    static let output = Paper(1)
    static let errors = Paper(2)

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        hasColours = isTerminal && Environment["NO_COLOR"] == nil && Environment["TERM"] != "dumb"
    }

    /// Writes all of it.
    /// - Returns: false where that can't be done: nobody reads any more, or the disk is full.
    func takes(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EAGAIN {
                // A terminal that the shell's other jobs have made non-blocking.
                var look = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&look, 1, 1_000)
            } else if count < 0, errno != EINTR {
                return false
            }
            rest = rest.dropFirst(max(0, count))
        }
        return true
    }

    /// Where nobody reads any more, nobody is left to be told. Where the disk is full, what is there is not
    /// to be taken for all there is.
    func write(_ text: String) {
        guard !takes(text), case let code = errno, code != EPIPE, descriptor == 1 else { return }
        Paper.errors.line("lease: the output can't be printed: \(systemText(code))")
        exit(ExitCode.fault.rawValue)
    }

    func line(_ text: String) { write(text + "\n") }

    func coloured(_ text: String, _ colour: Colour) -> String {
        hasColours ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    enum Colour: String {
        case bold = "1"
        case faint = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }
}

/// The variables that this process was started with.
enum Environment {
    /// nil where it isn't set, or is empty.
    static subscript(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}

/// Rows under headings, each column as wide as it has to be.
struct Columns {
    private let headings: [String]
    private var rows: [[String]] = []
    /// Columns of numbers, which stand to the right.
    private let right: Set<Int>

    init(_ headings: [String], right: Set<Int> = []) {
        self.headings = headings
        self.right = right
    }

    mutating func add(_ row: [String]) { rows.append(row) }

    func written(on paper: Paper) -> String {
        let widths = headings.indices.map { column in
            ([headings] + rows).map { $0[column].count }.max() ?? 0
        }
        func line(_ row: [String]) -> String {
            let cells = row.indices.map { column in
                let gap = String(repeating: " ", count: widths[column] - row[column].count)
                if right.contains(column) { return gap + row[column] }
                return column == row.count - 1 ? row[column] : row[column] + gap
            }
            return cells.joined(separator: "  ")
        }
        let all = [paper.coloured(line(headings), .faint)] + rows.map(line)
        return all.map { $0 + "\n" }.joined()
    }
}

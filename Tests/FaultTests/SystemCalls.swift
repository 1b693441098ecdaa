// What strace wrote down, as a list of calls in the order in which they began and ended.

import TestSupport

struct SystemCall {
    enum Moment { case began, ended }

    let moment: Moment
    let thread: Substring
    let name: String
    /// As strace prints them, with the paths of descriptors.
    let arguments: Substring
    /// Of an end: whether the call did what it was to do.
    let succeeded: Bool

    /// The words for strace that this can read the outcome of.
    static let format = ["-y", "-s", "200000"]

    /// The calls of a trace: each is there twice, and what came between the two is of other threads.
    static func read(_ trace: String) -> [SystemCall] {
        var calls: [SystemCall] = []
        var underWay: [Substring: (name: String, arguments: Substring)] = [:]
        for line in trace.split(separator: "\n") {
            let thread = line.prefix { $0 != " " }
            let rest = line.dropFirst(thread.count).drop { $0 == " " }
            if rest.hasPrefix("<... ") {
                guard let call = underWay.removeValue(forKey: thread) else { continue }
                calls.append(ended(thread, call.name, call.arguments, rest))
                continue
            }
            guard let open = rest.firstIndex(of: "(") else { continue }
            let name = String(rest[..<open])
            let arguments = rest[rest.index(after: open)...]
            calls.append(
                SystemCall(
                    moment: .began, thread: thread, name: name, arguments: arguments, succeeded: false))
            if rest.hasSuffix("<unfinished ...>") {
                underWay[thread] = (name, arguments)
            } else {
                calls.append(ended(thread, name, arguments, rest))
            }
        }
        return calls
    }

    private static func ended(
        _ thread: Substring, _ name: String, _ arguments: Substring, _ line: Substring
    ) -> SystemCall {
        let answer = line.split(separator: ")").last.map { $0.drop { " =".contains($0) } } ?? ""
        let succeeded = answer.first?.isNumber == true
        return SystemCall(
            moment: .ended, thread: thread, name: name, arguments: arguments, succeeded: succeeded)
    }

    /// The path behind the descriptor that comes first.
    var path: String {
        let from = arguments.drop { $0 != "<" }.dropFirst()
        return String(from.prefix { $0 != ">" })
    }

    /// What stands in quotes, as strace prints it.
    var strings: [Substring] {
        arguments.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map(\.element)
    }
}

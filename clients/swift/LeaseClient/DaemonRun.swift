// Which run of the daemon told something: without a log, the next one numbers its changes anew.

internal import LeaseWire

package struct DaemonRun: Equatable, Sendable {
    /// By the wall clock.
    private let startedMilliseconds: UInt64
    private let keepsLog: Bool

    /// Of an `OK` to `stats`.
    package init(_ statistics: Answer) {
        startedMilliseconds = statistics.first.number("started") ?? 0
        let log = statistics.lines.first { $0.word.elementsEqual("log".utf8) }
        keepsLog = log?.number("bytes") ?? 0 > 0
    }

    /// Whether a change has a greater number in the later run than any has in this one.
    package func goesOn(in later: DaemonRun) -> Bool {
        self == later || keepsLog && later.keepsLog
    }
}

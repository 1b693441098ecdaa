// Signals as something to read, so that none interrupts what is under way.

import CLinux
import Glibc

/// A set of signals that no longer interrupt, but wait in a descriptor.
package struct SignalQueue: ~Copyable {
    private let queue: Descriptor

    /// Blocks the signals for this thread and all that it starts from now on. To be called before there is
    /// a second thread: one that doesn't block a signal would receive it and end the process.
    package init(_ signals: [Int32]) throws(Errno) {
        queue = Descriptor(owning: try check { clinux_signals_create(signals, signals.count) })
    }

    /// For the poller.
    package var raw: Int32 { queue.raw }

    /// The next signal that came, nil when there is none.
    package func next() throws(Errno) -> Int32? {
        let signal = try check { clinux_signals_next(queue.raw) }
        return signal == 0 ? nil : signal
    }
}

/// Ignores signals for the whole process: SIGPIPE, which a closed socket sends, and SIGXFSZ, which a limit
/// on the size of files sends, would end the daemon where an error does.
package func ignoreSignals(_ signals: [Int32]) {
    for number in signals { _ = signal(number, SIG_IGN) }
}

/// Asks for a signal when the process's parent ends. Returns false where it has ended meanwhile, in which
/// case no signal will come. The kernel means the thread that started us, not its whole process.
package func signalWhenParentEnds(_ signal: Int32) throws(Errno) -> Bool {
    let parent = getppid()
    try check { clinux_signal_at_parent_death(signal) }
    return getppid() == parent
}

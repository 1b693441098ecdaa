// The signals that come, read one by one, and how this program stops or ends by one.

import CLaunch
import Glibc

struct Signals: ~Copyable {
    struct Signal: Equatable {
        let number: Int32
        /// The terminal's: what shares its foreground got it, too.
        let isFromKernel: Bool
    }

    let descriptor: Int32
    let childSignalWasIgnored: Bool

    /// From here on no signal ends or interrupts this program. With `keepsStops`, Ctrl-Z and the like still
    /// stop it.
    init(keepsStops: Bool) throws(Complaint) {
        var descriptor: Int32 = -1
        let answer = claunch_hold_signals(keepsStops ? 1 : 0, &descriptor)
        guard answer >= 0 else { throw .system("signals can't be read") }
        self.descriptor = descriptor
        childSignalWasIgnored = answer == 0
    }

    deinit { close(descriptor) }

    func next() -> Signal? {
        var found = claunch_signal()
        guard claunch_next_signal(descriptor, &found) == 1 else { return nil }
        return Signal(number: found.number, isFromKernel: found.is_from_kernel != 0)
    }

    /// Whether a signal is one that a command, or a wait, is to be told of.
    static func isForCommand(_ number: Int32) -> Bool {
        switch number {
        case SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGPIPE: false
        default: true
        }
    }

    /// Whether a wait goes on in spite of it.
    static func isHarmless(_ number: Int32) -> Bool {
        switch number {
        case SIGWINCH, SIGURG, SIGCONT, SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE: true
        default: false
        }
    }
}

/// The terminal that this process belongs to, whatever its input and output are.
enum Terminal {
    static let isThere: Bool = {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }()

    /// Whether a line may be drawn on stderr: a job in the background leaves the terminal alone.
    static var mayDraw: Bool { Paper.errors.isTerminal && tcgetpgrp(2) == getpgrp() }
}

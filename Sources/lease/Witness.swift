// Tells signals to the whole process group from those to us alone, on a terminal.

import CLaunch
import Glibc
import LeaseIO

/// A process beside the command. The kernel does not say whom else a signal was sent to; this one, which has
/// all signals blocked, shows what it got as pending.
struct Witness: ~Copyable {
    private var pid: pid_t

    init() { pid = claunch_fork_witness() }

    deinit { Witness.end(pid) }

    /// Whether the group got the signal that we just got. Then the command has got it, too.
    mutating func hasSeen(_ signal: Int32) -> Bool {
        // The kernel goes through the group one by one, and we may not be the last. It does so with its list
        // of processes held, and nothing is forked till it lets go of that: so all have it now. And the next
        // signal needs a fresh one.
        let next = claunch_fork_witness()
        guard pid > 0, isPending(signal) else {
            Witness.end(next)
            return false
        }
        Witness.end(pid)
        pid = next
        return true
    }

    private func isPending(_ signal: Int32) -> Bool {
        (ProcessWatch.pendingSignals(of: pid) ?? 0) >> UInt64(signal - 1) & 1 == 1
    }

    private static func end(_ pid: pid_t) {
        guard pid > 0 else { return }
        kill(pid, SIGKILL)
        claunch_reap(pid)
    }
}

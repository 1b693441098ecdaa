// A process that waits for our end, to end what must not go on without us.

import CLaunch
import Glibc

struct Guard: ~Copyable {
    let pid: pid_t
    private let lifeline: Int32

    /// Forks: there must be no other thread. `group` is killed when we end; then `afterwards` is done, in the
    /// guard.
    init(of group: pid_t?, afterwards: () -> Void = {}) throws(Complaint) {
        var lifeline: Int32 = -1
        pid = claunch_fork_guard(group ?? 0, &lifeline)
        if pid == 0 {
            afterwards()
            _exit(0)
        }
        self.lifeline = lifeline
        guard pid > 0 else { throw .system("a process to guard the command can't be had") }
    }

    /// Nothing is left to be guarded.
    deinit {
        kill(pid, SIGKILL)
        claunch_reap(pid)
        close(lifeline)
    }
}

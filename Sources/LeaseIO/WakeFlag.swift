// How another thread wakes the poller.

import CLinux
import Glibc

/// A flag whose descriptor is readable while it is raised.
package struct WakeFlag: ~Copyable, Sendable {
    private let flag: Descriptor

    package init() throws(Errno) {
        flag = Descriptor(owning: try check { clinux_flag_create() })
    }

    /// For the poller.
    package var raw: Int32 { flag.raw }

    /// From any thread. Raised twice is raised once.
    package func raise() {
        // The one refusal is EAGAIN, for a counter at its end: the flag is up then all the same.
        while clinux_flag_raise(flag.raw) == -1 && errno == EINTR {}
    }

    /// Takes the flag down. Returns whether it was raised.
    @discardableResult
    package func drain() throws(Errno) -> Bool {
        try check { clinux_counter_take(flag.raw) } == 1
    }
}

// A timer that can be polled, on the clock that runs on while the machine sleeps.

import CLinux

/// A timer on CLOCK_BOOTTIME; its descriptor is readable from the instant that it was armed for.
package struct WakeTimer: ~Copyable {
    private let timer: Descriptor

    package init() throws(Errno) {
        timer = Descriptor(owning: try check { clinux_timer_create() })
    }

    /// For the poller.
    package var raw: Int32 { timer.raw }

    /// Sets the instant, in nanoseconds of `Clocks.bootNanoseconds()`; it replaces the one before. What is
    /// past goes off at once.
    package func arm(atNanoseconds instant: Int64) throws(Errno) {
        // 0 would disarm, less is an error.
        let target = max(1, instant)
        try check { clinux_timer_set(timer.raw, target) }
    }

    package func disarm() throws(Errno) {
        try check { clinux_timer_set(timer.raw, 0) }
    }

    /// Makes the descriptor quiet again. Returns whether the timer had gone off.
    @discardableResult
    package func drain() throws(Errno) -> Bool {
        try check { clinux_counter_take(timer.raw) } == 1
    }
}

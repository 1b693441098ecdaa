// The clock on which leases are counted: the machine's, or one that a test moves by hand.

internal import LeaseModel
private import Synchronization

/// Where a client reads the time of leases.
package enum LeaseClock: Sendable {
    case system
    /// Of a daemon with a manual clock.
    case manual(ManualTime)

    var now: Instant {
        switch self {
        case .system: BootClock.now()
        case .manual(let time): time.now
        }
    }

    var isManual: Bool {
        switch self {
        case .system: false
        case .manual: true
        }
    }
}

/// A time that only moves when it is told to, shared by the clients of one test.
package final class ManualTime: Sendable {
    private let nanoseconds = Atomic<Int64>(0)

    package init() {}

    var now: Instant { Instant(nanoseconds: nanoseconds.load(ordering: .acquiring)) }

    /// Never backwards.
    package func move(toNanoseconds: Int64) {
        nanoseconds.max(toNanoseconds, ordering: .acquiringAndReleasing)
    }
}

/// One moment on both clocks.
struct Moment {
    /// On which leases, waits and renewals are counted.
    let lease: Instant
    /// Always the machine's: how long a silent daemon is put up with.
    let real: Instant
}

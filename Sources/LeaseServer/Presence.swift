// Whether the daemon was there all the time: it may have been stopped, starved of the processor, or asleep.

package import LeaseModel

/// Notices when the daemon or the machine stood still.
package struct Presence {
    /// A stall shorter than this is no absence.
    private static let stall = Duration.seconds(1)
    /// By how much the clock that runs on in sleep must have gained on the other.
    private static let sleepNanoseconds: Int64 = 10_000_000

    private var lastPassEnded: Instant?
    private var wasContinued = false
    private var isAbsent = false
    /// The greatest that was seen: it only grows, and what was seen too late is less than it was.
    private var sleepOffset: Int64?
    private var sleepLookedForAt: Instant?

    package init() {}

    /// The process was continued (SIGCONT) after it had been stopped.
    package mutating func continued() {
        wasContinued = true
    }

    /// Whether the last pass is so long ago that the daemon may have been stopped since.
    package func isLongAgo(_ now: Instant) -> Bool {
        lastPassEnded.map { $0 + Presence.stall < now } ?? false
    }

    /// The timer has fired that was due at this instant. What was overdue when the timer was set (where very
    /// much is due, it is dealt with in slices) is no absence: only the time since the last pass counts.
    package mutating func woken(dueAt: Instant?, _ now: Instant) {
        guard let dueAt else { return }
        if max(dueAt, lastPassEnded ?? dueAt) + Presence.stall < now { isAbsent = true }
    }

    package mutating func passEnded(at end: Instant, began: Instant) {
        if began + Presence.stall < end { isAbsent = true }
        lastPassEnded = end
    }

    /// How the clocks stand as the daemon begins. To be told several times: a thread may be kept waiting
    /// between its looks at the two, and the first one that is judged has nothing else to be compared with.
    package mutating func begins(at now: Instant, monotonic: Int64) {
        let offset = now.nanoseconds - monotonic
        sleepOffset = max(sleepOffset ?? offset, offset)
    }

    /// Whether there was an absence since the last call.
    /// - Parameter monotonic: the clock that stands still in sleep, which is read only where there was time
    ///   to sleep since it was read last. It is read after `now`; how long after doesn't matter, since a
    ///   thread may be kept waiting between the two.
    package mutating func takeAbsence(_ now: Instant, monotonic: @autoclosure () -> Int64) -> Bool {
        if wasContinued, isLongAgo(now) { isAbsent = true }
        if mayHaveSlept(now) { lookForSleep(now, monotonic: monotonic()) }
        wasContinued = false
        defer { isAbsent = false }
        return isAbsent
    }

    private func mayHaveSlept(_ now: Instant) -> Bool {
        guard let sleepLookedForAt else { return true }
        return sleepLookedForAt + Duration(nanoseconds: Presence.sleepNanoseconds) < now
    }

    private mutating func lookForSleep(_ now: Instant, monotonic: Int64) {
        let offset = now.nanoseconds - monotonic
        if let sleepOffset, offset - sleepOffset > Presence.sleepNanoseconds { isAbsent = true }
        sleepOffset = max(sleepOffset ?? offset, offset)
        sleepLookedForAt = now
    }
}

// Looks for what comes soon instead of sleeping until it comes: busy polling, only while it pays.

/// For how long a wait looks again and again before it sleeps.
///
/// To fall asleep and be woken takes longer than to answer: where one client asks one thing after the other,
/// that is most of the time between two answers. What came soon the last time is taken to come soon again;
/// otherwise a wait sleeps at once. It also sleeps at once after a wait that found several: then there is
/// nearly always something to do, and to sleep a moment lets more of it come together.
package struct BusyPoll {
    /// So long it looks at most, in nanoseconds: what a wrong guess costs. Somebody who asks ten thousand
    /// times a second, one thing after the other, is slept for.
    package static let longest: Int64 = 50_000

    private var pays = false

    package init() {}

    /// How long the next wait is to look.
    package var nanoseconds: Int64 { pays ? BusyPoll.longest : 0 }

    /// A wait is over that took so many nanoseconds and found so many events.
    package mutating func waited(_ nanoseconds: Int64, found count: Int) {
        pays = count == 1 && nanoseconds <= BusyPoll.longest
    }
}

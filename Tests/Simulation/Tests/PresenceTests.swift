// What counts as an absence of the daemon.

import LeaseModel
import LeaseServer
import Testing

@Suite struct PresenceTests {
    /// Where very much is due it is worked off in slices, and each sets the timer to what is overdue.
    @Test func whatWasOverdueWhenTheTimerWasSetIsNoAbsence() {
        var presence = Presence()
        let now = Instant.zero + .seconds(100)
        presence.passEnded(at: now, began: now)
        presence.woken(dueAt: now - .seconds(50), now + .milliseconds(1))
        let soon = presence.takeAbsence(now + .milliseconds(1), monotonic: 0)
        presence.woken(dueAt: now - .seconds(50), now + .seconds(2))
        let late = presence.takeAbsence(now + .seconds(2), monotonic: 2_000_000_000)
        #expect(!soon && late)
    }

    /// In less time than counts as sleep nobody can have slept so long: the other clock is not read.
    @Test func sleepIsNoticedThoughTheOtherClockIsReadFromTimeToTime() {
        var presence = Presence()
        let now = Instant.zero + .seconds(100)
        var reads = 0
        func monotonic(_ milliseconds: Int64) -> Int64 {
            reads += 1
            return (now + .milliseconds(milliseconds)).nanoseconds
        }
        let first = presence.takeAbsence(now, monotonic: monotonic(0))
        let soon = presence.takeAbsence(now + .milliseconds(9), monotonic: monotonic(9))
        let asleep = presence.takeAbsence(now + .milliseconds(60), monotonic: monotonic(10))
        let awake = presence.takeAbsence(now + .milliseconds(80), monotonic: monotonic(30))
        #expect(!first && !soon && asleep && !awake && reads == 3)
    }
}

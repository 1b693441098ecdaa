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
}

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

    @Test func aLateFirstLookIsNoSleepEither() {
        var presence = Presence()
        for late in [500, 0, 20] as [Int64] {
            presence.begins(at: .zero, monotonic: late * 1_000_000)
        }
        let early = presence.takeAbsence(.zero + .milliseconds(20), monotonic: 20_000_000)
        let slept = presence.takeAbsence(.zero + .milliseconds(60), monotonic: 40_000_000)
        #expect(!early && slept)
    }

    /// A thread may be kept waiting between its looks at the two clocks, and what it sees next is no sleep.
    @Test func aLateLookAtTheOtherClockIsNoSleep() {
        var presence = Presence()
        var found: [Bool] = []
        for (milliseconds, late) in [(0, 0), (20, 500), (40, 0), (60, 9), (80, 0)] as [(Int64, Int64)] {
            found.append(presence.takeAbsence(
                .zero + .milliseconds(milliseconds), monotonic: (milliseconds + late) * 1_000_000))
        }
        #expect(found == [false, false, false, false, false])
        // Eleven milliseconds slept, with the other clock seen in time, and then late by less.
        let slept = presence.takeAbsence(.zero + .milliseconds(101), monotonic: 90_000_000)
        let sleptAgain = presence.takeAbsence(.zero + .milliseconds(130), monotonic: 100_000_000)
        #expect(slept && sleptAgain)
    }
}

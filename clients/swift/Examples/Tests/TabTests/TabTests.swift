// A test with the manual clock: ten minutes pass at once, and nobody sleeps.

import LeaseClient
import LeaseTesting
import Testing

@Suite(.leaseRig(clock: .manual))
struct TabTests {
    let rig = LeaseRig.current

    @Test func aTabThatWorksKeepsItsUser() async throws {
        try await rig.client("tab-A").withLease(on: .user("42"), ttl: .seconds(30)) { lease in
            try await rig.advance(by: .seconds(600))
            // It was renewed on the way.
            try lease.checkHeld()
            await #expect(throws: LeaseError.self) {
                try await rig.client("tab-B").withLease(on: .user("42")) { _ in }
            }
        }
    }

    @Test func aTabThatIsFrozenLosesItToTheNextInLine() async throws {
        _ = try await rig.client("tab-A").acquire(on: .user("42"), ttl: .seconds(600))
        let other = rig.client("tab-B")
        async let next = other.withLease(on: .user("42"), waitingUpTo: .seconds(3_600)) { $0.token }
        try await rig.settled(.user("42"), waiters: 1)
        try await rig.advance(by: .seconds(600))
        #expect(try await next == 2)
    }
}

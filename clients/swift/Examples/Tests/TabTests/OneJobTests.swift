// One job for each user, in all tabs and on all devices: how it is held, lost, looked at and freed.

import LeaseClient
import LeaseTesting
import Testing

private let policy = """
    kind user  id       limit=1 ttl=10m
    key  user/vip-7     limit=2
    """

@Suite(.leaseRig(clock: .manual, policy: policy))
struct OneJobTests {
    let rig = LeaseRig.current

    /// Why somebody is refused; nil where nobody is.
    private func refusal(of owner: String, _ user: String) async throws -> LeaseError.Busy? {
        do {
            _ = try await rig.client(owner).acquire(on: .user(user), note: "video")
            return nil
        } catch LeaseError.busy(let busy) {
            return busy
        }
    }

    @Test func whoIsRefusedLearnsWhoAndSinceWhen() async throws {
        _ = try await rig.client("phone").acquire(on: .user("42"), note: "image")
        try await rig.advance(by: .seconds(240))
        let busy = try #require(try await refusal(of: "laptop", "42"))
        #expect(busy.holder?.owner == "phone" && busy.holder?.age == .seconds(240))
    }

    @Test func afterTenMinutesOfSilenceTheNextOneGoesThrough() async throws {
        _ = try await rig.client("phone").acquire(on: .user("42"))
        try await rig.advance(by: .milliseconds(599_999))
        #expect(try await refusal(of: "laptop", "42")?.holder?.owner == "phone")
        try await rig.advance(by: .milliseconds(1))
        #expect(try await refusal(of: "laptop", "42") == nil)
    }

    @Test func oneLineOfPolicyMakesItTwo() async throws {
        #expect(try await refusal(of: "phone", "vip-7") == nil)
        #expect(try await refusal(of: "laptop", "vip-7") == nil)
        #expect(try await refusal(of: "tablet", "vip-7")?.reason == .limit)
    }

    @Test func anAdministratorLooksAndFrees() async throws {
        let stuck = try await rig.client("phone").acquire(on: .user("42"), note: "image")
        let running = try await rig.client("desk").list(under: "user/42").leases
        #expect(running.map(\.owner) == ["phone"])
        try await rig.client("desk").evict(stuck.token, note: "stuck")
        #expect(try await refusal(of: "laptop", "42") == nil)
        let before = try await rig.client("desk").history(under: "user/42")
        #expect(before.map(\.kind) == [.granted, .evicted, .granted])
    }
}

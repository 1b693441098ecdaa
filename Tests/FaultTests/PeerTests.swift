// Peers that are killed, go half-way, send descriptors, or are another user.

import CTestSupport
import Glibc
import SeededRandom
import TestSupport
import Testing

@Suite struct PeerTests {
    private let stranger: UInt32 = 65_534

    /// Killed around the moment of its grant: the next one in line has it without waiting for any ttl.
    @Test func aWaiterThatDiesAtItsGrantKeepsNobodyWaiting() throws {
        var random = SeededRandom(seed: seed("dying waiters"))
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let (holder, next) = (try daemon.connect(), try daemon.connect())
        var token = try #require(tokenGranted(holder.ask("acquire user/1 ttl=1h")))
        for round in 0..<(isFullSweep ? 2_000 : 150) {
            let dying = try daemon.connect()
            dying.send("acquire user/1 ttl=1h ephemeral wait=1h")
            eventually("it waits") {
                holder.firstLine(of: "get user/1")?.contains("waiting=1 ") == true
            }
            next.send("acquire user/1 ttl=1h wait=1h")
            eventually("both wait") {
                holder.firstLine(of: "get user/1")?.contains("waiting=2 ") == true
            }
            if Bool.random(using: &random) { dying.hangUp() }
            holder.send("release \(token)")
            if Bool.random(using: &random) { usleep(UInt32.random(in: 0...400, using: &random)) }
            dying.hangUp()
            #expect(holder.line()?.hasPrefix("OK token=\(token) held=") == true)
            let reply = next.line()
            token = try #require(tokenGranted(reply), "round \(round): \(reply ?? "nothing")")
        }
        try daemon.stop()
    }

    @Test func theLivingKeepTheirOrderWhenHalfOfTheLineDies() throws {
        var random = SeededRandom(seed: seed("dying line"))
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let holder = try daemon.connect()
        var token = try #require(tokenGranted(holder.ask("acquire user/1 ttl=1h")))
        var line: [Client] = []
        for place in 1...40 {
            let client = try daemon.connect()
            client.send("acquire user/1 ttl=1h wait=1h")
            eventually("it waits") {
                holder.firstLine(of: "get user/1 limit=1")?.contains("waiting=\(place) ") == true
            }
            line.append(client)
        }
        let dead = Set(Array(0..<40).shuffled(using: &random).prefix(20))
        dead.forEach { line[$0].hangUp() }
        eventually("the dead have left") {
            holder.firstLine(of: "get user/1 limit=1")?.contains("waiting=20 ") == true
        }
        for place in 0..<40 where !dead.contains(place) {
            #expect(holder.ask("release \(token)")?.hasPrefix("OK") == true)
            token = try #require(tokenGranted(line[place].line()), "place \(place)")
            // One grant for one release: nobody else has heard anything.
            let rest = line.indices.filter { $0 > place && !dead.contains($0) }
            #expect(rest.allSatisfy { line[$0].waiting().isEmpty })
        }
        try daemon.stop()
    }

    /// A connection lives as long as somebody has it: a child, too, and whoever it was passed to.
    @Test func aConnectionLivesUntilItsLastCopyIsClosed() throws {
        let daemon = try Daemon()
        try daemon.start()
        let other = try daemon.connect()
        var holder: Client? = try daemon.connect()
        #expect(tokenGranted(holder?.ask("acquire user/1 ephemeral ttl=1h")) == 1)
        let child = try Program(["/bin/sleep", "1000"], descriptors: [5: try #require(holder).descriptor])
        holder?.hangUp()
        holder = nil
        for _ in 0..<50 { #expect(other.ask("check 1")?.hasPrefix("OK token=1 ") == true) }
        child.signal(SIGKILL)
        _ = child.exitCode()
        eventually("it ends with the last copy") {
            other.ask("check 1")?.hasPrefix("GONE token=1 why=disconnected") == true
        }
        try daemon.stop()
    }

    /// A holder that slept past its deadline can't be held back by anybody; but what it guards can tell it
    /// from the next one by the token, and so can it by asking.
    @Test func whoSleptPastItsDeadlineIsTold() throws {
        let daemon = try Daemon()
        try daemon.start()
        let (sleeper, next) = (try daemon.connect(), try daemon.connect())
        let old = try #require(tokenGranted(sleeper.ask("acquire user/1 ttl=200ms")))
        let new = try #require(tokenGranted(next.ask("acquire user/1 ttl=1h wait=1m")))
        #expect(new > old)
        for request in ["check \(old)", "renew \(old)", "release \(old)"] {
            let reply = sleeper.ask(request) ?? "nothing"
            #expect(reply.hasPrefix("GONE token=\(old) why=expired "), "\(reply)")
            #expect(reply.contains(" next=\(new)"), "\(reply)")
        }
        #expect(next.ask("check \(new)")?.hasPrefix("OK token=\(new) ") == true)
        try daemon.stop()
    }

    @Test func descriptorsThatAreSentAreNotKept() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        #expect(client.ask("ping") == "OK")
        let before = daemon.openDescriptors
        let passed = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { closeForAll(passed) }
        let line = Array("ping\n".utf8)
        for _ in 0..<1_000 {
            #expect(ctest_send_with_descriptor(client.descriptor, line, line.count, passed) == line.count)
            #expect(client.line() == "OK")
        }
        #expect(daemon.openDescriptors == before)
        try daemon.stop()
    }

    /// A read ends there, whatever stands behind it: nothing more has to come for that to be answered.
    @Test func whatStandsBehindADescriptorIsAnswered() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        let passed = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { closeForAll(passed) }
        let line = Array("ping\n".utf8)
        for _ in 0..<3 {
            #expect(client.ask("ping") == "OK")
            daemon.program?.pause()
            #expect(ctest_send_with_descriptor(client.descriptor, line, line.count, passed) == line.count)
            client.send("ping")
            daemon.program?.signal(SIGCONT)
            #expect(client.line() == "OK")
            #expect(client.line() == "OK")
        }
        try daemon.stop()
    }

    /// Who a peer is was said when it connected: gone or not, it is no administrator.
    @Test(.enabled(if: isRoot, "needs root, to be another user"))
    func aPeerThatIsGoneIsNobodyElse() throws {
        let daemon = try Daemon(isForEverybody: true)
        try daemon.start(["--sync=never"])
        let holder = try daemon.connect()
        #expect(tokenGranted(holder.ask("acquire user/1 ttl=1h")) == 1)
        for _ in 0..<(isFullSweep ? 10_000 : 1_000) {
            let client = try daemon.connect(uid: stranger)
            client.send("evict 1\nrelease 1\ncompact\nrenew 1 ttl=1ms")
            client.hangUp()
        }
        #expect(holder.ask("check 1")?.hasPrefix("OK token=1 ") == true)
        #expect(holder.ask("release 1")?.hasPrefix("OK token=1 ") == true)
        try daemon.stop()
    }

    /// One uid can't shut the others out.
    @Test(.enabled(if: isRoot, "needs root, to be another user"))
    func oneUserCannotTakeEveryConnection() throws {
        let daemon = try Daemon(isForEverybody: true)
        try daemon.start(["--connections-max=12", "--connections-per-user-max=8"])
        let theirs = try (0..<8).map { _ in try daemon.connect(uid: stranger) }
        for client in theirs { #expect(client.ask("whoami")?.hasPrefix("OK uid=65534 ") == true) }
        let beyond = try daemon.connect(uid: stranger)
        #expect(beyond.line()?.hasPrefix("ERR too-many-connections max=8 ") == true)
        #expect(beyond.next() == .closed)
        let ours = try (0..<4).map { _ in try daemon.connect() }
        for client in ours { #expect(client.ask("whoami")?.hasPrefix("OK uid=0 ") == true) }
        #expect(try daemon.connect().line()?.hasPrefix("ERR too-many-connections max=12 ") == true)
        theirs[0].hangUp()
        eventually("who goes makes room") { (try? daemon.connect(uid: stranger))?.ask("ping") == "OK" }
        try daemon.stop()
    }
}

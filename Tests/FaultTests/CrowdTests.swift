// More connections than there is room for: at the bounds themselves, and in the kernel's queue.

import Glibc
import TestSupport
import Testing

/// How many descriptors this process may have, with as many as it is allowed to take.
private let descriptorsMax: Int = {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(min(limit.rlim_cur, 1 << 30))
}()

@Suite struct CrowdTests {
    /// 10,000 with `LEASED_FAULT_SWEEP`, the bounds as they are by default; else a tenth.
    @Test(.enabled(if: isRoot && descriptorsMax >= 12_000, "needs root and 12,000 descriptors"))
    func asManyAsThereMayBeAreServedAndTheNextIsTold() throws {
        let stranger: UInt32 = 65_534
        let (inAll, ofOne) = isFullSweep ? (10_000, 8_000) : (1_000, 800)
        let daemon = try Daemon(isForEverybody: true)
        let flags = ["--connections-max=\(inAll)", "--connections-per-user-max=\(ofOne)"]
        try daemon.start(["--memory"] + (isFullSweep ? [] : flags))
        let before = daemon.residentKilobytes
        var crowd = try (0..<ofOne).map { _ in try daemon.connect() }
        #expect(crowd.last?.ask("ping") == "OK")
        #expect(try daemon.connect().line()?.hasPrefix("ERR too-many-connections max=\(ofOne) ") == true)
        crowd += try (ofOne..<inAll).map { _ in try daemon.connect(uid: stranger) }
        #expect(crowd.last?.ask("ping") == "OK")
        let beyond = try daemon.connect(uid: stranger)
        #expect(beyond.line()?.hasPrefix("ERR too-many-connections max=\(inAll) ") == true)
        #expect(beyond.next() == .closed)
        for (number, client) in crowd.enumerated() { client.send("acquire user/\(number) ephemeral ttl=1h") }
        for client in crowd { #expect(tokenGranted(client.line()) != nil) }
        let each = (daemon.residentKilobytes - before) * 1_024 / inAll
        print("connections: \(inAll), each with a lease, \(each) bytes of memory for each")
        #expect(isSanitized || each < 8_192)
        crowd.removeAll()
        eventually("who goes makes room") { (try? daemon.connect())?.ask("list limit=1") == "OK lines=0" }
        try daemon.stop()
    }

    /// A daemon that is stopped, and more who come than the kernel's queue has room for: they are told so,
    /// and those in it are served when it goes on.
    @Test(.enabled(if: descriptorsMax >= 12_000, "needs 12,000 descriptors"))
    func aFullQueueIsSaidAndWhoStandsInItIsServed() throws {
        let daemon = try Daemon()
        try daemon.start(["--memory"])
        daemon.program?.pause()
        let room = Int(text(of: "/proc/sys/net/core/somaxconn").prefix { $0.isNumber }) ?? 0
        var crowd: [Client] = []
        while crowd.count < 6_000, let client = try Client(connectingAtOnceTo: daemon.socketPath) {
            crowd.append(client)
        }
        #expect(crowd.count == min(4_096, room) + 1)
        crowd.forEach { $0.send("ping") }
        daemon.program?.signal(SIGCONT)
        for client in crowd { #expect(client.line() == "OK") }
        #expect(try daemon.connect().ask("ping") == "OK")
        try daemon.stop()
    }

    /// More connections have a request at the same moment than one wait tells of: a part of them comes while
    /// the daemon reads from the others.
    @Test(.enabled(if: descriptorsMax >= 12_000, "needs 12,000 descriptors"))
    func manyWhoAskWhileManyAreReadAreAllAnswered() throws {
        let daemon = try Daemon()
        try daemon.start(["--memory"])
        let crowd = try (0..<1_000).map { _ in try daemon.connect() }
        for client in crowd { #expect(client.ask("ping") == "OK") }
        for round in 0..<20 {
            daemon.program?.pause()
            for client in crowd[..<500] { client.send("#\(round) ping") }
            daemon.program?.signal(SIGCONT)
            for client in crowd[500...] { client.send("#\(round) ping") }
            for client in crowd { try #require(client.line() == "#\(round) OK") }
        }
        try daemon.stop()
    }
}

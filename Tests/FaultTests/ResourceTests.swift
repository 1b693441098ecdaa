// What a client may use up: descriptors, memory, the processor, the patience of others.

import Glibc
import TestSupport
import Testing

@Suite struct ResourceTests {
    /// Out of descriptors: it does not turn round and round, and who is there is served.
    @Test func withoutDescriptorsWhoIsThereIsServed() throws {
        let daemon = try Daemon()
        try daemon.start(wrapper: ["/usr/bin/prlimit", "--nofile=64:64"])
        let holder = try daemon.connect()
        #expect(tokenGranted(holder.ask("acquire user/1 ttl=1h")) == 1)
        var crowd = try (0..<200).map { _ in try daemon.connect() }
        #expect(holder.ask("renew 1 ttl=1h") == "OK token=1 ttl=3600000ms")
        #expect(holder.ask("compact")?.hasPrefix("OK bytes-before=") == true)
        let farewells = crowd.compactMap { client -> String? in
            guard case .line(let bytes) = client.next(within: 200) else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(farewells.count > 100)
        // It says how many there are: the others of the crowd, and the holder.
        let said = "ERR too-many-connections max=\(crowd.count - farewells.count + 1) "
        #expect(farewells.allSatisfy { $0.hasPrefix(said) })
        let before = daemon.ticksUsed
        usleep(1_000_000)
        // Time of the processor, not of the clock: a busy loop would have used most of it.
        #expect(daemon.ticksUsed - before < 30)
        crowd.removeAll()
        eventually("it welcomes others again") { (try? daemon.connect())?.ask("ping") == "OK" }
        try daemon.stop()
    }

    /// Not even the last one is left: the listener is let alone for a while.
    @Test func withNoDescriptorAtAllItGoesOn() throws {
        let daemon = try Daemon()
        try daemon.start()
        let holder = try daemon.connect()
        #expect(tokenGranted(holder.ask("acquire user/1 ttl=1h")) == 1)
        try run("/usr/bin/prlimit", "--pid=\(daemon.pid!)", "--nofile=\(daemon.openDescriptors):4096")
        let waiting = try (0..<20).map { _ in try daemon.connect() }
        let before = daemon.ticksUsed
        usleep(1_000_000)
        #expect(daemon.ticksUsed - before < 30)
        #expect(holder.ask("renew 1 ttl=1h") == "OK token=1 ttl=3600000ms")
        try run("/usr/bin/prlimit", "--pid=\(daemon.pid!)", "--nofile=4096:4096")
        for client in waiting { #expect(client.ask("ping") == "OK") }
        try daemon.stop()
    }

    /// That a process can't be looked at, or not be watched, is no sign of its end, which is seen later.
    @Test(
        .enabled(if: hasStrace, "needs root and strace"),
        arguments: ["pidfd_open:error=ENFILE:when=2+", "epoll_ctl:error=ENOSPC:when=1"])
    func whoCannotBeWatchedHasNotEnded(_ injection: String) throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        let worker = try Program(["/bin/sleep", "1000"])
        var fault: Fault? = try Fault(injection, of: daemon.pid!, output: daemon.folder("trace"))
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h while=\(worker.pid)")) == 1)
        #expect(client.ask("check 1")?.hasPrefix("OK token=1 ") == true)
        withExtendedLifetime(fault) {}
        fault = nil
        worker.signal(SIGKILL)
        _ = worker.exitCode()
        eventually("its end is seen") {
            client.ask("check 1")?.hasPrefix("GONE token=1 why=process-ended ") == true
        }
        try daemon.stop()
    }

    @Test(.disabled(if: isSanitized, "a sanitizer's memory says nothing"))
    func aLineWithoutAnEndTakesNoMemory() throws {
        let daemon = try Daemon()
        try daemon.start()
        let (client, other) = (try daemon.connect(), try daemon.connect())
        client.send([UInt8](repeating: 0x61, count: 1 << 20))
        #expect(client.line()?.hasPrefix("ERR line-too-long ") == true)
        let before = daemon.residentKilobytes
        for _ in 0..<63 { client.send([UInt8](repeating: 0x61, count: 1 << 20)) }
        #expect(other.ask("ping") == "OK")
        client.send("\nping")
        #expect(client.line() == "OK")
        #expect(daemon.residentKilobytes - before < 1_024)
        try daemon.stop()
    }

    /// Requests without end, whose replies nobody reads: it is not read from, and the others are served.
    @Test(.disabled(if: isSanitized, "a sanitizer's memory says nothing"))
    func repliesThatNobodyReadsTakeBoundedMemory() throws {
        let daemon = try Daemon()
        try daemon.start()
        let other = try daemon.connect()
        let before = daemon.residentKilobytes
        var crowd: [Client] = []
        for _ in 0..<5 {
            let client = try daemon.connect()
            _ = fcntl(client.descriptor, F_SETFL, O_NONBLOCK)
            let lines = Array(String(repeating: "help\npolicy\n", count: 4_000).utf8)
            var stuck = 0
            // Until the kernel has taken nothing for a while.
            while stuck < 20 {
                let taken = Glibc.send(client.descriptor, lines, lines.count, 0)
                stuck = taken > 0 ? 0 : stuck + 1
                if taken <= 0 { usleep(5_000) }
            }
            crowd.append(client)
        }
        #expect(other.ask("ping") == "OK")
        // For each: 2 MiB to be read, what one reply may go beyond, and what was read and waits behind.
        #expect(daemon.residentKilobytes - before < 5 * 8 << 10)
        try daemon.stop()
    }

    @Test func whoSaysNothingIsInNobodysWay() throws {
        let daemon = try Daemon()
        try daemon.start()
        let silent = try (0..<300).map { _ in try daemon.connect() }
        let slow = try daemon.connect()
        for byte in Array("acquire user/1 ttl=1h".utf8) {
            slow.send([byte])
            #expect(silent[0].ask("ping") == "OK")
        }
        slow.send("")
        #expect(tokenGranted(slow.line()) == 1)
        #expect(tokenGranted(try daemon.connect().ask("acquire user/2 ttl=1h")) == 2)
        try daemon.stop()
    }

    /// A daemon that is stopped lets people in afterwards: the kernel keeps them in its queue.
    @Test func whoConnectsToAStoppedDaemonIsServedLater() throws {
        let daemon = try Daemon()
        try daemon.start()
        daemon.program?.pause()
        let clients = try (0..<400).map { _ in try daemon.connect() }
        clients.forEach { $0.send("ping") }
        daemon.program?.signal(SIGCONT)
        for client in clients { #expect(client.line() == "OK") }
        try daemon.stop()
    }

    /// A thousand waiters, one release, one grant.
    @Test func aReleaseWakesOne() throws {
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let (holder, crowd) = (try daemon.connect(), try daemon.connect())
        #expect(tokenGranted(holder.ask("acquire user/1 ttl=1h")) == 1)
        crowd.send((0..<1_000).map { "#w\($0) acquire user/1 wait=1h" } + ["#p ping"])
        #expect(crowd.line() == "#p OK")
        #expect(holder.ask("release 1")?.hasPrefix("OK token=1 ") == true)
        #expect(crowd.line()?.hasPrefix("#w0 OK token=2 ") == true)
        #expect(crowd.ask("#q ping") == "#q OK")
        try daemon.stop()
    }

    /// Memory that runs out ends the daemon wherever it is; what it had answered is there afterwards.
    @Test(.disabled(if: isSanitized, "a sanitizer wants all memory there is"))
    func outOfMemoryIsACrashLikeAnyOther() throws {
        let daemon = try Daemon()
        var book = Book()
        for round in 0..<2 {
            try daemon.start(["--sync=never"])
            let client = try daemon.connect()
            book.check(client, "round \(round)")
            let status = "/proc/\(daemon.pid!)/status"
            let most = (field("VmSize:", of: status).flatMap { Int($0) } ?? 0) + 1_024
            try run("/usr/bin/prlimit", "--pid=\(daemon.pid!)", "--as=\(most << 10)")
            var rounds = 0
            while rounds < 100, book.acquire(500, client) { rounds += 1 }
            let code = daemon.exitCode() ?? 0
            #expect(code > 128, "it ended with \(code) after \(rounds) rounds")
        }
        try daemon.start()
        book.check(try daemon.connect(), "afterwards")
        #expect(book.faults == [])
        try daemon.stop()
    }

    /// Connect, acquire, release, close: 100,000 times with `LEASED_FAULT_SWEEP`.
    @Test(.disabled(if: isSanitized, "a sanitizer's memory says nothing"))
    func memoryAndDescriptorsStayFlat() throws {
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        var token = 0
        func rounds(_ count: Int) throws {
            for _ in 0..<count {
                token += 1
                let client = try daemon.connect()
                client.send("acquire user/\(token % 1_000)\nrelease \(token)")
                #expect(tokenGranted(client.line()) == UInt64(token))
                #expect(client.line()?.hasPrefix("OK token=\(token) ") == true)
            }
        }
        // Until as many ended leases and events are remembered as ever are.
        try rounds(17_000)
        let (memory, descriptors) = (daemon.residentKilobytes, daemon.openDescriptors)
        let count = isFullSweep ? 100_000 : 4_000
        try rounds(count)
        print("flat: \(count) rounds, \(memory) KiB before and \(daemon.residentKilobytes) KiB after")
        #expect(daemon.residentKilobytes < memory + memory / 10)
        #expect(daemon.openDescriptors <= descriptors + 1)
        try daemon.stop()
    }
}

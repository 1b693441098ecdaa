// Starts and stops that meet something unexpected: closed descriptors, signals, successors, big logs.

import Glibc
import SeededRandom
import TestSupport
import Testing

@Suite struct LifecycleTests {
    @Test func itServesWithItsStandardDescriptorsClosed() throws {
        let daemon = try Daemon()
        let shell = ["/bin/sh", "-c", "exec \"$0\" \"$@\" <&- >&- 2>&-"]
        try daemon.start(wrapper: shell)
        let client = try daemon.connect()
        for key in 0..<20 { #expect(tokenGranted(client.ask("acquire user/\(key) ttl=1h")) != nil) }
        _ = client.ask("no such verb")
        try daemon.stop()
        // Nothing that it had to say went into its files.
        try daemon.start()
        #expect(try daemon.connect().ask("list limit=1") == "OK lines=1 more=yes")
        try daemon.stop()
    }

    /// Who reads its messages may be stuck, and may not be there.
    @Test func nobodyWaitsForWhoReadsItsMessages() throws {
        let daemon = try Daemon()
        let (unread, full) = try makePipe()
        let isReady = daemon.folder("ready")
        let program = try Program(
            [
                Daemon.binary, "--socket=\(daemon.socketPath)", "--data=\(daemon.dataPath)",
                "--log-level=debug",
            ],
            descriptors: [2: full])
        _ = fcntl(full, F_SETFL, O_NONBLOCK)
        while Glibc.write(full, isReady, 1) > 0 {}
        var client: Client?
        eventually("it serves") {
            client = try? daemon.connect()
            return client != nil
        }
        for round in 0..<40 {
            #expect(client?.ask("compact")?.hasPrefix("OK") == true)
            if round == 20 { closeForAll(unread) }
        }
        #expect(client?.ask("ping") == "OK")
        closeForAll(full)
        program.signal(SIGTERM)
        #expect(program.exitCode() == 0)
    }

    /// No client can fill a disk through what the daemon says.
    @Test func wrongLinesSayNothingOnStderr() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        let before = bytes(of: daemon.messagesPath).count
        for _ in 0..<20 {
            client.send(Array(repeating: "frobnicate \u{1} onwer=x", count: 500))
            for _ in 0..<500 { #expect(client.line()?.hasPrefix("ERR ") == true) }
        }
        for _ in 0..<50 { try daemon.connect().hangUp() }
        #expect(client.ask("ping") == "OK")
        #expect(bytes(of: daemon.messagesPath).count == before)
        try daemon.stop()
    }

    @Test func signalsThatMeanNothingEndNothing() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        for signal in [SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGWINCH, SIGCHLD, SIGCONT, SIGURG, SIGXFSZ] {
            daemon.program?.signal(signal)
            #expect(client.ask("check 1")?.hasPrefix("OK token=1 ") == true, "\(signal)")
        }
        try daemon.stop()
    }

    /// A client that is gone before its reply: a write to it is no signal.
    @Test func repliesToWhoIsGoneEndNothing() throws {
        let daemon = try Daemon()
        try daemon.start()
        for round in 0..<200 {
            let client = try daemon.connect()
            client.send("ping\nlist\nacquire user/\(round) ephemeral\nping")
            client.hangUp()
        }
        let client = try daemon.connect()
        for round in 0..<200 {
            let reply = client.ask("acquire user/\(round) wait=10s")
            #expect(tokenGranted(reply) != nil, "\(reply ?? "nothing")")
        }
        try daemon.stop()
    }

    @Test func restartsAddNothingUp() throws {
        let rounds = isFullSweep ? 300 : 25
        let daemon = try Daemon()
        try daemon.start()
        let begun = milliseconds()
        #expect(tokenGranted(try daemon.connect().ask("acquire user/1 ttl=1h")) == 1)
        #expect(tokenGranted(try daemon.connect().ask("acquire user/2 ttl=\(rounds * 10)ms")) == 2)
        var least: Int64 = 3_600_000
        func lookAtTheFirst(_ client: Client) throws {
            let reply = client.ask("check 1") ?? "nothing"
            let words = reply.split(separator: " ")
            let ttl = words.first { $0.hasPrefix("ttl=") }.flatMap { Int64($0.dropFirst(4).dropLast(2)) }
            let left = try #require(ttl, "\(reply)")
            #expect(left <= least && left >= 3_599_999 - (milliseconds() - begun))
            least = left
        }
        daemon.kill()
        var (last, size): (UInt64, Int) = (2, 0)
        for round in 0..<rounds {
            try daemon.start(["--grace=10ms"])
            let client = try daemon.connect()
            try lookAtTheFirst(client)
            let token = try #require(tokenGranted(client.ask("acquire user/t ephemeral wait=10s")))
            #expect(token > last)
            last = token
            daemon.kill()
            let grown = bytes(of: daemon.dataPath + "/log").count - size
            size += grown
            #expect(round == 0 || grown < 1_000)
        }
        try daemon.start()
        let client = try daemon.connect()
        try lookAtTheFirst(client)
        eventually("a lease is not made longer by restarts") {
            client.ask("check 2")?.hasPrefix("GONE token=2 why=expired") == true
        }
        try daemon.stop()
        print("restarts: \(rounds)")
    }

    /// It starts no other program; one that it started would get none of its descriptors but the first three.
    @Test func itsDescriptorsAreItsOwn() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h while=\(getpid())")) == 1)
        client.send("#c compact\nping")
        let pid = try #require(daemon.pid)
        let ours = Set(descriptors(of: getpid()).values)
        // Those that it was given by us are none of its own.
        let own = descriptors(of: pid).filter { $0.key > 2 && !ours.contains($0.value) }
        #expect(own.count > 4)
        for (descriptor, target) in own {
            // It may have been closed meanwhile.
            let said = field("flags:", of: "/proc/\(pid)/fdinfo/\(descriptor)")
            guard let flags = said.flatMap({ Int32($0, radix: 8) }) else { continue }
            #expect(flags & O_CLOEXEC != 0, "\(descriptor): \(target)")
        }
        let children = names(in: "/proc/\(pid)/task").map { text(of: "/proc/\(pid)/task/\($0)/children") }
        #expect(children.joined() == "")
        try daemon.stop()
    }

    /// Stops at any moment of pipelined work, and of compactions: each ends well, soon, and loses nothing.
    @Test func aStopInTheMiddleOfTheWorkLosesNothing() throws {
        var random = SeededRandom(seed: seed("stops"))
        let rounds = isFullSweep ? 200 : 12
        var faults: [String] = []
        // Begun anew before more have ended than are remembered.
        for first in stride(from: 0, to: rounds, by: 20) {
            let daemon = try Daemon()
            var book = Book()
            for _ in first..<min(rounds, first + 20) {
                try daemon.start()
                try stopAmidTheWork(daemon, &book, &random)
            }
            try daemon.start()
            book.check(try daemon.connect(), "after the stops from \(first) on")
            faults += book.faults
            try daemon.stop()
        }
        print("stops: \(rounds) amid the work, \(faults.count) violations")
        #expect(faults == [])
    }

    private func stopAmidTheWork(_ daemon: Daemon, _ book: inout Book, _ random: inout SeededRandom) throws {
        let (client, other) = (try daemon.connect(), try daemon.connect())
        let stopAt = Int.random(in: 0..<8, using: &random)
        var (step, goesOn) = (0, true)
        while goesOn, step < 50 {
            if step == stopAt {
                if Bool.random(using: &random) { usleep(UInt32.random(in: 0...3_000, using: &random)) }
                daemon.program?.signal(SIGTERM)
            }
            if Int.random(in: 0..<3, using: &random) == 0 { other.send("compact") }
            goesOn = book.acquire(Int.random(in: 1...30, using: &random), client)
            if goesOn { goesOn = book.release(6, client) }
            // From the stop on nothing more is granted.
            if book.others.contains(where: { $0.contains("why=draining") }) { break }
            step += 1
        }
        #expect(daemon.exitCode() == 0)
        #expect(access(daemon.socketPath, F_OK) == -1)
        book.forgetOthers()
    }

    /// What each of a process's descriptors stands for.
    private func descriptors(of pid: pid_t) -> [Int: String] {
        var all: [Int: String] = [:]
        for name in names(in: "/proc/\(pid)/fd") {
            var target = [CChar](repeating: 0, count: 256)
            let count = readlink("/proc/\(pid)/fd/\(name)", &target, target.count)
            guard count > 0, let number = Int(name) else { continue }
            all[number] = String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return all
    }

    /// While one stops, the next starts: never two, and the path leads to who serves.
    @Test func aStopLeavesTheSuccessorItsSocket() throws {
        let daemon = try Daemon()
        let words = [
            Daemon.binary, "--socket=\(daemon.socketPath)", "--data=\(daemon.dataPath)", "--exit-with-parent",
        ]
        var serving = try Program(words)
        for round in 0..<12 {
            eventually("somebody serves") { (try? daemon.connect())?.ask("ping") == "OK" }
            serving.signal(SIGTERM)
            var next = try Program(words)
            var refusals = 0
            // Refused as long as the old one has the directory, and started again.
            try eventually("the next one serves") {
                if next.exitCode(within: 0) == 69 {
                    refusals += 1
                    next = try Program(words)
                }
                return serving.exitCode(within: 0) != nil && (try? daemon.connect())?.ask("ping") == "OK"
            }
            #expect(serving.exitCode() == 0)
            #expect(next.exitCode(within: 0) == nil, "round \(round), \(refusals) refusals")
            serving = next
        }
        eventually("the last one serves") { (try? daemon.connect())?.ask("ping") == "OK" }
        serving.signal(SIGTERM)
        #expect(serving.exitCode() == 0)
        #expect(names(in: daemon.folder.path).contains("s") == false)
    }

    /// From the first moment at which somebody answers, everything is known.
    @Test func nobodyIsAnsweredBeforeTheLogIsRead() throws {
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let client = try daemon.connect()
        let count = 8_000
        client.send((0..<count).map { "acquire user/\($0) ttl=1h" })
        for _ in 0..<count { #expect(tokenGranted(client.line()) != nil) }
        for _ in 0..<3 {
            daemon.kill()
            let words = [
                Daemon.binary, "--socket=\(daemon.socketPath)", "--data=\(daemon.dataPath)",
                "--exit-with-parent",
            ]
            let program = try Program(words)
            var reply: String?
            eventually("it answers") {
                reply = (try? daemon.connect())?.ask("acquire user/\(count - 1)")
                return reply != nil
            }
            #expect(reply?.hasPrefix("BUSY key=user/\(count - 1) why=held token=\(count) ") == true)
            program.signal(SIGKILL)
            _ = program.exitCode()
        }
    }
}

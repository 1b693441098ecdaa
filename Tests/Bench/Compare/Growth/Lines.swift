// A long line for one key, and requests for many keys.

import TestSupport

enum Lines {
    private static let count = 100_000

    static func findings() throws(Failure) -> [Finding] {
        try line() + shared() + manyKeys()
    }

    /// One after the other gets the key and gives it back, each told over the one connection.
    private static func line() throws(Failure) -> [Finding] {
        let daemon = try GrowthDaemon()
        let (holder, queue) = try inLine(for: "user/q", slots: 1, daemon)
        let probe = try Probe(daemon.socket)
        let join = try queue.join(with: [holder, probe], count)
        let ping = try queue.pings(20_000, sleeps: true, daemon)
        let pingAwake = try queue.pings(20_000, sleeps: false, daemon)
        queue.handOn(holder.tokens)
        let handOver = try queue.handOvers(40_000, sleeps: true, daemon)
        let handOverAwake = try queue.handOvers(40_000, sleeps: false, daemon)
        return [
            .most("100,000 wait in line for one key: each joins in", join / 1e3, "us", target: 5),
            .most(
                "the longest answer to others while they join", milliseconds(probe.longest), "ms",
                target: 20),
            .most(
                "a hand-over, from the release to the next one's grant, one after the other",
                handOver.wall / 1e3, "us", target: 20),
            .note("a ping there and back on the same connection", ping.wall / 1e3, "us"),
            .note(
                "such a hand-over where the client looks for it instead of sleeping",
                handOverAwake.wall / 1e3, "us"),
            .note("and such a ping", pingAwake.wall / 1e3, "us"),
        ] + (try slots())
    }

    /// The same with many slots: each is handed on as soon as it is had, and nobody waits for the other.
    private static func slots() throws(Failure) -> [Finding] {
        let folder = try TemporaryFolder()
        try Results.write("kind pool name limit=64 ttl=1h\n", to: folder("policy"))
        let daemon = try GrowthDaemon(["--policy=\(folder("policy"))"])
        let (holder, queue) = try inLine(for: "pool/q", slots: 64, daemon)
        _ = try queue.join(with: [holder], count)
        queue.handOn(holder.tokens)
        let handOver = try queue.handOvers(90_000, daemon)
        return [
            .most(
                "a hand-over where 100,000 wait for a key of 64 slots, all of them busy", handOver.wall / 1e3,
                "us", target: 20),
            .note("the daemon's processor time for it", handOver.processor / 1e3, "us"),
        ]
    }

    /// Somebody who holds all slots of a key, and somebody who will stand in line for it.
    private static func inLine(
        for key: String, slots: Int, _ daemon: GrowthDaemon
    ) throws(Failure) -> (Holder, Queue) {
        let holder = try Holder(daemon.socket, key, slots: slots)
        try drive([holder]) { holder.tokens.count == slots }
        return (holder, try Queue(daemon.socket, key))
    }

    /// One release lets all of them in.
    private static func shared() throws(Failure) -> [Finding] {
        let daemon = try GrowthDaemon()
        let probe = try Probe(daemon.socket)
        var (token, granted, joined) = (0 as UInt64, 0, false)
        let holder = try Listener(daemon.socket, "acquire user/q ttl=1h") { line, _ in
            if token == 0 { token = line.number(at: 9) }
        }
        try drive([holder]) { token > 0 }
        let queue = try Listener(daemon.socket, "ping") { line, _ in
            if line.begins("#end OK") { joined = true }
            if line.begins("#w") { granted += 1 }
        }
        for number in 0..<count {
            let line = "#w\(number) acquire user/q shared ttl=1h wait=forever\n"
            queue.wire.output.append(contentsOf: line.utf8)
        }
        queue.wire.output.append(contentsOf: "#end ping\n".utf8)
        try drive([queue]) { joined }
        holder.wire.output.append(contentsOf: "release \(token)\n".utf8)
        try drive([probe, holder, queue]) { granted == count && probe.isFree }
        return [
            .most(
                "one release lets 100,000 shared ones in: the longest answer to others",
                milliseconds(probe.longest), "ms", target: 20)
        ]
    }

    private static func manyKeys() throws(Failure) -> [Finding] {
        let daemon = try GrowthDaemon()
        func cost(keys: Int) throws(Failure) -> Double {
            var tokens = Array(repeating: 0 as UInt64, count: 64)
            let count = 256_000 / keys
            let sender = try Sender(daemon.socket, count: count, window: 64) { number, line in
                let slot = number % 64
                if number / 64 % 2 == 1 { return line.append(contentsOf: "release \(tokens[slot])\n".utf8) }
                line.append(contentsOf: "acquire".utf8)
                for key in 0..<keys { line.append(contentsOf: " user/k\(slot).\(key)".utf8) }
                line.append(contentsOf: " ttl=1h\n".utf8)
            }
            sender.onAnswer = { number, line, _ in tokens[number % 64] = line.number(at: 9) }
            let begin = nanoseconds()
            try drive([sender]) { sender.isDone }
            return Double(nanoseconds() - begin) / Double(count)
        }
        var (one, many): ([Double], [Double]) = ([], [])
        for _ in 0..<5 {
            one.append(try cost(keys: 1))
            many.append(try cost(keys: 16))
        }
        return [
            .most(
                "a request for 16 keys takes, as a multiple of one for 1",
                many.sorted()[2] / one.sorted()[2], "", target: 8)
        ]
    }
}

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
        let probe = try Probe(daemon.socket)
        var (token, granted, joined) = (0 as UInt64, 0, false)
        let holder = try Listener(daemon.socket, "acquire user/q ttl=1h") { line, _ in
            token = line.number(at: 9)
        }
        try drive([holder, probe]) { token > 0 && probe.isFree }
        let queue = try Listener(daemon.socket, "ping") { line, _ in
            if line.begins("#end OK") { joined = true }
            guard line.begins("#w"), let next = line.field("OK token=") else { return }
            (token, granted) = (next, granted + 1)
        }
        for number in 0..<count {
            queue.wire.output.append(contentsOf: "#w\(number) acquire user/q ttl=1h wait=forever\n".utf8)
        }
        queue.wire.output.append(contentsOf: "#end ping\n".utf8)
        let start = nanoseconds()
        try drive([queue, probe]) { joined }
        let join = Double(nanoseconds() - start) / Double(count) / 1e3
        let then = nanoseconds()
        var given: UInt64 = 0
        let hands = 50_000
        try drive([queue]) {
            if token != given, granted < hands {
                queue.wire.output.append(contentsOf: "release \(token)\n".utf8)
                given = token
            }
            return granted == hands
        }
        let handOver = Double(nanoseconds() - then) / Double(hands) / 1e3
        return [
            .most("100,000 wait in line for one key: each joins in", join, "us", target: 5),
            .most("a hand-over, from the release to the next one's grant", handOver, "us", target: 20),
            .most(
                "the longest answer to others while they join", milliseconds(probe.longest), "ms",
                target: 20),
        ]
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

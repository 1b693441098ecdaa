// A connection that stands in line very often, and hands on what it gets.

import TestSupport

/// What one of many took, in nanoseconds.
struct Cost {
    let wall: Double
    let processor: Double
}

/// Takes all slots of a key.
final class Holder: Part {
    private(set) var tokens: [UInt64] = []

    init(_ path: String, _ key: String, slots: Int) throws(Failure) {
        try super.init(path)
        for _ in 0..<slots { wire.output.append(contentsOf: "acquire \(key) ttl=1h\n".utf8) }
    }

    override func take(_ line: UnsafeRawBufferPointer, at now: Int64) {
        guard line.begins("OK token=") else { return refuse(line) }
        tokens.append(line.number(at: 9))
    }
}

final class Queue: Part {
    private let key: String
    private var hasJoined = false
    private var pings = 0
    private var asked = 0
    private var granted = 0
    /// What is released with the next turn.
    private var tokens: [UInt64] = []
    private var isHandingOn = false

    init(_ path: String, _ key: String) throws(Failure) {
        self.key = key
        try super.init(path)
    }

    override func turn(_ now: Int64) {
        guard isHandingOn else { return }
        for token in tokens { wire.output.append(contentsOf: "release \(token)\n".utf8) }
        tokens.removeAll(keepingCapacity: true)
    }

    override func take(_ line: UnsafeRawBufferPointer, at now: Int64) {
        if line.begins("#w"), let next = line.field(" OK token=") {
            tokens.append(next)
            granted += 1
        } else if line.begins("#end OK") {
            hasJoined = true
        } else if line.begins("#ping OK") {
            pings += 1
        } else if !line.begins("OK token=") {
            refuse(line)
        }
    }

    /// Comes to stand in line so often.
    func join(with others: [Part], _ count: Int) throws(Failure) -> Double {
        for number in 0..<count {
            wire.output.append(contentsOf: "#w\(number) acquire \(key) ttl=1h wait=forever\n".utf8)
        }
        wire.output.append(contentsOf: "#end ping\n".utf8)
        let start = nanoseconds()
        try drive([self] + others) { hasJoined }
        return Double(nanoseconds() - start) / Double(count)
    }

    /// One ping after the other. `sleeps`: while it waits for the answer, else it looks for it all the while.
    func pings(_ count: Int, sleeps: Bool, _ daemon: GrowthDaemon) throws(Failure) -> Cost {
        (pings, asked) = (0, 0)
        return try cost(of: count, sleeps: sleeps, daemon) {
            if pings == asked, asked < count {
                wire.output.append(contentsOf: "#ping ping\n".utf8)
                asked += 1
            }
            return pings == count
        }
    }

    /// What it gets from now on it releases as soon as it has it, beginning with these.
    func handOn(_ tokens: [UInt64]) { (self.tokens, isHandingOn) = (tokens, true) }

    func handOvers(_ count: Int, sleeps: Bool = true, _ daemon: GrowthDaemon) throws(Failure) -> Cost {
        let end = granted + count
        return try cost(of: count, sleeps: sleeps, daemon) { granted >= end }
    }

    private func cost(
        of count: Int, sleeps: Bool, _ daemon: GrowthDaemon, until isDone: () -> Bool
    ) throws(Failure) -> Cost {
        let (start, before) = (nanoseconds(), daemon.processorNanoseconds)
        try drive([self], pauseMicroseconds: sleeps ? 1_000 : 0, until: isDone)
        return Cost(
            wall: Double(nanoseconds() - start) / Double(count),
            processor: Double(daemon.processorNanoseconds - before) / Double(count))
    }
}

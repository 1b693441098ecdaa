// One run of the load against one server, and the medians of many runs that were taken in turn.

import Glibc
import TestSupport

/// How a server is used.
struct Shape: Hashable {
    let connections: Int
    let inFlight: Int

    var name: String { "\(connections) x \(inFlight)" }

    static let all = [
        Shape(connections: 1, inFlight: 1), Shape(connections: 1, inFlight: 64),
        Shape(connections: 64, inFlight: 1), Shape(connections: 64, inFlight: 16),
    ]
}

/// What one run, or the median of several, came to.
struct Outcome {
    var requestsPerSecond: Double
    /// The server's own, from the kernel's accounts.
    var processorNanosecondsPerRequest: Double
    /// The share of it that the kernel worked.
    var kernelShare: Double
    /// The share of its core that the server used, and the load generator of its own: who is near 1 is the
    /// one that limits.
    var serverShare: Double
    var loadShare: Double
    var p50Microseconds: Double
    var p99Microseconds: Double

    static func median(of outcomes: [Outcome]) -> Outcome {
        func middle(_ value: (Outcome) -> Double) -> Double {
            outcomes.map(value).sorted()[outcomes.count / 2]
        }
        return Outcome(
            requestsPerSecond: middle(\.requestsPerSecond),
            processorNanosecondsPerRequest: middle(\.processorNanosecondsPerRequest),
            kernelShare: middle(\.kernelShare),
            serverShare: middle(\.serverShare), loadShare: middle(\.loadShare),
            p50Microseconds: middle(\.p50Microseconds), p99Microseconds: middle(\.p99Microseconds))
    }
}

/// Lets the load generator drive a server from another core.
func run(_ shape: Shape, on server: Server, seconds: Double) throws(Failure) -> Outcome {
    let (before, start) = (server.processorNanoseconds, nanoseconds())
    let kernelBefore = server.kernelNanosecondsOfAll
    let said = try output(
        of: [
            builtProgram("bench-load"), server.language, server.address, "\(shape.connections)",
            "\(shape.inFlight)", "\(seconds)",
        ], core: 1, within: Int(seconds) + 30)
    let (used, span) = (server.processorNanoseconds - before, nanoseconds() - start)
    let inKernel = server.kernelNanosecondsOfAll - kernelBefore
    guard let requests = number("requests", in: said), let all = number("all", in: said),
        let measured = number("seconds", in: said), let work = number("work", in: said),
        let p50 = number("p50", in: said),
        let p99 = number("p99", in: said)
    else { throw Failure("\(server.name), \(shape.name): no result: \(said)") }
    return Outcome(
        requestsPerSecond: requests / measured, processorNanosecondsPerRequest: Double(used) / all,
        kernelShare: min(1, Double(inKernel) / Double(max(1, used))),
        serverShare: Double(used) / Double(span), loadShare: work / measured,
        p50Microseconds: p50 / 1_000, p99Microseconds: p99 / 1_000)
}

/// What a program prints.
func output(of words: [String], core: Int, within seconds: Int) throws(Failure) -> String {
    let (outlet, inlet) = try makePipe()
    defer { closeForAll(outlet) }
    let program: Program
    do throws(Failure) {
        defer { closeForAll(inlet) }
        program = try Program(words, descriptors: [1: inlet, 2: 2])
    } catch {
        throw error
    }
    pin(program.pid, toCore: core)
    guard program.exitCode(within: seconds) == 0 else { throw Failure("\(words[0]) failed") }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(outlet, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
}

/// A number of the load generator's one line.
func number(_ name: String, in line: String) -> Double? {
    let pieces = line.split(whereSeparator: { "{}\",:\n".contains($0) })
    guard let place = pieces.firstIndex(where: { $0 == name }), place + 1 < pieces.count else { return nil }
    return Double(pieces[place + 1])
}

/// Every server in turn, in a folder under `place`, and that again and again, so that a slow minute of the
/// machine hits all of them.
func compare(
    _ peers: [Peer], _ shape: Shape, _ syncing: Syncing, runs: Int, seconds: Double, under place: String
) throws(Failure) -> [String: Outcome] {
    let folder = try TemporaryFolder(isOpen: true, under: place)
    var servers: [Server] = []
    for peer in peers where peer.canSync.contains(syncing) {
        servers.append(try peer.start(folder, syncing))
    }
    var outcomes: [String: [Outcome]] = [:]
    for _ in 0..<runs {
        for server in servers {
            outcomes[server.name, default: []].append(try run(shape, on: server, seconds: seconds))
        }
    }
    return outcomes.mapValues(Outcome.median)
}

// Watchers that read slowly, or not at all, and a daemon to which that does not matter.

import LeaseModel
import LeaseServer
import LeaseWire
import SeededRandom
import TestSupport
import Testing

/// A simulated daemon, somebody who asks, and somebody who watches.
private final class Watchtower {
    let daemon: SimulatedDaemon
    private(set) var asker: UInt64 = 0
    private(set) var watcher: UInt64 = 0
    private var unread: [UInt8] = []

    init(_ flags: [String] = [], policy: String = "kind a x limit=1 ttl=1h") throws {
        daemon = try SimulatedDaemon(SimulatedDisk(), flags: flags, policy: Array((policy + "\n").utf8))
        asker = try connect()
        watcher = try connect()
    }

    func connect() throws -> UInt64 {
        let peer = Peer(uid: 0, pid: 7, defaultOwner: Text("nc:7"), isAdministrator: true)
        guard case .id(let id) = daemon.open(peer) else { throw Stuck("no connection") }
        return id
    }

    func send(_ line: String, from id: UInt64) {
        daemon.take([.received(id, Array((line + "\n").utf8))])
    }

    /// What the asker is answered.
    func ask(_ line: String) -> String {
        send(line, from: asker)
        let bytes = daemon.sent.removeValue(forKey: asker) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whole lines that have come to the watcher, which takes so many bytes more, or all there are.
    func read(_ count: Int = .max) -> [ReplyLine] {
        unread += take(count, by: watcher)
        guard let end = unread.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let lines = unread[...end].split(separator: UInt8(ascii: "\n"))
        unread.removeFirst(end + 1)
        return lines.compactMap { ReplyLine(Array($0).span) }
    }

    func readAll(_ other: UInt64) -> [ReplyLine] {
        take(.max, by: other).split(separator: UInt8(ascii: "\n")).compactMap { ReplyLine(Array($0).span) }
    }

    private func take(_ count: Int, by id: UInt64) -> [UInt8] {
        daemon.appetite[id] = count
        daemon.take([])
        return daemon.sent.removeValue(forKey: id) ?? []
    }

    /// From now on the watcher takes nothing.
    func stall() { daemon.appetite[watcher] = 0 }
}

extension ReplyLine {
    var event: String { String(decoding: word, as: UTF8.self) }
    var sequence: UInt64 { number("seq") ?? 0 }
    var token: UInt64 { number("token") ?? 0 }
}

@Suite struct WatcherTests {
    /// Grants and releases, while a watcher takes nothing; then all that it gets.
    private func stalledWatcher(events: Int) throws -> (tower: Watchtower, lines: [ReplyLine]) {
        let tower = try Watchtower(["--events-max=1000", "--output-bytes-max=1056768"])
        tower.send("#w watch", from: tower.watcher)
        try #require(tower.read().first?.sequence == 1)
        tower.stall()
        let owner = String(repeating: "x", count: 200)
        for event in 0..<events {
            let token = event / 2 + 1
            let reply = tower.ask(event % 2 == 0 ? "acquire a/1 owner=\(owner)" : "release \(token)")
            // It slows nobody.
            try #require(reply.hasPrefix("OK token=\(token) "))
        }
        let lines = tower.read()
        try #require(lines.allSatisfy { $0.tag == Array("w".utf8) })
        return (tower, lines)
    }

    private func requireNoGap(_ lines: some Collection<ReplyLine>, from first: UInt64) throws {
        for (place, line) in lines.enumerated() {
            try #require(line.sequence == first + UInt64(place), "\(line.event)")
        }
    }

    @Test func aWatcherThatDoesNotReadIsCut() throws {
        let (_, lines) = try stalledWatcher(events: 6_000)
        let cut = try #require(lines.last)
        #expect(cut.event == "cut" && cut.value("why") == Array("slow".utf8))
        try requireNoGap(lines.dropLast(), from: 2)
        #expect(cut.sequence == UInt64(lines.count))

        // In time it may go on where it was: that is still remembered.
        let (tower, fewer) = try stalledWatcher(events: lines.count + 600)
        #expect(fewer.count == lines.count && fewer.last?.event == "cut")
        tower.send("watch since=\(cut.sequence)", from: tower.watcher)
        let missed = tower.read()
        #expect(missed.count == 602)
        try requireNoGap(missed.dropFirst(), from: cut.sequence + 1)
        // And from then on it is live.
        _ = tower.ask("acquire a/2")
        #expect(tower.read().first?.event == "granted")
    }

    @Test func aWatcherThatReadsAgainInTimeMissesNothing() throws {
        let cutAt = try stalledWatcher(events: 6_000).lines.count
        let (tower, lines) = try stalledWatcher(events: cutAt + 200)
        try requireNoGap(lines, from: 2)
        #expect(lines.count == cutAt + 200)
        _ = tower.ask("acquire a/2")
        #expect(tower.read().first?.event == "granted")
    }

    /// As many who read nothing as fill the bytes of their user, were they told all that happens.
    private func muteWatchers(_ tower: Watchtower) throws -> [UInt64] {
        try (0..<20).map { _ in
            let mute = try tower.connect()
            tower.daemon.appetite[mute] = 0
            tower.send("watch", from: mute)
            return mute
        }
    }

    private static let bytesOfOneUser = [
        "--output-bytes-max=1056768", "--output-bytes-per-user-max=1056768",
    ]
    private static let longOwner = String(repeating: "x", count: 200)

    @Test func watchersThatDoNotReadHoldUpNobodyOfTheirUser() throws {
        let tower = try Watchtower(WatcherTests.bytesOfOneUser)
        let mute = try muteWatchers(tower)
        tower.send("watch", from: tower.watcher)
        _ = tower.read()
        for token in 1...900 {
            try #require(tower.ask("acquire a/1 owner=\(WatcherTests.longOwner)").hasPrefix("OK token"))
            try #require(tower.ask("release \(token)").hasPrefix("OK token"))
            // Who reads is told of everything at once.
            try #require(tower.read().map(\.event) == ["granted", "released"])
        }
        // They were kept waiting, and go on where they were as they read, though the others don't yet.
        for watcher in mute {
            let lines = tower.readAll(watcher)
            try requireNoGap(lines.dropFirst(), from: 2)
            #expect(lines.count == 1_801)
        }
    }

    /// It goes on, though it has read nothing itself, and so it is not cut.
    @Test func aWatcherGoesOnWhenOthersOfItsUserHaveRead() throws {
        let tower = try Watchtower(WatcherTests.bytesOfOneUser + ["--events-max=4000"])
        let mute = try muteWatchers(tower)
        tower.stall()
        tower.send("watch", from: tower.watcher)
        func happen(_ tokens: ClosedRange<Int>) throws {
            for token in tokens {
                try #require(tower.ask("acquire a/1 owner=\(WatcherTests.longOwner)").hasPrefix("OK token"))
                try #require(tower.ask("release \(token)").hasPrefix("OK token"))
            }
        }
        try happen(1...300)
        for watcher in mute { _ = tower.readAll(watcher) }
        try happen(301...700)
        let lines = tower.read()
        try requireNoGap(lines.dropFirst(), from: 2)
        #expect(lines.count == 1_401)
    }

    @Test func picturesThatNobodyReadsHoldUpNobodyOfTheirUser() throws {
        let tower = try Watchtower(WatcherTests.bytesOfOneUser)
        for token in 1...1_000 { _ = tower.ask("acquire a/\(token) owner=\(WatcherTests.longOwner) ttl=1h") }
        let mute = try muteWatchers(tower)
        #expect(tower.ask("ping") == "OK\n")
        for watcher in mute { #expect(tower.readAll(watcher).count == 1_001) }

        // What changes is shown at once; where there is no room for that, their watches are over.
        let others = try muteWatchers(tower)
        for token in 501...1_000 { try #require(tower.ask("release \(token)").hasPrefix("OK token")) }
        #expect(tower.ask("ping") == "OK\n")
        for watcher in others {
            let lines = tower.readAll(watcher)
            #expect(lines.last?.event == "cut" && lines.last?.sequence == 0)
        }
    }

    /// Leases come, change and go while a slow watcher is shown what there was. In the end it knows the same
    /// as everybody.
    @Test(arguments: 1...10)
    func aPictureIsThatOfOneMoment(seed: Int) throws {
        print("WatcherTests.aPictureIsThatOfOneMoment: seed \(seed)")
        var draw = SeededRandom(seed: UInt64(seed))
        let tower = try Watchtower()
        var last = 0
        for _ in 0..<Int.random(in: 2_500...4_000, using: &draw) {
            last += 1
            _ = tower.ask("acquire a/\(last) ttl=\(last)s")
        }
        for _ in 0..<300 {
            _ = tower.ask("release \(Int.random(in: 1...last, using: &draw))")
        }
        let before = Mirror(listed: tower.ask("list limit=10000"))
        tower.stall()
        let other = try tower.connect()
        tower.daemon.appetite[other] = 0
        for id in [tower.watcher, other] { tower.send(seed % 2 == 0 ? "watch" : "watch a/", from: id) }
        if seed % 3 == 0 { tower.send("unwatch", from: other) }
        var lines: [ReplyLine] = []
        for _ in 0..<Int.random(in: 0...1_000, using: &draw) {
            switch Int.random(in: 0..<4, using: &draw) {
            case 0:
                last += 1
                _ = tower.ask("acquire a/\(last) ttl=\(last)s")
            case 1: _ = tower.ask("renew \(Int.random(in: 1...last, using: &draw)) ttl=7h")
            default: _ = tower.ask("release \(Int.random(in: 1...last, using: &draw))")
            }
            lines += tower.read(Int.random(in: 0...900, using: &draw))
        }
        lines += tower.read()
        let reply = try #require(lines.first)
        let held = lines.dropFirst().prefix { $0.event == "held" }
        let told = lines.dropFirst(1 + held.count)
        #expect(held.count == Int(reply.number("leases") ?? 0))
        #expect(held.allSatisfy { $0.sequence == reply.sequence })
        var mirror = Mirror()
        for line in held { mirror.take(line) }
        let isAsItWas = mirror == before
        #expect(isAsItWas)
        #expect(mirror.isConsistent)
        try requireNoGap(told, from: reply.sequence + 1)
        for line in told { mirror.take(line) }
        let knowsAll = mirror == Mirror(listed: tower.ask("list limit=10000"))
        #expect(knowsAll)
        #expect(mirror.isConsistent)
    }

    @Test(arguments: 1...5)
    func eachIsToldOnceOfWhatItAskedFor(seed: Int) throws {
        print("WatcherTests.eachIsToldOnceOfWhatItAskedFor: seed \(seed)")
        var draw = SeededRandom(seed: UInt64(seed))
        let tower = try Watchtower(policy: "kind a x y\nkind ab x")
        let names = ["a/1/1", "a/1/2", "a/11/1", "a/2/1", "ab/1", "ab/11"]
        let beginnings = names + ["a/", "a/1", "a/1/", "a/11", "ab/"]
        var watchers: [(id: UInt64, prefixes: [String], told: [UInt64])] = []
        for _ in 0..<60 {
            let count = [0, 1, 1, 1, 2, 3][Int.random(in: 0..<6, using: &draw)]
            // `a/1` and `a/1/` are one prefix, which can't be given twice.
            let some = beginnings.filter { $0 != "a/1/" || count == 1 }.shuffled(using: &draw).prefix(count)
            watchers.append((try tower.connect(), Array(some), []))
            tower.send("watch " + some.joined(separator: " "), from: watchers.last!.id)
        }
        for _ in 0..<40 {
            if Int.random(in: 0..<4, using: &draw) == 0 {
                let gone = watchers.remove(at: Int.random(in: 0..<watchers.count, using: &draw))
                tower.send("unwatch", from: gone.id)
            }
            let keys = names.shuffled(using: &draw).prefix(Int.random(in: 1...3, using: &draw))
            let line = tower.ask("acquire " + keys.joined(separator: " ")).utf8.dropLast()
            let token = ReplyLine(Array(line).span)?.token ?? 0
            _ = tower.ask("release \(token)")
            for place in watchers.indices {
                let prefixes = watchers[place].prefixes
                let concerns = prefixes.contains { prefix in
                    let whole = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
                    return keys.contains { $0 == whole || $0.hasPrefix(whole + "/") }
                }
                if concerns || prefixes.isEmpty { watchers[place].told += [token, token] }
            }
        }
        for watcher in watchers {
            let bytes = tower.daemon.sent.removeValue(forKey: watcher.id) ?? []
            let lines = bytes.split(separator: UInt8(ascii: "\n")).compactMap { ReplyLine(Array($0).span) }
            let told = lines.filter { $0.kind == .event }.map(\.token)
            #expect(told == watcher.told, "\(watcher.prefixes)")
        }
    }

    @Test func noEventComesBeforeItsChangeIsOnTheDisk() throws {
        let tower = try Watchtower()
        tower.send("watch", from: tower.watcher)
        _ = tower.read()
        tower.send("acquire a/1 ttl=10s notify", from: tower.watcher)
        #expect(tower.read().map(\.event) == ["", "granted"])
        tower.daemon.isDiskSlow = true
        #expect(tower.ask("release 1") == "")
        #expect(tower.read().isEmpty)
        // Nor does what happens in a line, which is told with the number of that change.
        #expect(tower.ask("#w acquire a/2 wait=1m") == "")
        #expect(tower.read().isEmpty)
        tower.daemon.isDiskSlow = false
        #expect(tower.read().map(\.event) == ["released", "lost", "granted"])
    }

    @Test func whatIsReplayedTooSlowlyIsCut() throws {
        let tower = try Watchtower(["--events-max=5000"])
        for token in 1...3_000 {
            _ = tower.ask("acquire a/1")
            _ = tower.ask("release \(token)")
        }
        tower.send("watch since=0", from: tower.watcher)
        let refusal = try #require(tower.read().first)
        #expect(refusal.code == .tooOld)
        let oldest = try #require(refusal.number("oldest"))
        #expect(oldest == 6_001 - 5_000)

        tower.stall()
        tower.send("watch since=\(oldest)", from: tower.watcher)
        var lines = tower.read(100_000)
        for token in 3_001...6_000 {
            _ = tower.ask("acquire a/1")
            _ = tower.ask("release \(token)")
        }
        lines += tower.read()
        #expect(lines.last?.event == "cut")
        try requireNoGap(lines.dropFirst().dropLast(), from: oldest + 1)
        #expect(lines.last?.sequence == oldest + UInt64(lines.count) - 2)
    }
}

/// What somebody knows who was shown what there was and told what happened.
private struct Mirror: Equatable {
    /// The ttl of each lease.
    private var leases: [UInt64: UInt64] = [:]
    private(set) var isConsistent = true

    init() {}

    init(listed reply: String) {
        for line in reply.split(separator: "\n").dropFirst() {
            guard let lease = ReplyLine(Array(line.utf8).span) else { continue }
            leases[lease.token] = lease.number("ttl")
        }
    }

    mutating func take(_ line: ReplyLine) {
        switch line.event {
        case "held", "granted":
            if leases[line.token] != nil { isConsistent = false }
            leases[line.token] = line.number("ttl")
        case "renewed":
            if leases[line.token] == nil { isConsistent = false }
            leases[line.token] = line.number("ttl")
        default:
            if leases.removeValue(forKey: line.token) == nil { isConsistent = false }
        }
    }
}

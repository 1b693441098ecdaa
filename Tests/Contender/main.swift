// A client process for the tests: it contends for a few keys, and writes down what it believed to hold, and
// when. It speaks the wire by itself, so that a mistake in the daemon's own rooms can't hide here as well.
//
// contender SOCKET FILE SEED MILLISECONDS
// contender FILE SEED ASKED       run by `lease run`: it only says, again and again, that it is there
//
// Lines of the file, with instants of CLOCK_BOOTTIME in nanoseconds:
//   held KEYS TOKEN ASKED ANSWERED DEADLINE     granted or renewed: believed held from ANSWERED to DEADLINE
//   left TOKEN INSTANT                          not believed held from here on
//   lost TOKEN INSTANT REPLY                    taken away before its deadline: must never happen

import Glibc
import SeededRandom

let ttlMilliseconds: Int64 = 500

func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

struct Lease {
    let keys: String
    let token: String
    var deadline: Int64
}

struct Contender {
    let path: String
    let file: Int32
    var random: SeededRandom
    let end: Int64
    var descriptor: Int32 = -1
    var unread: [UInt8] = []

    mutating func run() {
        // Nobody's child is left behind.
        let parent = getppid()
        while now() < end, getppid() == parent {
            guard descriptor >= 0 || connect() else {
                usleep(3_000)
                continue
            }
            takeTurn()
        }
    }

    private mutating func connect() -> Bool {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let raw = descriptor
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if code == 0 { return true }
        hangUp()
        return false
    }

    private mutating func hangUp() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        unread.removeAll()
    }

    /// The reply to a line; nil: the daemon is gone, or does not answer.
    private mutating func ask(_ line: String) -> String? {
        let bytes = Array((line + "\n").utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            hangUp()
            return nil
        }
        while true {
            if let stop = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let reply = String(decoding: unread[..<stop], as: UTF8.self)
                unread.removeFirst(stop + 1)
                return reply
            }
            var look = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            var chunk = [UInt8](repeating: 0, count: 4_096)
            let count = poll(&look, 1, 5_000) == 1 ? recv(descriptor, &chunk, chunk.count, 0) : 0
            guard count > 0 else {
                hangUp()
                return nil
            }
            unread += chunk[..<count]
        }
    }

    private func note(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        precondition(write(file, bytes, bytes.count) == bytes.count, "the record can't be written")
    }

    private mutating func takeTurn() {
        var keys = ["user/a", "user/b", "species/1/image"].shuffled(using: &random)
        keys = Array(keys.prefix(Int.random(in: 0..<4, using: &random) == 0 ? 2 : 1))
        let wait = Bool.random(using: &random) ? " wait=\(Int.random(in: 1...600, using: &random))ms" : ""
        let asked = now()
        let reply = ask("acquire \(keys.joined(separator: " ")) ttl=\(ttlMilliseconds)ms\(wait)")
        guard let token = reply.flatMap({ word($0, "OK", "token=") }) else {
            usleep(UInt32.random(in: 0...3_000, using: &random))
            return
        }
        var lease = Lease(keys: keys.joined(separator: ","), token: token, deadline: 0)
        believe(&lease, asked: asked)
        hold(&lease)
    }

    /// Its own deadline counts from before the request was sent.
    private func believe(_ lease: inout Lease, asked: Int64) {
        let answered = now()
        lease.deadline = asked + ttlMilliseconds * 1_000_000
        note("held \(lease.keys) \(lease.token) \(asked) \(answered) \(lease.deadline)")
    }

    private mutating func hold(_ lease: inout Lease) {
        let isLong = Int.random(in: 0..<5, using: &random) == 0
        let until = now() + Int64.random(in: 0...(isLong ? 900 : 60), using: &random) * 1_000_000
        while now() < min(until, lease.deadline) {
            usleep(UInt32.random(in: 100...20_000, using: &random))
            if descriptor < 0, !connect() { continue }
            let asked = now()
            let renews = Bool.random(using: &random)
            guard let reply = ask("\(renews ? "renew" : "check") \(lease.token)") else { continue }
            if reply.hasPrefix("GONE") {
                let instant = now()
                note("\(instant < lease.deadline ? "lost" : "left") \(lease.token) \(instant) \(reply)")
                return
            }
            if renews, word(reply, "OK", "token=") == lease.token { believe(&lease, asked: asked) }
        }
        note("left \(lease.token) \(now())")
        // Some forget to release, or die holding.
        if descriptor >= 0, Int.random(in: 0..<8, using: &random) > 0 {
            _ = ask("release \(lease.token)")
        }
    }

    private func word(_ reply: String, _ status: String, _ name: String) -> String? {
        let words = reply.split(separator: " ")
        guard words.first == status[...], let found = words.first(where: { $0.hasPrefix(name) }) else {
            return nil
        }
        return String(found.dropFirst(name.utf8.count))
    }
}

/// What `lease run` runs: each line says that it acted all the time since the one before.
struct Actor {
    let file: Int32
    let asked: String
    var random: SeededRandom

    mutating func run() {
        let keys = String(cString: getenv("LEASE_KEYS"))
        let token = String(cString: getenv("LEASE_TOKEN"))
        let end = now() + Int64.random(in: 0...80, using: &random) * 1_000_000
        var last = now()
        repeat {
            usleep(UInt32.random(in: 0...4_000, using: &random))
            let instant = now()
            let line = "held \(keys) \(token) \(asked) \(last) \(instant)\n"
            let bytes = Array(line.utf8)
            precondition(write(file, bytes, bytes.count) == bytes.count, "the record can't be written")
            last = instant
        } while last < end
    }
}

func openRecord(_ path: String) -> Int32 {
    let record = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard record >= 0 else { exit(73) }
    return record
}

let arguments = CommandLine.arguments
if arguments.count == 4, let seed = UInt64(arguments[2]) {
    var actor = Actor(file: openRecord(arguments[1]), asked: arguments[3], random: SeededRandom(seed: seed))
    actor.run()
    exit(0)
}
guard arguments.count == 5, let seed = UInt64(arguments[3]), let span = Int64(arguments[4]) else { exit(64) }
var contender = Contender(
    path: arguments[1], file: openRecord(arguments[2]), random: SeededRandom(seed: seed),
    end: now() + span * 1_000_000)
contender.run()

// Drives the pure server in this process, without sockets and files: what a request costs before the system's
// part, for a profiler.
//
// bench-pure [--requests N] [--connections N] [--in-flight N] [--held N]

import Glibc
import LeaseModel
import LeaseServer

struct Wish {
    var requests = 4_000_000
    var connections = 64
    var inFlight = 16
    /// Leases that stand there all the while.
    var held = 0

    init() {
        var words = CommandLine.arguments.dropFirst()
        while let word = words.popFirst(), let value = words.popFirst().flatMap({ Int($0) }) {
            switch word {
            case "--requests": requests = value
            case "--connections": connections = value
            case "--in-flight": inFlight = value
            case "--held": held = value
            default: break
            }
        }
    }
}

/// One client: what it holds, and what it says next.
struct Talker {
    let id: UInt64
    let number: Int
    var tokens: [UInt64]
    var holds = false

    func nextLines(into bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        for slot in tokens.indices {
            if holds {
                bytes.append(contentsOf: "release \(tokens[slot])\n".utf8)
            } else {
                let key = number * tokens.count + slot
                bytes.append(contentsOf: "acquire user/\(key) ttl=30s owner=bench\n".utf8)
            }
        }
    }

    mutating func take(_ replies: UnsafeRawBufferPointer) {
        if !holds {
            var slot = 0
            var at = 0
            while at < replies.count {
                var token: UInt64 = 0
                at += 9
                while replies[at] >= 48, replies[at] < 58 {
                    token = token * 10 + UInt64(replies[at] - 48)
                    at += 1
                }
                tokens[slot] = token
                slot += 1
                while replies[at] != 10 { at += 1 }
                at += 1
            }
            precondition(slot == tokens.count, "every request is answered")
        }
        holds.toggle()
    }
}

func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

final class Rig {
    var server: Server
    var directives: [Directive] = []
    var now: Int64 = 1_000_000_000
    var logBytes = 0
    /// Spent in the server's calls.
    var spent: Int64 = 0

    init() {
        var options = ServerOptions()
        options.seed = 0x5EED
        server = Server(policy: .builtIn, options: options)
        server.begin(
            at: Moment(boot: Text("boot"), now: Instant(nanoseconds: now), wallMilliseconds: 0),
            reserved: nil)
        server.numbersReserved(server.numbersToBeginWith)
        keep()
    }

    func open(_ number: Int, slots: Int) -> Talker {
        let peer = Peer(uid: 1_000, pid: 1, defaultOwner: Text("bench:1"), isAdministrator: false)
        guard let id = try? server.open(peer) else { preconditionFailure("there is room") }
        return Talker(id: id, number: number, tokens: Array(repeating: 0, count: slots))
    }

    private func keep() {
        server.endPass()
        carryOut()
        server.withBatch { logBytes += $0.count }
        server.batchWritten()
        server.acknowledge(upTo: server.lastSequence, synced: true)
        carryOut()
    }

    private func carryOut() {
        while server.hasDirectives {
            server.takeDirectives(into: &directives)
            for directive in directives {
                switch directive {
                case .reserveSpace(let wanted, let least):
                    server.spaceReserved(bytes: wanted, wanted: wanted, least: least)
                case .reserveNumbers(let numbers): server.numbersReserved(numbers)
                case .beginCompaction: server.compactionFailed(.compactionStopped)
                default: break
                }
            }
        }
    }

    /// One pass in which these talk.
    func pass(_ talkers: inout [Talker], _ range: Range<Int>, _ inputs: [[UInt8]]) {
        let start = nanoseconds()
        now += 50_000
        server.beginPass(now: Instant(nanoseconds: now), wallMilliseconds: now / 1_000_000)
        server.advance(to: Instant(nanoseconds: now))
        for place in range {
            inputs[place].withUnsafeBytes { server.received(talkers[place].id, $0) }
        }
        keep()
        spent += nanoseconds() - start
        while let id = server.nextSendable() {
            _ = server.send(id) { bytes in
                let place = talkers.firstIndex { $0.id == id }!
                talkers[place].take(bytes)
                return bytes.count
            }
        }
    }
}

let wish = Wish()
let rig = Rig()
var talkers = (0..<wish.connections).map { rig.open($0, slots: wish.inFlight) }
var inputs = Array(repeating: [UInt8](), count: talkers.count)
let perPass = min(8, talkers.count)
if wish.held > 0 {
    var holders = [rig.open(1_000_000, slots: 1)]
    for number in 0..<wish.held {
        holders[0].holds = false
        rig.pass(&holders, 0..<1, [Array("acquire user/h\(number) ttl=10m owner=bench\n".utf8)])
    }
    rig.spent = 0
}
var done = 0
while done < wish.requests {
    for first in stride(from: 0, to: talkers.count, by: perPass) {
        let range = first..<min(first + perPass, talkers.count)
        for place in range { talkers[place].nextLines(into: &inputs[place]) }
        rig.pass(&talkers, range, inputs)
        done += range.count * wish.inFlight
    }
}
print("\(rig.spent / Int64(done)) ns a request, \(rig.logBytes / done) bytes of the log")

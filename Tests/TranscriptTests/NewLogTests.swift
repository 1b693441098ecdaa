// A compacted log that takes the old one's place, or can't, while its own file had no room for what came
// last.

import LeaseCore
import LeaseModel
import LeaseServer
import Testing

/// A server whose two files have room when the test says so, and whose new one is put in place then.
private final class Bench {
    private static let moment = Moment(boot: Text("boot-1"), now: .zero, wallMilliseconds: 0)

    private var server: Server
    private(set) var log: [UInt8]
    private var newLog: [UInt8] = []
    private(set) var isInstalling = false
    var logHasRoom = true
    var newLogHasRoom = true
    private var sent = ""
    private var id: UInt64 = 0

    /// With the state of a log that was read, if one is given.
    init(log: [UInt8] = []) throws {
        self.log = log
        server = Server(policy: .builtIn, options: ServerOptions())
        server.recover(log.span)
        let verdict = server.endRecovery(at: Bench.moment)
        #expect(verdict == (log.isEmpty ? .fresh : .good))
        server.begin(at: Bench.moment, reserved: nil)
        server.numbersReserved(server.numbersToBeginWith)
        settle()
        id = try server.open(Peer(uid: 0, pid: 7, defaultOwner: Text("nc:7"), isAdministrator: true))
    }

    func ask(_ line: String) -> String {
        server.beginPass(now: .zero, wallMilliseconds: 0)
        server.advance(to: .zero)
        Array((line + "\n").utf8).withUnsafeBytes { server.received(id, $0) }
        settle()
        return take()
    }

    func take() -> String {
        defer { sent = "" }
        return sent
    }

    /// The new file is renamed, and gets what it lacks, as the daemon does it.
    func install() {
        log = newLog + server.whatTheNewLogLacks
        server.compactionInstalled()
        isInstalling = false
        settle()
    }

    /// The new file could not be renamed: the old one stays the log.
    func failToInstall() {
        server.compactionFailed(.noSpace)
        isInstalling = false
        settle()
    }

    private func settle() {
        repeat {
            server.endPass()
            carryOut()
            writeBatches()
            while let id = server.nextSendable() {
                _ = server.send(id) { bytes in
                    sent += String(decoding: bytes, as: UTF8.self)
                    return bytes.count
                }
            }
        } while server.hasMoreInThisPass
    }

    private func writeBatches() {
        if server.hasBatch {
            guard logHasRoom else { return refuse() }
            log += server.batch
            server.batchWritten()
        }
        carryOut()
        if server.hasCompactionBatch {
            guard newLogHasRoom else { return refuse() }
            server.withCompactionBatch { newLog += $0.copied() }
            server.compactionBatchWritten()
        }
        server.acknowledge(upTo: server.lastSequence, synced: true)
        carryOut()
    }

    private func refuse() { _ = server.batchRefused() }

    /// Compacts, up to where the new file is to be put in place.
    func beginInstalling() {
        _ = ask("#c compact")
        for _ in 0..<20 where !isInstalling { _ = ask("ping") }
        #expect(isInstalling)
    }

    private func carryOut() {
        var directives: [Directive] = []
        server.takeDirectives(into: &directives)
        for directive in directives {
            switch directive {
            case .reserveNumbers(let numbers): server.numbersReserved(numbers)
            case .reserveSpace(let wanted, let least):
                server.spaceReserved(bytes: wanted, wanted: wanted, least: least)
            case .beginCompaction: newLog = []
            case .syncCompaction: server.compactionSynced()
            case .installCompaction: isInstalling = true
            default: break
            }
        }
    }
}

@Suite struct NewLogTests {
    /// One lease is in the picture, and one in the old file alone; the end of the first may be in neither.
    @Test(arguments: [false, true])
    func whatOnlyTheOldFileHasGoesToTheNewOne(_ endsOne: Bool) throws {
        let bench = try Bench()
        #expect(bench.ask("acquire user/1 ttl=1h").hasPrefix("OK token=1 "))
        bench.beginInstalling()
        bench.newLogHasRoom = false
        _ = bench.ask("#2 acquire user/2 ttl=1h")
        _ = bench.ask("#3 acquire user/3 ttl=1h")
        bench.logHasRoom = false
        if endsOne { _ = bench.ask("#r release 1") }
        (bench.logHasRoom, bench.newLogHasRoom) = (true, true)
        bench.install()
        let replies = bench.ask("ping")
        #expect(replies.contains("#c OK ") && replies.contains("#2 OK token=2 "), "\(replies)")
        #expect(replies.contains("#3 ERR no-space "), "\(replies)")
        #expect(bench.ask("acquire user/3 ttl=1h").contains("OK token=3 "))
        let list = try Bench(log: bench.log).ask("list")
        for token in endsOne ? [2, 3] : [1, 2, 3] {
            #expect(list.contains("token=\(token) key=user/\(token) "), "\(list)")
        }
        #expect(list.hasPrefix("OK lines=\(endsOne ? 2 : 3)\n"), "\(list)")
    }

    /// The log lacks nothing, so that nothing is left to be written by which service would go on.
    @Test func serviceGoesOnWithTheOldFile() throws {
        let bench = try Bench()
        bench.beginInstalling()
        bench.newLogHasRoom = false
        _ = bench.ask("#1 acquire user/1 ttl=1h")
        _ = bench.ask("#2 acquire user/2 ttl=1h")
        bench.failToInstall()
        let replies = bench.ask("#3 acquire user/2 ttl=1h")
        #expect(replies.contains("#c ERR no-space ") && replies.contains("#1 OK token=1 "), "\(replies)")
        #expect(replies.contains("#2 ERR no-space ") && replies.contains("#3 OK token=2 "), "\(replies)")
        #expect(try Bench(log: bench.log).ask("list").hasPrefix("OK lines=2\n"))
    }
}

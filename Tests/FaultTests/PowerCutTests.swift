// The power of a small disk cut while the daemon is at work: what it had answered is there afterwards.

import Glibc
import SeededRandom
import TestSupport
import Testing

@Suite(.enabled(if: hasExt4, "needs root and mkfs.ext4"))
struct PowerCutTests {
    /// Cut at a random moment of pipelined grants, ends and compactions; every other time the machine is
    /// another boot afterwards, so far as the daemon can tell.
    /// - Parameter megabytes: the disk's; on a small one the log has no ring.
    @Test(arguments: [24, 160])
    func nothingAnsweredIsLostByAPowerCut(_ megabytes: Int) throws {
        var random = SeededRandom(seed: seed("power cuts"))
        let folder = try TemporaryFolder()
        let image = folder("image")
        try SmallDisk.makeExt4(image, megabytes: megabytes)
        let cuts = isFullSweep ? 60 : 6
        var (book, boot, brought) = (Book(), 0, 0)
        for round in 0..<cuts {
            let disk = try SmallDisk(image, "loop", type: "ext4")
            let daemon = try Daemon(dataPath: disk.path + "/d")
            if Bool.random(using: &random) { boot += 1 }
            try daemon.start(wrapper: try bootWrapper(boot, folder))
            let (client, other) = (try daemon.connect(), try daemon.connect())
            book.check(client, "cut \(round)")
            if megabytes > 24, Int.random(in: 0..<4, using: &random) > 0 {
                for _ in 0..<40 { book.renew(client) }
            }
            let pause = UInt32.random(in: 0...25_000, using: &random)
            let cutter = try Cutter(disk, of: daemon.pid!, after: pause)
            var goesOn = true
            while goesOn {
                goesOn = book.acquire(Int.random(in: 1...12, using: &random), client)
                if goesOn, Bool.random(using: &random) { goesOn = book.release(4, client) }
                if goesOn, Int.random(in: 0..<5, using: &random) == 0 { other.send("compact") }
                if book.others.contains(where: { $0.contains("ERR storage") }) { goesOn = false }
                book.forgetOthers()
            }
            cutter.wait()
            daemon.kill()
            try run("/bin/umount", disk.path)
            brought += daemon.messages(ofLast: 2_000).contains("written back from log.ring") ? 1 : 0
        }
        print("power cuts: \(cuts), \(brought) of them with records that only the ring had")
        print("power cuts: \(book.greatest) tokens, \(book.faults.count) violations")
        #expect(book.faults == [])
    }
}

/// Cuts the power of a daemon and its disk, from another thread.
///
/// The daemon is stopped first: a sync that is under way while ext4 is shut down may report success for what
/// is lost, which no disk does that keeps its word.
private final class Cutter {
    private final class Work: Sendable {
        let disk: SmallDisk
        let pid: pid_t
        let microseconds: UInt32

        init(_ disk: SmallDisk, _ pid: pid_t, _ microseconds: UInt32) {
            self.disk = disk
            self.pid = pid
            self.microseconds = microseconds
        }

        func cut() {
            usleep(microseconds)
            kill(pid, SIGSTOP)
            var about = siginfo_t()
            while waitid(P_PID, id_t(pid), &about, WSTOPPED | WNOWAIT) == -1, errno == EINTR {}
            try? disk.cutPower()
            kill(pid, SIGKILL)
        }
    }

    private var thread = pthread_t()

    init(_ disk: SmallDisk, of pid: pid_t, after microseconds: UInt32) throws {
        let work = Unmanaged.passRetained(Work(disk, pid, microseconds))
        let code = pthread_create(&thread, nil, { work in
            Unmanaged<Work>.fromOpaque(work!).takeRetainedValue().cut()
            return nil
        }, work.toOpaque())
        guard code == 0 else { throw Failure("no thread") }
    }

    func wait() { pthread_join(thread, nil) }
}

// Clocks that jump, a machine that sleeps, another boot: made up by a library in front of the system.

import Glibc
import TestSupport
import Testing

/// Offsets of a daemon's clocks, which may be changed while it runs.
final class ShiftedClocks {
    enum Clock: Int { case wall, boot, monotonic }

    private let folder: TemporaryFolder
    private var offsets: [Int64] = [0, 0, 0]

    /// What stands in front of the C library's calls. A deadline is handed to the kernel in its own time.
    private static let source = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdint.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <sys/timerfd.h>
        #include <time.h>
        #include <unistd.h>
        static int64_t offset(clockid_t clock) {
            static const volatile int64_t *shared;
            if (!shared) {
                int file = open(getenv("SHIFTED_CLOCKS"), O_RDONLY);
                shared = mmap(0, 24, PROT_READ, MAP_SHARED, file, 0);
                close(file);
            }
            return clock == CLOCK_REALTIME ? shared[0] : clock == CLOCK_BOOTTIME ? shared[1]
                : clock == CLOCK_MONOTONIC ? shared[2] : 0;
        }
        static void add(struct timespec *to, int64_t nanoseconds) {
            int64_t sum = to->tv_sec * 1000000000LL + to->tv_nsec + nanoseconds;
            if (sum < 1) sum = 1;
            to->tv_sec = sum / 1000000000;
            to->tv_nsec = sum % 1000000000;
        }
        int clock_gettime(clockid_t clock, struct timespec *out) {
            int code = syscall(SYS_clock_gettime, clock, out);
            if (code == 0) add(out, offset(clock));
            return code;
        }
        int timerfd_settime(int timer, int flags, const struct itimerspec *at, struct itimerspec *old) {
            struct itimerspec real = *at;
            if (flags & TFD_TIMER_ABSTIME) add(&real.it_value, -offset(CLOCK_BOOTTIME));
            return syscall(SYS_timerfd_settime, timer, flags, &real, old);
        }
        """

    static let compiler = "/usr/bin/gcc"
    static let canBeHad = access(compiler, X_OK) == 0 && !isSanitized

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("clocks.c", Array(ShiftedClocks.source.utf8))
        try run(ShiftedClocks.compiler, "-shared", "-fPIC", "-o", folder("clocks.so"), folder("clocks.c"))
        try write()
    }

    var wrapper: [String] {
        ["/usr/bin/env", "LD_PRELOAD=\(folder("clocks.so"))", "SHIFTED_CLOCKS=\(folder("offsets"))"]
    }

    /// Moves a clock by so many seconds, from where it is.
    func move(_ clock: Clock, by seconds: Int64) throws {
        offsets[clock.rawValue] += seconds * 1_000_000_000
        try write()
    }

    static func uncorrectedMilliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC_RAW, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }

    private func write() throws {
        let bytes = offsets.withUnsafeBytes { Array($0) }
        guard access(folder("offsets"), F_OK) == 0 else { return try folder.write("offsets", bytes) }
        // In place: the daemon has it in its memory.
        let file = open(folder("offsets"), O_WRONLY | O_CLOEXEC)
        defer { closeForAll(file) }
        guard pwrite(file, bytes, bytes.count, 0) == bytes.count else { throw Failure("no offsets") }
    }
}

/// The daemon reads the boot's ID from a file of ours, in a mount namespace of its own. Only for root.
func bootWrapper(_ number: Int, _ folder: TemporaryFolder) throws -> [String] {
    let digits = String(number)
    let id = "6f0a9f3e-52c1-4a7e-9d0b-" + String(repeating: "0", count: 12 - digits.count) + digits
    try folder.write("boot-\(number)", Array("\(id)\n".utf8))
    let mount = "mount --bind \(folder("boot-\(number)")) /proc/sys/kernel/random/boot_id"
    return SmallDisk.ownMounts + ["/bin/sh", "-c", "\(mount) && exec \"$0\" \"$@\""]
}

@Suite(.enabled(if: ShiftedClocks.canBeHad, "needs gcc"))
struct ClockTests {
    /// The time that a lease has left, in seconds.
    private func left(_ client: Client, _ token: UInt64) throws -> Int {
        let reply = try #require(client.ask("check \(token)"))
        let word = try #require(reply.split(separator: " ").first { $0.hasPrefix("ttl=") }, "\(reply)")
        return try #require(Int(word.dropFirst(4).dropLast(2))) / 1_000
    }

    @Test func settingTheTimeMovesNoDeadline() throws {
        let clocks = try ShiftedClocks()
        let daemon = try Daemon()
        try daemon.start(wrapper: clocks.wrapper)
        var client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        for seconds in [3_600, -7_200, 864_000, -1_728_000] as [Int64] {
            try clocks.move(.wall, by: seconds)
            #expect((3_500...3_600).contains(try left(client, 1)), "\(seconds)")
            let token = try #require(tokenGranted(client.ask("acquire user/2 ttl=300ms")))
            eventually("it expires") {
                client.ask("check \(token)")?.hasPrefix("GONE token=\(token) why=expired") == true
            }
            // The records of before bear a time of the wall that is now to come.
            daemon.kill()
            try daemon.start(wrapper: clocks.wrapper)
            client = try daemon.connect()
            #expect((3_500...3_600).contains(try left(client, 1)), "\(seconds)")
        }
        try daemon.stop()
    }

    /// Time in which the machine slept counts, and what is past its grace ends before the first request.
    @Test func sleepCounts() throws {
        let clocks = try ShiftedClocks()
        let daemon = try Daemon()
        try daemon.start(wrapper: clocks.wrapper)
        let client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=10m")) == 1)
        #expect(tokenGranted(client.ask("acquire user/2 ttl=7202s")) == 2)
        #expect(tokenGranted(client.ask("acquire user/3 ttl=3h")) == 3)
        try clocks.move(.boot, by: 7_203)
        #expect(client.ask("renew 1")?.hasPrefix("GONE token=1 why=expired") == true)
        #expect(client.ask("renew 2 ttl=10m") == "OK token=2 ttl=600000ms")
        #expect((3_500...3_600).contains(try left(client, 3)))
        try daemon.stop()
    }

    /// To end the waits of somebody who has very many takes a while, in which nobody has slept.
    @Test func whoHangsUpWithManyWaitsGivesNobodyAGrace() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        let other = try daemon.connect()
        other.send((0..<5_000).map { "#t\($0) acquire user/1 wait=1h" }.joined(separator: "\n"))
        while try daemon.connect().ask("stats")?.contains(" waiting=5000 ") != true {}
        other.hangUp()
        while try daemon.connect().ask("stats")?.contains(" waiting=0 ") != true {}
        for _ in 0..<3 { #expect(client.ask("ping") == "OK") }
        let log = String(decoding: bytes(of: daemon.dataPath + "/log"), as: UTF8.self)
        #expect(!log.contains(" resumed "))
        try daemon.stop()
    }

    /// The kernel corrects its clock while it runs; one that it doesn't correct says nearly the same.
    @Test func aLeaseLastsAsLongAsAnotherClockSays() throws {
        let seconds: Int64 = isFullSweep ? 60 : 2
        let daemon = try Daemon()
        try daemon.start()
        let (holder, waiter) = (try daemon.connect(), try daemon.connect())
        let begun = ShiftedClocks.uncorrectedMilliseconds()
        #expect(tokenGranted(holder.ask("acquire user/1 ttl=\(seconds)s")) == 1)
        #expect(tokenGranted(waiter.ask("acquire user/1 wait=2m", within: 90_000)) == 2)
        let lasted = ShiftedClocks.uncorrectedMilliseconds() - begun
        print("drift: a lease of \(seconds) s lasted \(lasted) ms")
        #expect(lasted >= seconds * 999 && lasted < seconds * 1_010 + 1_000)
        try daemon.stop()
    }

    /// Over another boot, whose clock begins anew, the wall clock says how long it took; whatever it says,
    /// never is more left than the ttl.
    @Test(
        .enabled(if: isRoot, "needs root, to mount a file over the boot's ID"), arguments: [1_800, -7_200])
    func overABootTheWallClockCounts(_ wallSeconds: Int64) throws {
        let clocks = try ShiftedClocks()
        let daemon = try Daemon()
        try daemon.start(wrapper: try bootWrapper(1, daemon.folder) + clocks.wrapper)
        let client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        #expect(tokenGranted(client.ask("acquire user/2 ttl=1h while=\(getpid())")) == 2)
        #expect(tokenGranted(client.ask("acquire user/3 ttl=20m")) == 3)
        daemon.kill()
        var uptime = timespec()
        clock_gettime(CLOCK_BOOTTIME, &uptime)
        try clocks.move(.boot, by: 5 - Int64(uptime.tv_sec))
        try clocks.move(.monotonic, by: 5 - Int64(uptime.tv_sec))
        try clocks.move(.wall, by: wallSeconds)
        try daemon.start(wrapper: try bootWrapper(2, daemon.folder) + clocks.wrapper)
        let again = try daemon.connect()
        let expected = wallSeconds > 0 ? 1_700...1_800 : 3_500...3_600
        #expect(expected.contains(try left(again, 1)))
        #expect(again.ask("check 2")?.hasPrefix("GONE token=2 why=process-ended") == true)
        let third = again.ask("check 3") ?? "nothing"
        #expect(third.hasPrefix(wallSeconds > 0 ? "GONE token=3 why=expired" : "OK token=3"), "\(third)")
        #expect(tokenGranted(again.ask("acquire user/9")) ?? 0 > 3)
        try daemon.stop()
    }

    /// A pass that takes long reads what was sent after it had begun: the lease counts from its request.
    @Test(.enabled(if: hasStrace, "needs root and strace"))
    func noLeaseBeginsBeforeItIsAskedFor() throws {
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let (client, watcher) = (try daemon.connect(), try daemon.connect())
        #expect(watcher.ask("watch user/1")?.hasPrefix("OK seq=") == true)
        let fault = try Fault("recvfrom:delay_enter=600ms", of: daemon.pid!, output: daemon.folder("trace"))
        client.send("ping")
        usleep(400_000)
        let asked = ShiftedClocks.uncorrectedMilliseconds()
        client.send("acquire user/1 ttl=300ms")
        #expect(client.line() == "OK")
        #expect(tokenGranted(client.line()) == 1)
        #expect(watcher.line()?.contains(" granted key=user/1 ") == true)
        #expect(watcher.line()?.contains(" expired key=user/1 ") == true)
        let lasted = ShiftedClocks.uncorrectedMilliseconds() - asked
        #expect(lasted >= 299, "it lasted \(lasted) ms from its request on")
        withExtendedLifetime(fault) {}
        try daemon.stop()
    }

    /// What came while the daemon was stopped is decided after what has expired meanwhile.
    @Test func whatIsPastItsGraceEndsBeforeTheNextRequest() throws {
        let daemon = try Daemon()
        try daemon.start(["--grace=100ms"])
        let client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=500ms")) == 1)
        daemon.program?.pause()
        client.send("renew 1\nacquire user/1")
        usleep(2_500_000)
        daemon.program?.signal(SIGCONT)
        #expect(client.line()?.hasPrefix("GONE token=1 why=expired") == true)
        #expect(tokenGranted(client.line()) == 2)
        try daemon.stop()
    }
}

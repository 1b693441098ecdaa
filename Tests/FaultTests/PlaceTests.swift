// What may stand where the socket and the data are to be, and what may become of them under way.

import Glibc
import TestSupport
import Testing

@Suite struct PlaceTests {
    /// What somebody put in the log's or the socket's place is neither followed, nor waited for, nor removed.
    @Test(arguments: ["log", "numbers", "numbers.spare"], ["link", "fifo", "directory", "device"])
    func whatIsNoFileIsNotTaken(_ name: String, _ kind: String) throws {
        let daemon = try Daemon()
        try daemon.start()
        #expect(tokenGranted(try daemon.connect().ask("acquire user/1 ttl=1h")) == 1)
        daemon.kill()
        let path = daemon.dataPath + "/" + name
        rename(path, daemon.folder("kept"))
        switch kind {
        case "link": symlink(daemon.folder("kept"), path)
        case "fifo": mkfifo(path, 0o600)
        case "directory": mkdir(path, 0o700)
        default: guard isRoot, mknod(path, S_IFCHR | 0o600, dev_t(0x103)) == 0 else { return }
        }
        let before = bytes(of: daemon.folder("kept"))
        #expect(try daemon.serves() == false)
        let code = daemon.exitCode()
        #expect(code == 74 || code == 73, "\(daemon.messages(ofLast: 300))")
        let said = daemon.messages(ofLast: 400)
        #expect(said.contains("/\(name): ") && said.contains("put the file itself there"), "\(said)")
        #expect(bytes(of: daemon.folder("kept")) == before)
        remove(path)
        rename(daemon.folder("kept"), path)
        try daemon.start()
        #expect(try daemon.connect().ask("check 1")?.hasPrefix("OK token=1 ") == true)
        try daemon.stop()
    }

    @Test func aRefusedStartLeavesNothing() throws {
        let daemon = try Daemon()
        try daemon.start()
        let other = daemon.folder("other")
        let second = try Program([Daemon.binary, "--socket=\(daemon.socketPath)", "--data=\(other)"])
        #expect(second.exitCode() == 69)
        #expect(access(other, F_OK) == -1)
        let elsewhere = daemon.folder("t")
        let third = try Program([Daemon.binary, "--socket=\(elsewhere)", "--data=\(daemon.dataPath)"])
        #expect(third.exitCode() == 69)
        #expect(names(in: daemon.folder.path) == ["d", "s", "stderr"])
        #expect(try daemon.connect().ask("ping") == "OK")
        try daemon.stop()
    }

    /// The lock is on the directory itself: there is no file that a clean-up could take away.
    @Test func noCleanUpLetsASecondOneIn() throws {
        let daemon = try Daemon()
        try daemon.start()
        #expect(tokenGranted(try daemon.connect().ask("acquire user/1 ttl=1h")) == 1)
        for name in names(in: daemon.dataPath) where name != "log" { unlink(daemon.dataPath + "/" + name) }
        unlink(daemon.socketPath)
        let words = [Daemon.binary, "--socket=\(daemon.socketPath)", "--data=\(daemon.dataPath)"]
        let second = try Program(words)
        #expect(second.exitCode() == 69)
    }

    @Test func aLogThatWasTakenAwayIsWrittenAnew() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        unlink(daemon.dataPath + "/log")
        eventually("the log is there again") {
            _ = client.ask("renew 1 ttl=1h")
            return access(daemon.dataPath + "/log", F_OK) == 0
        }
        daemon.kill()
        try daemon.start()
        #expect(try daemon.connect().ask("check 1")?.hasPrefix("OK token=1 ") == true)
        try daemon.stop()
    }

    /// Who has moved the log away, or has linked it, keeps all of it.
    @Test(arguments: [true, false])
    func theOldLogStaysWhole(isMoved: Bool) throws {
        let daemon = try Daemon()
        try daemon.start(["--sync=never"])
        let client = try daemon.connect()
        let (log, kept) = (daemon.dataPath + "/log", daemon.folder("kept"))
        for number in 1...300 { #expect(tokenGranted(client.ask(largeRequest(number))) != nil) }
        let before = text(of: log)
        #expect(before.utf8.count > 1 << 20)
        #expect((isMoved ? rename(log, kept) : link(log, kept)) == 0)
        eventually("there is another log") {
            #expect(client.ask(isMoved ? "renew 1 ttl=1h" : "compact")?.hasPrefix("OK ") == true)
            return access(log, F_OK) == 0 && text(of: log).contains("compacted=yes")
        }
        try daemon.stop()
        #expect(text(of: kept).hasPrefix(before))
    }

    /// Then nothing can be kept any more, and nobody is told otherwise.
    @Test(arguments: [true, false])
    func withoutItsDirectoryItStops(isMoved: Bool) throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        if isMoved {
            rename(daemon.dataPath, daemon.folder("moved"))
        } else {
            try run("/bin/rm", "-r", daemon.dataPath)
        }
        var reply: String?
        eventually("it stops") {
            reply = client.ask("renew 1 ttl=1h")
            return reply?.hasPrefix("OK") != true
        }
        #expect(reply == nil || reply?.hasPrefix("ERR storage ") == true)
        #expect(daemon.exitCode() == 74)
        if isMoved { rename(daemon.folder("moved"), daemon.dataPath) }
        try daemon.start()
        #expect(try daemon.connect().ask("check 1")?.hasPrefix(isMoved ? "OK" : "GONE") == true)
        try daemon.stop()
    }

    @Test(.enabled(if: isRoot, "needs root, to mount a small file system"))
    func aDiskThatIsReadOnlyIsSaid() throws {
        let disk = try SmallDisk("none", "size=1m", type: "tmpfs")
        let daemon = try Daemon(dataPath: disk.path + "/d")
        try daemon.start()
        let client = try daemon.connect()
        #expect(tokenGranted(client.ask("acquire user/1 ttl=1h")) == 1)
        daemon.kill()
        try run("/bin/mount", "-o", "remount,ro", disk.path)
        #expect(try daemon.serves() == false)
        #expect(daemon.exitCode() == 74)
        #expect(daemon.messages(ofLast: 300).contains("Read-only file system"))
    }

    /// A torn end on a disk that is full to the last byte: it is mended, and what is held is there.
    @Test(.enabled(if: isRoot, "needs root, to mount a small file system"))
    func aTornEndIsMendedOnAFullDisk() throws {
        let disk = try SmallDisk("none", "size=256k", type: "tmpfs")
        let daemon = try Daemon(dataPath: disk.path + "/d")
        try daemon.start()
        let client = try daemon.connect()
        for key in 0..<5 { #expect(tokenGranted(client.ask("acquire user/\(key) ttl=1h")) != nil) }
        daemon.kill()
        disk.fill()
        let log = bytes(of: daemon.dataPath + "/log")
        truncate(daemon.dataPath + "/log", off_t(log.count - 7))
        disk.fill()
        try daemon.start()
        let again = try daemon.connect()
        #expect(again.ask("check 4")?.hasPrefix("OK token=4 ") == true)
        #expect(again.ask("check 5")?.hasPrefix("GONE token=5 ") == true)
        #expect(again.ask("release 4")?.hasPrefix("OK token=4 ") == true)
        #expect(again.ask("acquire user/9")?.hasPrefix("ERR no-space ") == true)
        disk.makeRoom()
        eventually("service resumes") { tokenGranted(again.ask("acquire user/9")) ?? 0 > 5 }
        try daemon.stop()
    }

    /// A limit on the size of files is a full disk; its signal ends nothing.
    @Test(.disabled(if: isSanitized, "a sanitizer's own files are larger"))
    func aLimitOnTheSizeOfFilesIsAFullDisk() throws {
        let daemon = try Daemon()
        try daemon.start(wrapper: ["/usr/bin/prlimit", "--fsize=20000"])
        let client = try daemon.connect()
        var held: [UInt64] = []
        var reply = client.ask("acquire user/0 ttl=1h")
        while let token = tokenGranted(reply) {
            held.append(token)
            reply = client.ask("acquire user/\(token) ttl=1h")
        }
        #expect(reply?.hasPrefix("ERR no-space ") == true)
        #expect(client.ask("ping") == "OK")
        for token in held { #expect(client.ask("release \(token)")?.hasPrefix("OK token=\(token) ") == true) }
        try daemon.stop()
        #expect(bytes(of: daemon.dataPath + "/log").count <= 20_000)
    }
}

// A disk that fails to take what the kernel takes for written from then on, and a power cut later.

import Glibc
import TestSupport
import Testing

private let hasTrim =
    hasExt4 && access("/sbin/fstrim", X_OK) == 0 && access("/usr/bin/fallocate", X_OK) == 0

@Suite(.enabled(if: hasTrim, "needs root, mkfs.ext4 and fstrim"))
struct ForgottenWriteTests {
    /// The disk's own blocks are on a file system that is full: so a sync fails for real. The kernel goes on
    /// showing what it could not write; the next daemon answers for it all the same, and the power goes.
    @Test(arguments: [["--sync=always"], ["--sync=never"]])
    func whatOnlyTheKernelHasIsWrittenAnew(_ flags: [String]) throws {
        let store = try SmallDisk("none", "size=40m", type: "tmpfs")
        let image = store.path + "/image"
        try run("/sbin/mkfs.ext4", "-q", "-F", "-b", "4096", image, "16M")
        // What is free has no blocks below, and all else has: the journal, too.
        try run("/usr/bin/fallocate", "--length", "16M", image)
        var disk: SmallDisk? = try SmallDisk(image, "loop", type: "ext4")
        try run("/sbin/fstrim", disk!.path)
        let data = disk!.path + "/d"
        var book = Book()
        let first = try Daemon(dataPath: data)
        try first.start()
        let client = try first.connect()
        book.acquire(1, client)
        sync()
        store.fill()
        // More than what ext4 fills with zeros at once when a part of what was set aside is used.
        book.acquire(600, client)
        #expect(book.others.allSatisfy { $0.hasPrefix("ERR storage ") })
        #expect(first.exitCode() == 74)
        store.makeRoom()
        book.forgetOthers()

        let second = try Daemon(dataPath: data)
        // What failed since is told to whoever syncs next: it stops as well.
        if try !second.serves(flags) {
            #expect(second.exitCode() == 74)
            try second.start(flags)
        }
        #expect(second.messages(ofLast: 300).contains("the log was written anew"))
        #expect(names(in: data) == ["log", "numbers", "numbers.spare"])
        #expect(book.acquire(5, try second.connect()))
        // A stop in order syncs, whatever was said.
        if flags == ["--sync=never"] { try second.stop() }
        second.program?.pause()
        try disk!.cutPower()
        second.kill()
        try run("/bin/umount", disk!.path)
        disk = try SmallDisk(image, "loop", type: "ext4")

        let third = try Daemon(dataPath: disk!.path + "/d")
        try third.start()
        book.check(try third.connect(), "after the power cut")
        #expect(book.faults == [])
        #expect(!third.messages(ofLast: 300).contains("torn"))
        try third.stop()
    }
}

// What can go wrong at the end of a log: no room, a limit, a deleted file, something else of that name.

import Glibc
import LeaseIO
import Testing

/// Whether a small filesystem of our own can be mounted, to be filled up.
private let canMount: Bool = {
    let folder = Folder()
    return getuid() == 0 && runProgram(["mount", "-t", "tmpfs", "-o", "size=64k", "lio", folder.path])
        && runProgram(["umount", folder.path])
}()

/// Carries out a test with 16 pages of disk.
private func onSmallDisk(_ test: (Folder, borrowing DataDirectory) throws -> Void) throws {
    let folder = Folder()
    #expect(runProgram(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "lio", folder.path]))
    defer { _ = runProgram(["umount", "-l", folder.path]) }
    try test(folder, DataDirectory(path: folder.path))
}

extension Floor {
    @Suite struct Appending {
        @Test func batchesAreThereAgain() throws {
            let folder = Folder()
            let data = try DataDirectory(path: folder.path)
            do {
                var log = try AppendFile(in: data, name: "log")
                try log.append(Array("one\n".utf8))
                try log.append(Array("two\n".utf8))
                try log.append([])
                try log.sync()
                #expect(AppendFile.syncCode(log.raw) == 0)
                let size = log.size
                #expect(size == 8)
            }
            #expect(folder.mode("log") == 0o600)
            var log = try AppendFile(in: data, name: "log", .existing)
            try log.truncate(to: 4)
            try log.append(Array("three\n".utf8))
            var bytes: [UInt8] = []
            try log.readChunks(chunkBytes: 3) { chunk in
                for index in chunk.indices { bytes.append(chunk[index]) }
            }
            #expect(String(decoding: bytes, as: UTF8.self) == "one\nthree\n")
        }

        @Test func onlyARegularFileIsOpened() throws {
            let folder = Folder()
            let data = try DataDirectory(path: folder.path)
            folder.put("real", [])
            #expect(symlink("real", folder("link")) == 0)
            #expect(mkfifo(folder("pipe"), 0o600) == 0)
            #expect(throws: Errno(code: ELOOP)) { _ = try AppendFile(in: data, name: "link") }
            #expect(throws: Errno.notRegularFile) { _ = try AppendFile(in: data, name: "pipe") }
            #expect(throws: Errno(code: ENOENT)) { _ = try AppendFile(in: data, name: "none", .existing) }
        }

        @Test func deletedFileIsNoticed() throws {
            let folder = Folder()
            let data = try DataDirectory(path: folder.path)
            folder.put("log", [1, 2, 3])
            let log = try AppendFile(in: data, name: "log", .anew)
            let size = log.size
            #expect(size == 0)
            #expect(try value(log.isStillLinked(in: data, name: "log")))
            try data.rename("log", to: "old")
            #expect(try !value(log.isStillLinked(in: data, name: "log")))
            #expect(try value(log.isStillLinked(in: data, name: "old")))
            _ = try AppendFile(in: data, name: "log")
            #expect(try !value(log.isStillLinked(in: data, name: "log")))
            try data.remove("old")
            #expect(try !value(log.isStillLinked(in: data, name: "old")))
        }

        @Test(.enabled(if: canMount, "needs root and mount(8), to fill a disk of its own"))
        func shortWriteOnAFullDiskIsCutOff() throws {
            try onSmallDisk { folder, data in
                var log = try AppendFile(in: data, name: "log")
                try log.append([UInt8](repeating: 1, count: 5_000))
                folder.put("fill", [UInt8](repeating: 2, count: 12 * 4_096))
                #expect(throws: Errno(code: ENOSPC)) {
                    try log.append([UInt8](repeating: 3, count: 20_000))
                }
                #expect(folder.size("log") == 5_000)
                #expect(throws: Errno(code: ENOSPC)) { try log.reserve(upTo: 30_000) }
                #expect(unlink(folder("fill")) == 0)
                try log.append([UInt8](repeating: 4, count: 20_000))
                let bytes = try data.readFile("log")
                #expect(bytes == [UInt8](repeating: 1, count: 5_000) + [UInt8](repeating: 4, count: 20_000))
            }
        }

        @Test(.enabled(if: canMount, "needs root and mount(8), to fill a disk of its own"))
        func reservedRoomIsKeptFromOthers() throws {
            try onSmallDisk { folder, data in
                var log = try AppendFile(in: data, name: "log")
                try log.reserve(upTo: 20_000)
                #expect(folder.size("log") == 0)
                let greedy = open(folder("fill"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
                let page = [UInt8](repeating: 2, count: 4_096)
                while write(greedy, page, page.count) > 0 {}
                close(greedy)
                try log.append([UInt8](repeating: 1, count: 20_000))
                #expect(throws: Errno(code: ENOSPC)) { try log.append([UInt8](repeating: 1, count: 9_000)) }
                #expect(throws: Errno(code: ENOSPC)) { try data.writeFileDurably("mark", page) }
                #expect(try data.names() == ["fill", "log"])
            }
        }

        @Test func limitOnTheSizeOfFilesIsAnError() throws {
            ignoreSignals([SIGXFSZ])
            let folder = Folder()
            let data = try DataDirectory(path: folder.path)
            var log = try AppendFile(in: data, name: "log")
            try log.append([1])
            var before = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before)
            var tight = before
            tight.rlim_cur = 8 << 20
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &tight)
            defer { setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before) }
            #expect(throws: Errno(code: EFBIG)) { try log.reserve(upTo: 9 << 20) }
            #expect(throws: Errno(code: EFBIG)) { try log.append([UInt8](repeating: 1, count: 9 << 20)) }
            #expect(folder.size("log") == 1)
            try log.append([2])
            #expect(try data.readFile("log") == [1, 2])
        }
    }
}

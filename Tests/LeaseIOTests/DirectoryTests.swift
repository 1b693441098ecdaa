// What can go wrong with directories and the small files in them.

import Glibc
import LeaseIO
import Testing

extension Floor {
    @Suite struct Directories {
        let folder = Folder()

        func failure(_ path: String) -> DirectoryError? {
            do {
                _ = try DataDirectory(path: path)
                return nil
            } catch {
                return error
            }
        }

        @Test func secondWriterIsRefusedWithTheHoldersPid() throws {
            let first = try DataDirectory(path: folder("data"))
            #expect(failure(folder("data")) == .locked(path: folder("data"), holder: getpid()))
            #expect(try first.names() == [])
        }

        @Test func lockOfAnotherProcessIsSeen() throws {
            #expect(mkdir(folder("data"), 0o700) == 0)
            let other = startProgram([
                "flock", "-F", folder("data"), "sh", "-c", ": > $0; exec sleep 9", folder("up"),
            ])
            while folder.size("up") == nil { usleep(1_000) }
            #expect(failure(folder("data")) == .locked(path: folder("data"), holder: other))
            kill(other, SIGKILL)
            waitpid(other, nil, 0)
            #expect(failure(folder("data")) == nil)
        }

        @Test func lockEndsWithItsOwner() throws {
            do { _ = try DataDirectory(path: folder("data")) }
            #expect(failure(folder("data")) == nil)
        }

        @Test func missingParentsAreMadePrivate() throws {
            let before = umask(0)
            defer { _ = umask(before) }
            #expect(failure(folder("a/b/c/")) == nil)
            #expect(folder.mode("a") == 0o700)
            #expect(folder.mode("a/b/c") == 0o700)
        }

        @Test func directoryOfAllIsRefused() {
            #expect(mkdir(folder("d"), 0o700) == 0 && chmod(folder("d"), 0o777) == 0)
            #expect(failure(folder("d")) == .writableByOthers(path: folder("d"), mode: 0o777))
            #expect(chmod(folder("d"), 0o755) == 0)
            #expect(failure(folder("d")) == nil)
        }

        @Test func fileInItsPlaceIsRefused() {
            folder.put("d", [])
            #expect(failure(folder("d")) == .notDirectory(path: folder("d")))
        }

        @Test func privateDirectoryIsNoLink() throws {
            try PrivateDirectory.create(folder("d"))
            try PrivateDirectory.check(folder("d"))
            #expect(symlink("d", folder("link")) == 0)
            #expect(throws: DirectoryError.symlink(path: folder("link"))) {
                try PrivateDirectory.check(folder("link"))
            }
            #expect(throws: DirectoryError.symlink(path: folder("link/"))) {
                try PrivateDirectory.check(folder("link/"))
            }
        }

        @Test(.enabled(if: getuid() == 0, "only root can give a directory away"))
        func directoryOfAnotherIsRefused() throws {
            try PrivateDirectory.create(folder("d"))
            #expect(chown(folder("d"), 65_534, 65_534) == 0)
            let foreign = DirectoryError.foreignOwner(path: folder("d"), uid: 65_534)
            #expect(throws: foreign) { try PrivateDirectory.check(folder("d")) }
            #expect(failure(folder("d")) == foreign)
        }

        @Test func smallFilesComeBack() throws {
            let data = try DataDirectory(path: folder.path)
            #expect(try data.readFile("mark") == nil)
            folder.put("mark.new", [9, 9, 9, 9])
            try data.writeFileDurably("mark", [1, 2])
            #expect(try data.readFile("mark") == [1, 2])
            try data.writeFileDurably("mark", [])
            #expect(try data.readFile("mark") == [])
            #expect(try data.names() == ["mark"])
            #expect(folder.mode("mark") == 0o600)
            #expect(try value(data.remove("mark")))
            #expect(try !value(data.remove("mark")))
        }

        @Test func onlyRegularFilesAreRead() throws {
            let data = try DataDirectory(path: folder.path)
            #expect(mkfifo(folder("pipe"), 0o600) == 0)
            #expect(mkdir(folder("sub"), 0o700) == 0)
            #expect(symlink("/etc/passwd", folder("link")) == 0)
            #expect(throws: Errno.notRegularFile) { try data.readFile("pipe") }
            #expect(throws: Errno.notRegularFile) { try data.readFile("sub") }
            #expect(throws: Errno(code: ELOOP)) { try data.readFile("link") }
        }

        @Test func tailIsCopiedAside() throws {
            let data = try DataDirectory(path: folder.path)
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            folder.put("log", bytes)
            try data.copyAside("log", from: 1_000, as: "log.torn")
            #expect(try data.readFile("log.torn") == Array(bytes[1_000...]))
            #expect(throws: Errno(code: EEXIST)) { try data.copyAside("log", from: 0, as: "log.torn") }
        }

        @Test func removedDirectoryIsNoticed() throws {
            let data = try DataDirectory(path: folder("data"))
            #expect(try value(data.isStillInPlace()))
            #expect(rename(folder("data"), folder("moved")) == 0)
            #expect(try !value(data.isStillInPlace()))
            #expect(mkdir(folder("data"), 0o700) == 0)
            #expect(try !value(data.isStillInPlace()))
        }
    }
}

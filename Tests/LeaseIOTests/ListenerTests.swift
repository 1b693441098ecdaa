// What can go wrong with a socket's place: stale, live, something else, too long, ten at once.

import Glibc
import LeaseIO
import Testing

extension Floor {
    @Suite struct Listening {
        let folder = Folder()

        /// A socket's file whose process is gone.
        func leaveStaleSocket(_ name: String) throws {
            let listener = try Listener(path: folder("other"), mode: 0o600)
            #expect(rename(folder("other"), folder(name)) == 0)
            let removed = listener.removeIfOurs()
            #expect(!removed)
        }

        func failure(_ path: String) -> ListenerError? {
            do {
                _ = try Listener(path: path, mode: 0o600)
                return nil
            } catch {
                return error
            }
        }

        @Test(arguments: [0, 0o022, 0o777]) func modeIsAsAskedWhateverTheUmask(umaskNow: mode_t) throws {
            let before = umask(umaskNow)
            defer { _ = umask(before) }
            let listener = try Listener(path: folder("s"), mode: 0o640)
            #expect(folder.mode("s") == 0o640)
            #expect(listener.raw >= 0)
        }

        @Test func staleSocketIsReplaced() throws {
            try leaveStaleSocket("s")
            let listener = try Listener(path: folder("s"), mode: 0o600)
            let client = connectTo(folder("s"))
            #expect(client >= 0)
            guard case .peer(let peer) = listener.accept() else {
                Issue.record("nobody to accept")
                return
            }
            #expect(peer.pid == getpid())
            #expect(peer.uid == getuid())
            #expect(peer.gid == getgid())
            #expect(fcntl(peer.fd, F_GETFD) & FD_CLOEXEC != 0)
            closeDescriptor(peer.fd)
            closeDescriptor(client)
            let next = listener.accept()
            #expect(next == .none)
        }

        @Test func liveSocketIsRefusedWithItsPid() throws {
            let listener = try Listener(path: folder("s"), mode: 0o600)
            #expect(failure(folder("s")) == .live(path: folder("s"), pid: getpid()))
            #expect(value(listener.removeIfOurs()))
        }

        @Test func whatIsNoSocketStays() {
            folder.put("s", [1, 2, 3])
            #expect(failure(folder("s")) == .notSocket(path: folder("s")))
            #expect(folder.size("s") == 3)
        }

        @Test func linkIsNeitherFollowedNorRemoved() throws {
            try leaveStaleSocket("target")
            #expect(symlink("target", folder("s")) == 0)
            #expect(failure(folder("s")) == .notSocket(path: folder("s")))
            #expect(folder.size("target") != nil)
            #expect(folder.size("s") != nil)
        }

        @Test(arguments: [107, 108, 200]) func pathHasABound(bytes: Int) {
            let name = String(repeating: "x", count: bytes - folder("").utf8.count)
            let path = folder(name)
            let tooLong = ListenerError.pathTooLong(path: path, bytes: bytes, bytesMax: 107)
            #expect(failure(path) == (bytes > 107 ? tooLong : nil))
        }

        @Test(arguments: ["", "/", "a/", ".."]) func pathThatNamesNothing(path: String) {
            #expect(failure(path) == .pathUnusable(path: path))
        }

        @Test func successorsSocketStays() throws {
            let old = try Listener(path: folder("s"), mode: 0o600)
            #expect(unlink(folder("s")) == 0)
            let new = try Listener(path: folder("s"), mode: 0o600)
            #expect(!value(old.removeIfOurs()))
            #expect(value(new.removeIfOurs()))
            #expect(folder.size("s") == nil)
        }

        @Test func refusalLeavesNoLitter() throws {
            let listener = try Listener(path: folder("s"), mode: 0o600)
            _ = failure(folder("s"))
            let names = try DataDirectory(path: folder.path).names()
            #expect(names == ["s"])
            #expect(listener.raw >= 0)
        }

        @Test func lockedDataDirectoryMayHoldTheSocketToo() throws {
            let data = try DataDirectory(path: folder.path)
            let listener = try Listener(path: folder("s"), mode: 0o600)
            #expect(try value(data.exists("s")))
            #expect(value(listener.removeIfOurs()))
        }

        @Test func ofTenAtOnceOneServes() async throws {
            for _ in 0..<20 {
                try leaveStaleSocket("s")
                let path = folder("s")
                let winners = await withTaskGroup(of: Kept?.self) { group in
                    for _ in 0..<10 { group.addTask { try? Kept(path) } }
                    return await group.reduce(into: [Kept]()) { if let kept = $1 { $0.append(kept) } }
                }
                #expect(winners.count == 1)
                let client = connectTo(path)
                #expect(client >= 0)
                closeDescriptor(client)
                #expect(winners.first?.listener.removeIfOurs() == true)
            }
            #expect(try DataDirectory(path: folder.path).names() == [])
        }

        @Test func exhaustionIsSaid() throws {
            let listener = try Listener(path: folder("s"), mode: 0o600)
            let client = connectTo(folder("s"))
            var before = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
            var tight = before
            tight.rlim_cur = 3
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &tight)
            let outcome = listener.accept()
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
            #expect(outcome == .exhausted(Errno(code: EMFILE)))
            closeDescriptor(client)
        }
    }
}

/// A listener that tasks can hand over. It is used by one of them at a time.
private final class Kept: @unchecked Sendable {
    let listener: Listener

    init(_ path: String) throws { listener = try Listener(path: path, mode: 0o600) }
}

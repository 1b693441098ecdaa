// Who may do what: the socket's mode, and other users.

import Glibc
import TestSupport
import Testing

@Suite struct AccessTests {
    private let stranger: UInt32 = 65_534

    @Test func whatItMakesIsPrivateWhateverTheUmask() throws {
        let daemon = try Daemon()
        // A umask belongs to the whole process, so it is another one that starts the daemon.
        let flags = "--socket=\(daemon.socketPath) --data=\(daemon.dataPath) --exit-with-parent"
        let program = try Program(["/bin/sh", "-c", "umask 0; exec \(Daemon.binary) \(flags) 2>/dev/null"])
        let deadline = milliseconds() + 10_000
        var client: Client?
        while client == nil, milliseconds() < deadline { client = try? daemon.connect() }
        #expect(client?.ask("acquire user/1")?.hasPrefix("OK") == true)
        #expect(mode(daemon.socketPath) == 0o600)
        #expect(mode(daemon.dataPath) == 0o700)
        for name in ["log", "numbers", "numbers.spare"] {
            #expect(mode(daemon.dataPath + "/" + name) == 0o600)
        }
        program.signal(SIGTERM)
        #expect(program.exitCode() == 0)
    }

    private func mode(_ path: String) -> UInt32 {
        var about = stat()
        return stat(path, &about) == 0 ? about.st_mode & 0o7777 : 0
    }

    @Test(.enabled(if: isRoot, "needs root, to be another user"))
    func anotherUserIsKeptOutByTheMode() throws {
        let daemon = try Daemon()
        try daemon.start()
        chmod(daemon.folder.path, 0o755)
        #expect(throws: Failure.self) { try daemon.connect(uid: stranger) }
        try daemon.stop()
    }

    @Test(.enabled(if: isRoot, "needs root, to be another user"))
    func anotherUserMayNotTouchALease() throws {
        let daemon = try Daemon(isForEverybody: true)
        try daemon.start()
        let (holder, other) = (try daemon.connect(), try daemon.connect(uid: stranger))
        #expect(tokenGranted(holder.ask("acquire user/1 ttl=1h")) == 1)
        for line in ["release 1", "renew 1", "evict 1", "compact", "clock advance=1s"] {
            #expect(other.ask(line)?.hasPrefix("ERR forbidden ") == true, "\(line)")
        }
        #expect(other.ask("acquire user/2 while=\(getpid())")?.hasPrefix("ERR forbidden ") == true)
        #expect(tokenGranted(other.ask("acquire user/2")) == 2)
        #expect(holder.ask("release 2")?.hasPrefix("OK token=2 ") == true)
        #expect(holder.ask("check 1")?.hasPrefix("OK token=1 ") == true)
        try daemon.stop()
    }
}

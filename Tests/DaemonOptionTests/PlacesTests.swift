// Where the socket and the data go by default, and with what care their directories are made.

import Glibc
import Testing

@testable import leased

private func places(
    _ arguments: [String], _ environment: [String: String], uid: UInt32 = 1000
) throws -> Places {
    try Places(Options.read(arguments), environment: { environment[$0] }, uid: uid)
}

@Suite struct PlacesTests {
    @Test(arguments: [
        (["LEASED_SOCKET": "l", "XDG_RUNTIME_DIR": "/run/user/1000"], UInt32(0), "l"),
        (["XDG_RUNTIME_DIR": "/run/user/0"], 0, "/run/leased/leased.sock"),
        (["XDG_RUNTIME_DIR": "/run/user/7", "TMPDIR": "/t"], 7, "/run/user/7/leased/leased.sock"),
        (["LEASED_SOCKET": "", "XDG_RUNTIME_DIR": "", "TMPDIR": "/t/"], 7, "/t/leased-7/leased.sock"),
        (["TMPDIR": ""], 7, "/tmp/leased-7/leased.sock"),
    ])
    func socket(environment: [String: String], uid: UInt32, path: String) throws {
        let found = try places(["--memory"], environment, uid: uid)
        #expect(found.socketPath == path)
        #expect((found.socketDirectory == nil) == (path == "l"))
        let told = try places(["--memory", "--socket=s"], environment, uid: uid)
        #expect(told.socketPath == "s" && told.socketDirectory == nil)
    }

    @Test(arguments: [
        (["STATE_DIRECTORY": "/a:/b", "HOME": "/h"], UInt32(0), "/a"),
        (["STATE_DIRECTORY": "", "XDG_STATE_HOME": "/s"], 0, "/var/lib/leased"),
        (["XDG_STATE_HOME": "/s", "HOME": "/h"], 7, "/s/leased"),
        (["XDG_STATE_HOME": "", "HOME": "/h"], 7, "/h/.local/state/leased"),
    ])
    func data(environment: [String: String], uid: UInt32, path: String) throws {
        #expect(try places([], environment, uid: uid).dataPath == path)
        #expect(try places(["--data=d"], environment, uid: uid).dataPath == "d")
        #expect(try places(["--memory"], environment, uid: uid).dataPath == nil)
    }

    @Test func noHomeIsSaid() throws {
        let complaint = #expect(throws: Complaint.self) { try places([], ["HOME": ""]) }
        #expect(complaint?.exitCode == 78)
        #expect(try places(["--memory"], [:]).dataPath == nil)
    }

    @Test func directoryIsPrivateUnlessTheModeLetsOthersIn() throws {
        let folder = Folder()
        let found = try places(["--memory"], ["TMPDIR": folder.path])
        try found.makeDirectories(mode: 0o600)
        #expect(folder.mode("leased-1000") == 0o700)
        try found.makeDirectories(mode: 0o660)
        #expect(folder.mode("leased-1000") == 0o755)
    }

    @Test func directoryThatSomebodyElsePreparedIsRefused() throws {
        let folder = Folder()
        let found = try places(["--memory"], ["TMPDIR": folder.path])
        #expect(mkdir(folder("leased-1000"), 0o700) == 0 && chmod(folder("leased-1000"), 0o777) == 0)
        #expect(throws: Complaint(
            .forbidden,
            "\(folder("leased-1000")) can be written to by others (its mode is 0777); "
                + "choose another place for the socket with --socket")
        ) { try found.makeDirectories(mode: 0o600) }
        #expect(rmdir(folder("leased-1000")) == 0 && symlink("/tmp", folder("leased-1000")) == 0)
        let complaint = #expect(throws: Complaint.self) { try found.makeDirectories(mode: 0o666) }
        #expect(complaint?.exitCode == 73)
    }
}

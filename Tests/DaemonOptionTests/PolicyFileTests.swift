// The policy file: a good one, and each way of being no good.

import Glibc
import LeaseModel
import Testing

@testable import leased

@Suite struct PolicyFileTests {
    let folder = Folder()

    private func complaint(_ path: String) -> Complaint? {
        #expect(throws: Complaint.self) { try PolicyFile.read(path) }
    }

    @Test func goodFileIsCounted() throws {
        let path = folder.put("p", Array("kind user id limit=2\nkey user/a limit=3\nkey user/b\n".utf8))
        #expect(try PolicyFile.check(path) == "\(path) is good: 1 kind, 2 patterns")
        #expect(symlink(path, folder("link")) == 0)
        #expect(try PolicyFile.read(folder("link")).kinds.count == 1)
    }

    @Test func builtInPolicyIsGood() throws {
        #expect(try PolicyFile.check(nil) == "the built-in policy is good: 3 kinds, 0 patterns")
    }

    @Test func mistakeIsSaidWithItsPlace() {
        let path = folder.put("p", Array("# it\nkind user id\n  kee user/a\n".utf8))
        let found = complaint(path)
        #expect(found?.exitCode == 78)
        #expect(found?.sentence.hasPrefix("\(path):3:3: ") == true)
    }

    @Test func whatCannotBeReadIsSaid() {
        #expect(
            complaint(folder("none"))
                == Complaint(
                    .unreadablePolicy,
                    "can't read the policy file \(folder("none")): No such file or directory"))
        #expect(complaint(folder.path)?.sentence == "the policy file \(folder.path) is not a regular file")
        #expect(mkfifo(folder("fifo"), 0o600) == 0)
        #expect(complaint(folder("fifo"))?.exitCode == 66)
        #expect(complaint("/dev/zero")?.exitCode == 66)
    }

    @Test func sizeIsBounded() throws {
        let most = [UInt8](repeating: UInt8(ascii: "\n"), count: Limits.policyBytesMax)
        #expect(try PolicyFile.read(folder.put("most", most)).kinds.isEmpty)
        #expect(complaint(folder.put("more", most + [UInt8(ascii: "\n")]))?.exitCode == 78)
    }
}

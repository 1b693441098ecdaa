// A policy file that changes, or goes, under a daemon that serves.

import Glibc
import TestSupport
import Testing

@Suite struct ReloadTests {
    @Test func aFileThatIsGoneOrWrongChangesNothing() throws {
        let daemon = try Daemon()
        let path = daemon.folder("policy")
        try daemon.folder.write("policy", Array("kind a x limit=2\n".utf8))
        try daemon.start(["--policy=\(path)"])
        let client = try daemon.connect()
        #expect(client.ask("reload") == "OK")
        unlink(path)
        let refused = client.ask("reload") ?? ""
        #expect(refused.hasPrefix("ERR bad-policy the policy can't be read, so the old one stays"))
        #expect(daemon.messages(ofLast: 400).contains("No such file or directory"))
        try daemon.folder.write("policy", Array("kind a x limit=2\nkind b\n".utf8))
        #expect(client.ask("reload")?.hasPrefix("ERR bad-policy line=2 column=") == true)
        #expect(client.ask("get a/1")?.contains(" limit=2 ") == true)
        try daemon.folder.write("policy", Array("kind a x limit=3\n".utf8))
        daemon.program?.signal(SIGHUP)
        while client.ask("get a/1")?.contains(" limit=3 ") != true { usleep(2_000) }
        #expect(daemon.messages(ofLast: 400).contains("the policy was read again"))
    }

    /// What is behind a reload on its connection is decided by the new rules, with a tag and without.
    @Test(arguments: ["", "#r "])
    func whatIsBehindAReloadComesAfterIt(tag: String) throws {
        let daemon = try Daemon()
        try daemon.folder.write("policy", Array("kind a x\n".utf8))
        try daemon.start(["--policy=\(daemon.folder("policy"))"])
        let client = try daemon.connect()
        try daemon.folder.write("policy", Array("kind b x\n".utf8))
        client.send("\(tag)reload\nacquire b/1\nacquire a/1")
        #expect(client.line() == "\(tag)OK")
        #expect(tokenGranted(client.line()) == 1)
        #expect(client.line()?.hasPrefix("ERR unknown-kind") == true)
    }

    @Test func withoutAFileTheBuiltInRulesGoOn() throws {
        let daemon = try Daemon()
        try daemon.start()
        let client = try daemon.connect()
        #expect(client.ask("reload") == "OK")
        #expect(tokenGranted(client.ask("acquire user/1")) == 1)
    }
}

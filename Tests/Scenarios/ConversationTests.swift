// A conversation: one generation at a time, and everybody sees whether one is under way.

import Glibc
import TestSupport
import Testing

@Suite struct ConversationTests {
    private let key = "conversation/c9"

    /// The next event of a watch, without its number.
    private func event(_ watcher: Client) throws -> String {
        let line = try #require(watcher.line(), "the watcher sees nothing")
        return line.split(separator: " ").filter { !$0.hasPrefix("seq=") }.prefix(5).joined(separator: " ")
    }

    @Test func oneGenerationForEachConversation() throws {
        let site = try Site("kind conversation  id  limit=1 ttl=1m\n")
        let watcher = try site.daemon.connect()
        #expect(watcher.ask("watch \(key)")?.hasPrefix("OK seq=") == true)

        // The second send is told who is at it; a watcher sees it locked, and nothing of who was refused.
        let first = try site.service("first", key)
        #expect(first.works)
        #expect(try event(watcher) == "* granted key=\(key) token=1 owner=first")
        let second = try site.service("second", key)
        let told = "busy \(key) held in progress, please wait: \(key) is held by first ("
        #expect(try second.end().hasPrefix(told))
        let other = try site.service("other", "conversation/c10")
        #expect(other.works)

        // Unlocked when it is done …
        try site.finish("first")
        #expect(try first.end().hasPrefix("did "))
        #expect(try event(watcher) == "* released key=\(key) token=1 owner=first")

        // … when the generation throws …
        let throwing = try site.service("throwing", "throws", key)
        #expect(throwing.works)
        try site.finish("throwing")
        #expect(try throwing.end() == "failed \(key) Broken()")
        #expect(try event(watcher) == "* granted key=\(key) token=3 owner=throwing")
        #expect(try event(watcher) == "* released key=\(key) token=3 owner=throwing")

        // … and when its process dies.
        let dying = try site.service("dying", key)
        #expect(dying.works)
        dying.program.signal(SIGKILL)
        #expect(try event(watcher) == "* granted key=\(key) token=4 owner=dying")
        #expect(try event(watcher) == "* process-ended key=\(key) token=4 owner=dying")

        // Who waits in line is answered in the order of the messages.
        var messages = [try site.service("message-0", "wait=60", key)]
        #expect(messages[0].works)
        for number in 1...3 {
            messages.append(try site.service("message-\(number)", "wait=60", key))
            #expect(site.settles(key, holders: 1, waiting: number))
        }
        try site.finish("all")
        for message in messages { #expect(try message.end().hasPrefix("did ")) }
        let answered = site.record.filter { $0[0] == "begin" && $0[2].hasPrefix("message-") }
        #expect(answered.map { $0[2] } == (0...3).map { "message-\($0)" })
        #expect(site.mostAtOnce("conversation/c10") == 1)

        // What was attempted while it was locked is counted: refused once, in line three times.
        _ = try other.end()
        let counts = try site.askAll("stats").split(separator: "\n")
            .first { $0.hasPrefix("  counts kind=conversation ") }
        let words = (counts ?? "").split(separator: " ")
        #expect(words.contains("busy-held=1") && words.contains("queued=3") && words.contains("waited=3"))
        #expect(words.contains("granted=8") && words.contains("process-ended=1"), "\(words)")
        #expect(try site.isQuiet())
        try site.daemon.stop()
    }
}

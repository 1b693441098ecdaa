// One job for each user, over images and videos, in all tabs and on all devices.

import TestSupport
import Testing

@Suite struct JobTests {
    private let policy = "kind user  id  limit=1 ttl=10m\n"

    @Test func oneJobForEachUser() throws {
        let site = try Site(policy, flags: ["--clock=manual"], isForEverybody: true)

        // Four tabs at the same time: one works, the others are told who does.
        let tabs = try (1...4).map { try site.service("tab-\($0)", "go", "user/42") }
        for tab in tabs { #expect(tab.says("ready")) }
        try site.daemon.folder.write("go", [])
        #expect(holds { tabs.count { $0.said.last?.hasPrefix("busy ") == true } == 3 })
        // Who works may say so after the others were refused.
        #expect(holds { tabs.contains { $0.said.last?.hasPrefix("working ") == true } })
        let winner = try #require(tabs.first { $0.said.last?.hasPrefix("working ") == true })
        let told = "busy user/42 held in progress, please wait: user/42 is held by \(winner.name) ("
        for tab in tabs where tab !== winner {
            #expect(try tab.end().hasPrefix(told))
        }
        try site.finish(winner.name)
        #expect(try winner.end().hasPrefix("did user/42 "))

        // A phone takes it for an image, and is not heard of again. A video from another device is refused
        // with who and since when.
        let phone = try site.lease("phone", "acquire", "user/42", "-n", "--owner=phone", "--note=image")
        #expect(try phone.end() == "2")
        _ = try site.ask("clock advance=4m")
        let video = try site.lease("video", "run", "user/42", "-n", "--note=video", "--", "/bin/true")
        let refused = try video.end()
        #expect(refused.hasPrefix("lease: user/42 is held by phone (pid "))
        #expect(refused.contains(") for 4m, 6m left"))
        #expect(video.program.exitCode() == 75)

        // After ten minutes without a renewal, and not before, the next one goes through.
        _ = try site.ask("clock advance=359999ms")
        let early = try site.lease("early", "run", "user/42", "-n", "--", "/bin/true")
        #expect(try early.end().contains("user/42 is held by phone "))
        _ = try site.ask("clock advance=1ms")
        let next = try site.service("laptop", "user/42")
        #expect(next.works)
        try twoByOneLineOfPolicy(site)
        try whatRunsAndRan(site)
        try free(site, stuck: next)
        try site.daemon.stop()
    }

    /// The operator adds a line, and says so to the daemon.
    private func twoByOneLineOfPolicy(_ site: Site) throws {
        try site.daemon.folder.write("policy", Array((policy + "key user/42 limit=2\n").utf8))
        #expect(try site.ask("reload") == "OK")
        let second = try site.service("tablet", "user/42")
        #expect(second.works)
        let third = try site.service("third", "user/42")
        #expect(try third.end().hasPrefix("busy user/42 limit "))
        let other = try site.service("other", "user/43")
        #expect(other.works)
        let more = try site.service("more", "user/43")
        #expect(try more.end().hasPrefix("busy user/43 held "))
        for name in ["tablet", "other"] { try site.finish(name) }
        for service in [second, other] { #expect(try service.end().hasPrefix("did ")) }
        try site.daemon.folder.write("policy", Array(policy.utf8))
        #expect(try site.ask("reload") == "OK")
    }

    private func whatRunsAndRan(_ site: Site) throws {
        let running = try site.lease("running", "list", "user/42")
        #expect(try running.end().contains("laptop"))
        #expect(running.said.count == 2, "\(running.said)")
        let before = try site.askAll("history user/42").split(separator: "\n").dropFirst()
        let told = before.map { line in
            let words = line.split(separator: " ")
            return "\(words[2]) \(words.first { $0.hasPrefix("owner=") }?.dropFirst(6) ?? "")"
        }
        let expected = [
            "granted phone", "expired phone", "granted laptop", "granted tablet", "released tablet",
        ]
        #expect(Array(told.suffix(5)) == expected, "\(told)")
        #expect(before.contains { $0.contains(" expired ") && $0.hasSuffix(" held=600000ms") })
    }

    /// By an administrator, who may; by another user of the machine, who may not.
    private func free(_ site: Site, stuck: Service) throws {
        let token = try #require(stuck.said.last?.split(separator: " ").last)
        if isRoot {
            let stranger = try site.daemon.connect(uid: 65_534)
            #expect(stranger.ask("evict \(token)")?.hasPrefix("ERR forbidden ") == true)
        }
        let evicted = try site.lease("evict", "evict", String(token), "--note=stuck")
        _ = try evicted.end()
        #expect(evicted.program.exitCode() == 0, "\(evicted.said)")
        let next = try site.lease("next", "run", "user/42", "-n", "--", "/bin/echo", "through")
        #expect(try next.end() == "through")
        // What the stuck one comes with in the end is refused.
        try site.finish(stuck.name)
        #expect(try stuck.end().hasPrefix("failed user/42 lease \(token) was evicted by an administrator"))
        #expect(try site.isQuiet())
    }
}

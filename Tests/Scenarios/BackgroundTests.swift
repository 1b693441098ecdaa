// Background images: the same picture is asked for by several at once, and is generated once.

import TestSupport
import Testing

@Suite struct BackgroundTests {
    @Test func backgroundImages() throws {
        let site = try Site("kind background  user place weather time season  ttl=2m keep=5m\n")
        let autumn = "background/ann/lisbon/rain/noon/autumn"
        let winter = "background/ann/lisbon/rain/noon/winter"

        // Three requests at the same time, the first of them a forced refresh.
        let services = [
            try site.service("refresh", "once", "refresh", "go", autumn),
            try site.service("tab", "once", "go", autumn),
            try site.service("phone", "once", "go", autumn),
        ]
        for service in services { #expect(service.says("ready")) }
        try site.daemon.folder.write("go", [])
        #expect(site.settles(autumn, holders: 1, waiting: 2))
        #expect(site.generations(autumn) <= 1)

        // Another season is other work, and goes on beside.
        let other = try site.service("winter", "once", winter)
        #expect(other.works)

        // One generation, or two where the forced one came while one was under way; everyone gets a result.
        try site.finish("all")
        let ends = try services.map { try $0.end() }
        let made = ends.filter { $0.hasPrefix("did \(autumn) ") }.map { $0.dropFirst(4) }
        let got = ends.filter { $0.hasPrefix("got \(autumn) ") }.map { $0.dropFirst(4) }
        #expect(made.count + got.count == 3, "\(ends)")
        #expect((1...2).contains(made.count) && site.generations(autumn) == made.count, "\(ends)")
        #expect(got.allSatisfy { made.contains($0) }, "\(ends)")
        #expect(ends[0].hasPrefix("did "))
        #expect(try other.end().hasPrefix("did \(winter) winter-"))

        // Told apart: a forced one that comes later is a second generation, the last result is what counts.
        let late = try site.service("late", "once", autumn)
        #expect(try late.end().hasPrefix("got \(autumn) "))
        let forced = try site.service("forced", "once", "refresh", autumn)
        let fresh = try forced.end()
        #expect(fresh.hasPrefix("did \(autumn) forced-"))
        let next = try site.service("next", "once", autumn)
        #expect(try next.end() == "got" + fresh.dropFirst(3))
        #expect(site.generations(autumn) == made.count + 1)

        // Nothing is left behind.
        #expect(site.mostAtOnce(autumn) == 1)
        #expect(try site.isQuiet())
        try site.daemon.stop()
    }
}

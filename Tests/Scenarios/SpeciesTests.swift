// Species and medium: different work at once, the same work never twice, and at most three at the provider.

import TestSupport
import Testing

@Suite struct SpeciesTests {
    @Test func speciesAndMedium() throws {
        let site = try Site(
            """
            kind species   id media:image,video  limit=1 ttl=10m
            kind provider  name                  limit=3 queue=200
            """)
        let provider = "provider/replicate"

        // Different species generate at once; so do image and video of one species.
        let image = try site.service("image-31", "species/31/image", provider)
        let video = try site.service("video-31", "species/31/video", provider)
        let other = try site.service("image-32", "species/32/image", provider)
        #expect(image.works && video.works && other.works)

        // A second request for the same species and medium is refused with who does it …
        let second = try site.service("second", "species/31/image", provider)
        let refused = try second.end()
        #expect(refused.hasPrefix("busy species/31/image,provider/replicate held in progress, please wait: "))
        #expect(refused.contains("species/31/image is held by image-31 (pid \(image.program.pid), "))
        // … a fourth at the provider is refused for that …
        let fourth = try site.service("fourth", "species/33/image", provider)
        #expect(try fourth.end().contains("busy species/33/image,provider/replicate limit "))

        // … or they wait: one for the provider, one for the same species, and one with priority.
        let plain = try site.service("plain", "wait=60", "species/33/image", provider)
        #expect(site.settles(provider, holders: 3, waiting: 1))
        let again = try site.service("again", "wait=60", "species/31/image", provider)
        #expect(site.settles(provider, holders: 3, waiting: 2))
        let urgent = try site.service("urgent", "wait=60", "priority=9", "species/34/video", provider)
        #expect(site.settles(provider, holders: 3, waiting: 3))

        try site.finish("video-31")
        #expect(urgent.works)
        #expect(site.settles(provider, holders: 3, waiting: 2))
        try site.finish("image-32")
        #expect(plain.works)
        #expect(site.settles(provider, holders: 3, waiting: 1))
        try site.finish("image-31")
        #expect(again.works)

        try site.finish("all")
        for service in [image, video, other, plain, again, urgent] {
            #expect(try service.end().hasPrefix("did "))
        }
        #expect(site.mostAtOnce(provider) == 3)
        for key in ["species/31/image", "species/31/video", "species/33/image"] {
            #expect(site.mostAtOnce(key) == 1)
        }
        #expect(site.generations("species/31/image") == 2)
        #expect(try site.isQuiet())
        try site.daemon.stop()
    }
}

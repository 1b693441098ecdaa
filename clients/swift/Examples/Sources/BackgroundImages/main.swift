// Background images: whoever asks for the same picture at the same time gets the same one, generated once.

import LeaseClient

let leases = LeaseClient(owner: "background-images")

/// What a picture shows: whoever wants the same has the same key.
struct Scene {
    var user = "ann"
    var place = "Lisbon"
    var weather = "rain"
    var time = "noon"
    var season: String

    var key: LeaseKey { LeaseKey(kind: "background", user, place, weather, time, season) }
}

struct Picture: Codable {
    let file: String
}

/// A result is short: the name of a file, say, and not the picture itself.
func paint(_ scene: Scene, fence: UInt64) async throws -> Picture {
    print("painting \(scene.season)")
    try await Task.sleep(for: .milliseconds(300))
    return Picture(file: "\(scene.season)-\(fence).jpg")
}

/// With `refreshing`, the picture is painted anew, and takes the place of the one that is kept.
func background(_ scene: Scene, refreshing: Bool = false) async throws -> Picture {
    let result = try await leases.once(Picture.self, on: scene.key, refreshing: refreshing) { lease in
        try await paint(scene, fence: lease.token)
    }
    return result.value
}

do {
    // Three for the same, the first of them a forced refresh; and one for another season.
    async let refreshed = background(Scene(season: "autumn"), refreshing: true)
    async let first = background(Scene(season: "autumn"))
    async let second = background(Scene(season: "autumn"))
    async let winter = background(Scene(season: "winter"))
    let autumn = try await [refreshed, first, second]
    print("everyone has a picture: \(autumn.map(\.file)), \(try await winter.file)")

    // The policy keeps it for five minutes.
    let later = try await background(Scene(season: "autumn"))
    print("and later the newest: \(later.file)")
} catch {
    print("no picture: \(error)")
}

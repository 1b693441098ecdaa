// Images and videos of species: the same is never generated twice at once, and three at most at the provider.

import LeaseClient

let leases = LeaseClient(owner: "species-studio")

/// What is paid for, and how much of it goes on.
actor Provider {
    static let key = LeaseKey(kind: "provider", "replicate")
    private var running = 0
    private(set) var mostAtOnce = 0

    func generate(_ species: Int, _ medium: LeaseKey.Medium) async throws -> String {
        running += 1
        defer { running -= 1 }
        mostAtOnce = max(mostAtOnce, running)
        try await Task.sleep(for: .milliseconds(200))
        return "\(medium) of species \(species)"
    }
}

let provider = Provider()

/// Both keys are taken in one step: who waits for one of them does not hold the other meanwhile.
func order(
    _ species: Int, _ medium: LeaseKey.Medium, waitingUpTo wait: Duration = .zero, priority: Int = 0
) async -> String {
    do {
        return try await leases.withLease(
            on: .species(species, medium), Provider.key, waitingUpTo: wait, priority: priority
        ) { _ in try await provider.generate(species, medium) }
    } catch LeaseError.busy(let busy) {
        return "refused: \(busy)"
    } catch {
        return "failed: \(error)"
    }
}

await withTaskGroup(of: String.self) { group in
    // Five species in both media, and one that has priority.
    for species in 1...5 {
        group.addTask { await order(species, .image, waitingUpTo: .seconds(60)) }
        group.addTask { await order(species, .video, waitingUpTo: .seconds(60)) }
    }
    group.addTask { await order(6, .image, waitingUpTo: .seconds(60), priority: 9) }
    // A second one of what is under way already is told who is at it.
    group.addTask {
        try? await Task.sleep(for: .milliseconds(50))
        return await order(1, .image)
    }
    for await line in group { print(line) }
}
print("at most \(await provider.mostAtOnce) at once")

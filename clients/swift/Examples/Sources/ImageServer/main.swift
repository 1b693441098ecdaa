// A service with many tasks: it never generates two images at once for a user, nor for a species.

import LeaseClient

let leases = LeaseClient(owner: "image-server")

/// What the generating costs, and must not be paid twice.
func generate(_ species: Int, fence: UInt64) async throws -> String {
    try await Task.sleep(for: .milliseconds(300))
    return "image \(fence) of species \(species)"
}

/// One request from a browser's tab: the status and the text that it is answered with.
func answer(user: Int, species: Int) async -> (status: Int, text: String) {
    do {
        let image = try await leases.withLease(on: .user(user), .species(species, .image)) { lease in
            try await generate(species, fence: lease.token)
        }
        return (200, image)
    } catch LeaseError.busy(let busy) {
        return (409, "in progress, please wait: \(busy)")
    } catch {
        return (503, "\(error)")
    }
}

// Ten users, each with three tabs, all at once.
await withTaskGroup(of: (status: Int, text: String).self) { group in
    for request in 0..<30 {
        group.addTask { await answer(user: request / 3, species: 100 + request / 3) }
    }
    var texts: [Int: [String]] = [:]
    for await (status, text) in group {
        texts[status, default: []].append(text)
    }
    for (status, answers) in texts.sorted(by: { $0.key < $1.key }) {
        print("\(answers.count) answers with \(status), such as: \(answers[0])")
    }
}

// A conversation: one answer is generated at a time, and every window sees whether one is under way.

import LeaseClient

let leases = LeaseClient(owner: "window-1")
let other = LeaseClient(owner: "window-2")
let key = LeaseKey.conversation("c9")

struct ModelFailed: Error {}

/// Sends a message; while another is being answered, who does that is told.
func send(_ message: String, from client: LeaseClient) async -> String {
    do {
        return try await client.withLease(on: key) { lease in
            try await Task.sleep(for: .milliseconds(200))
            if message.isEmpty { throw ModelFailed() }
            return "an answer to '\(message)'"
        }
    } catch LeaseError.busy(let busy) {
        return "in progress, please wait: \(busy)"
    } catch {
        return "\(error)"
    }
}

/// What shows whether the field for a message is locked: all that happened after a change, without a gap.
func showLock(since change: UInt64, until count: Int) async throws {
    var seen = 0
    for try await event in leases.events(under: "conversation/c9", since: change) {
        switch event.kind {
        case .granted: print("locked by \(event.owner ?? "somebody")")
        // Whatever ended it: a result, an error, the end of its process.
        case .released, .expired, .evicted, .disconnected, .processEnded: print("unlocked")
        default: continue
        }
        seen += 1
        if seen == count { return }
    }
}

do {
    let before = try await leases.history(last: 1).last?.sequence ?? 0
    async let lock: Void = showLock(since: before, until: 4)
    async let first = send("How are you?", from: leases)
    try await Task.sleep(for: .milliseconds(50))
    print(await send("And you?", from: other))
    print(await first)
    // It is unlocked as well when the generation fails.
    print(await send("", from: other))
    try await lock
    let counts = try await leases.stats().kinds["conversation"]
    print("attempts while it was locked: \(counts?["busy-held"] ?? 0)")
} catch {
    print("\(error)")
}

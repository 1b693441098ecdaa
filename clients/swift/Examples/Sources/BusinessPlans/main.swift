// Business plans: two at once for each user, and the same request of a user is worked on once.

import LeaseClient

let leases = LeaseClient(owner: "business-plans")

func write(_ request: String, for user: String) async throws -> String {
    try await Task.sleep(for: .milliseconds(100))
    return "\(user)'s plan for a \(request)"
}

/// The request is the outer key, so whoever asks for the same waits for its result; within it the plan takes
/// one of the two places of its user. Keys carry the user: nobody is given another one's result.
func plan(_ request: String, for user: String) async throws -> LeaseResult<String> {
    try await leases.once(String.self, on: LeaseKey(kind: "plan", user, request)) { _ in
        try await leases.withLease(on: LeaseKey(kind: "plans", user), waitingUpTo: .seconds(60)) { _ in
            try await write(request, for: user)
        }
    }
}

/// What a user is answered.
func answer(_ request: String, for user: String) async -> String {
    do {
        let plan = try await plan(request, for: user)
        return plan.didWork ? "written" : plan.value == "\(user)'s plan for a \(request)" ? "shared" : "wrong"
    } catch LeaseError.busy(let busy) where busy.reason == .queueFull {
        return "too many at once"
    } catch LeaseError.busy(let busy) where busy.reason == .rate {
        return "enough for this hour"
    } catch {
        return "\(error)"
    }
}

// Thirty users with three plans each, every one of them asked for twice; and one who wants twenty.
await withTaskGroup(of: (isGreedy: Bool, answer: String).self) { group in
    for request in ["bakery", "cinema", "florist"] {
        for user in 0..<30 {
            group.addTask { (false, await answer(request, for: "user-\(user)")) }
            group.addTask { (false, await answer(request, for: "user-\(user)")) }
        }
    }
    for number in 0..<20 {
        group.addTask { (true, await answer("shop \(number)", for: "greedy")) }
    }
    var counts: [String: Int] = [:]
    for await (isGreedy, answer) in group {
        counts["\(isGreedy ? "one who wants twenty" : "thirty users"): \(answer)", default: 0] += 1
    }
    for (words, count) in counts.sorted(by: { $0.key < $1.key }) { print("\(words) \(count)") }
}

// A worker that waits in line: the messages of a conversation are answered one after the other.

import LeaseClient

/// Keeps what was written last, and refuses whoever was overtaken: a worker that stood still past the end of
/// its lease, and woke up again.
actor Conversation {
    private var newestToken: UInt64 = 0
    private(set) var messages: [String] = []

    func append(_ message: String, fence token: UInt64) throws {
        guard token >= newestToken else { throw CancellationError() }
        newestToken = token
        messages.append(message)
    }
}

let leases = LeaseClient(owner: "message-worker")
let conversation = Conversation()
let key = LeaseKey.conversation("c9")

/// Answers a message when those before it are answered.
func answer(_ message: String) async throws {
    try await leases.withLease(on: key, ttl: .seconds(10), waitingUpTo: .seconds(60)) { lease in
        try await Task.sleep(for: .milliseconds(100))
        // At most one is here at a time; `checkHeld` before each step that must not be done twice.
        try lease.checkHeld()
        try await conversation.append("\(message) (lease \(lease.token))", fence: lease.token)
    }
}

do {
    try await withThrowingTaskGroup(of: Void.self) { group in
        // Who comes first is answered first.
        for number in 1...3 {
            group.addTask { try await answer("message \(number)") }
        }
        try await group.waitForAll()
    }
    for message in await conversation.messages {
        print(message)
    }
} catch LeaseError.timedOut(let busy) {
    print("still waiting after a minute: \(busy)")
} catch LeaseError.unavailable(let outage) {
    print(outage.hint)
}

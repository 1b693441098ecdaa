// What a client was told of its leases, held against what a restarted daemon knows of them.

import TestSupport

/// One client's book. What was sent and not answered may have been carried out or not.
struct Book {
    private(set) var held: [UInt64: String] = [:]
    private(set) var ended: Set<UInt64> = []
    private var unsure: Set<UInt64> = []
    private(set) var greatest: UInt64 = 0
    private(set) var faults: [String] = []
    /// Every reply that was neither a grant nor an end.
    private(set) var others: [String] = []
    private var lastKey = 0

    /// Acquires a few keys, which nobody has had before, and reads the replies.
    /// - Returns: whether all were answered.
    @discardableResult
    mutating func acquire(_ count: Int, _ client: Client) -> Bool {
        let keys = (lastKey..<(lastKey + count)).map { "user/k\($0)" }
        lastKey += count
        client.send(keys.map { "acquire \($0) ttl=1h note=of-\($0.dropFirst(5))" }.joined(separator: "\n"))
        for key in keys {
            guard let reply = client.line() else { return false }
            guard let token = tokenGranted(reply) else {
                others.append(reply)
                continue
            }
            if token <= greatest { faults.append("token \(token) came after \(greatest)") }
            greatest = max(greatest, token)
            held[token] = key
        }
        return true
    }

    /// Releases some of those that are held, the oldest first.
    /// - Returns: whether all were answered.
    @discardableResult
    mutating func release(_ count: Int, _ client: Client) -> Bool {
        let tokens = Array(held.keys.sorted().prefix(count))
        for token in tokens {
            held[token] = nil
            unsure.insert(token)
        }
        client.send(tokens.map { "release \($0)" }.joined(separator: "\n"))
        for token in tokens {
            guard let reply = client.line() else { return false }
            if reply.hasPrefix("OK token=\(token) held=") {
                unsure.remove(token)
                ended.insert(token)
            } else {
                others.append(reply)
            }
        }
        return true
    }

    /// Renews the newest lease.
    mutating func renew(_ client: Client) {
        guard let token = held.keys.max(), let reply = client.ask("renew \(token) ttl=2h") else { return }
        if !reply.hasPrefix("OK token=\(token) ttl=") { others.append(reply) }
    }

    mutating func forgetOthers() { others.removeAll() }

    mutating func ask(_ line: String, _ client: Client) {
        guard let reply = client.ask(line) else { return }
        if !reply.hasPrefix("OK") { others.append(reply) }
    }

    /// Asks a daemon about everything, and takes a lease more.
    mutating func check(_ client: Client, _ context: String) {
        for (token, key) in held.sorted(by: { $0.key < $1.key }) {
            let reply = client.ask("check \(token)") ?? "nothing"
            if !reply.hasPrefix("OK token=\(token) ") || !reply.contains("key=\(key) ")
                || !reply.hasSuffix("note=of-\(key.dropFirst(5))")
            {
                faults.append("\(context): \(token) was granted for \(key): \(reply)")
            }
        }
        for token in ended.sorted() {
            let reply = client.ask("check \(token)") ?? "nothing"
            if !reply.hasPrefix("GONE token=\(token) why=released") {
                faults.append("\(context): \(token) was released: \(reply)")
            }
        }
        checkLine(client, context)
        if !acquire(1, client) || held[greatest] == nil {
            faults.append("\(context): a new key is not granted: \(others.last ?? "no answer")")
        }
        others.removeAll()
    }

    /// Whether every key that is free is granted, and every one that is not is not.
    private mutating func checkLine(_ client: Client, _ context: String) {
        let keys = Set(held.values)
        for number in 0..<lastKey where number % 3 == 0 {
            let key = "user/k\(number)"
            let reply = client.ask("acquire \(key) ttl=1h") ?? "nothing"
            if let token = tokenGranted(reply) {
                if keys.contains(key) { faults.append("\(context): \(key) was granted twice") }
                if token <= greatest { faults.append("\(context): token \(token) came after \(greatest)") }
                greatest = max(greatest, token)
                _ = client.ask("release \(token)")
            } else if !reply.hasPrefix("BUSY key=\(key) why=held") {
                faults.append("\(context): \(key): \(reply)")
            }
        }
    }
}

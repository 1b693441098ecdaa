// What `lease bench` is told: how the daemon is to be driven.

import LeaseModel

struct BenchPlan: Equatable, Sendable {
    var connections = 8
    /// On each connection.
    var inFlight = 8
    /// How many different keys are taken.
    var keys = 10_000
    /// Of a hundred requests for a lease, those for a key that others want, too.
    var contendedPercent = 0
    /// Of each lease, before it is given back.
    var renewals = 0
    /// Requests more that stand in line for one key.
    var waiters = 0
    var duration = Duration.seconds(5)
    var ttl = Duration.seconds(30)
    var kind = "bench"

    /// Requests that are under way at every moment, those in line aside.
    var loops: Int { connections * inFlight }
    /// One for every eight requests: so a contended key is mostly taken, and never for long.
    var contendedKeys: Int { max(1, loops / 8) }

    /// Throws where the options don't go together.
    func check() throws(Complaint) {
        guard keys >= loops else {
            throw Complaint(
                .usage,
                "\(connections) connections with \(inFlight) requests each need \(loops) keys or more, and "
                    + "--keys is \(keys)")
        }
    }

    /// How the keys begin: so that no other run, and nothing else that has this kind, wants them.
    func stem(pid: Int32) throws(Complaint) -> String {
        let stem = "\(kind)/bench.\(pid)."
        guard let key = try? Words.key(stem + "0"), key.string == stem + "0", !kind.contains("/") else {
            throw Complaint(
                .usage,
                "--kind wants the kind of a key, as in user for keys like user/42, not \(quoted(kind))")
        }
        return stem
    }
}

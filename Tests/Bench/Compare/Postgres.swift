// PostgreSQL for comparison: a cluster of its own, made, started and gone with its folder.

import Glibc
import TestSupport

enum Postgres {
    static let peer = Peer(
        name: "PostgreSQL", program: binary("postgres"), package: "postgresql", canSync: [.never, .always],
        start: start)

    /// Of the newest version that is installed.
    private static func binary(_ name: String) -> String? {
        (11...30).reversed().map { "/usr/lib/postgresql/\($0)/bin/\(name)" }.first { access($0, X_OK) == 0 }
    }

    @Sendable private static func start(
        _ folder: TemporaryFolder, _ syncing: Syncing
    ) throws(Failure) -> Server {
        // It refuses to run as root.
        let user = geteuid() == 0 ? getpwnam("postgres").map { $0.pointee.pw_uid } : nil
        if geteuid() == 0, user == nil { throw Failure("PostgreSQL needs a user postgres") }
        let home = folder("postgres")
        mkdir(home, 0o700)
        if let user { chown(home, user, .max) }
        let made = try Program(
            [binary("initdb")!, "-D", "\(home)/data", "-U", "bench", "-A", "trust", "--no-sync"], uid: user)
        guard made.exitCode(within: 60) == 0 else { throw Failure("initdb failed") }
        let isSafe = syncing == .always ? "on" : "off"
        let program = try mortal(
            [
                binary("postgres")!, "-D", "\(home)/data", "-k", home, "-c", "listen_addresses=",
                "-c", "fsync=\(isSafe)", "-c", "synchronous_commit=\(isSafe)", "-c", "max_connections=200",
            ], uid: user)
        let address = "\(home)/.s.PGSQL.5432"
        try waitUntilItListens(at: address, program)
        let table = "CREATE TABLE leases (key text PRIMARY KEY, owner text, until timestamptz)"
        let words = [binary("psql")!, "-q", "-h", home, "-U", "bench", "-d", "postgres", "-c", table]
        var isMade = false
        for _ in 0..<100 where !isMade {
            // Until it has started up.
            isMade = try Program(words, uid: user).exitCode(within: 20) == 0
            if !isMade { usleep(100_000) }
        }
        guard isMade else { throw Failure("PostgreSQL makes no table") }
        for helper in children(of: program.pid) { pin(helper, toCore: 0) }
        return try Server("PostgreSQL", language: "postgres", address: address, program, stop: SIGINT)
    }
}

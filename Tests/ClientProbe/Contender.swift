// Tasks that contend for a few keys, and write down when they acted under a lease.

import LeaseClient

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Each line of its file, `held KEYS TOKEN ASKED FROM UNTIL`, says that it acted all that time, and believed
/// to hold the keys. Instants are those of CLOCK_BOOTTIME in nanoseconds.
struct Contender: Sendable {
    let leases: LeaseClient
    let file: Int32

    init(socket: String, path: String) {
        leases = LeaseClient(socket: socket, patience: .seconds(1))
        file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { exit(73) }
    }

    /// Until it is killed.
    func run(tasks: Int) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    while true { await takeTurn() }
                }
            }
        }
    }

    private func takeTurn() async {
        let keys = ["user/a", "user/b", "species/1/image"].shuffled().prefix(Int.random(in: 1...2))
        let asked = now()
        let wait = Swift.Duration.milliseconds(Int.random(in: 0...600))
        do {
            try await leases.withLease(
                on: keys.map { LeaseKey($0) }, ttl: .milliseconds(500), waitingUpTo: wait
            ) { lease in
                let end = now() + Int64.random(in: 0...80) * 1_000_000
                var last = now()
                repeat {
                    try await Task.sleep(for: .microseconds(Int.random(in: 0...4_000)))
                    let instant = now()
                    try lease.checkHeld()
                    note("held \(keys.joined(separator: ",")) \(lease.token) \(asked) \(last) \(instant)\n")
                    last = instant
                } while last < end
            }
        } catch {
            // Busy, lost, or no daemon at the moment: the next turn shows.
            usleep(2_000)
        }
    }

    private func note(_ line: String) {
        let bytes = Array(line.utf8)
        precondition(write(file, bytes, bytes.count) == bytes.count, "the record can't be written")
    }

    private func now() -> Int64 {
        var time = timespec()
        #if canImport(Glibc)
            clock_gettime(CLOCK_BOOTTIME, &time)
        #else
            clock_gettime(CLOCK_MONOTONIC, &time)
        #endif
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

// A program of somebody's that uses the client: for tests that kill it, or run it as another user.

import LeaseClient
import LeaseTesting

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Says a line at once, whatever the output is.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

/// Until it is killed.
func waitForever() async throws {
    try await Task.sleep(for: .seconds(3_600))
}

let words = CommandLine.arguments
do {
    switch words.dropFirst().first {
    case "hold":
        // hold SOCKET KEY
        try await LeaseClient(socket: words[2]).withLease(on: LeaseKey(words[3])) { lease in
            say("\(lease.token)")
            try await waitForever()
        }
    case "release":
        // release SOCKET TOKEN
        try await LeaseClient(socket: words[2]).release(UInt64(words[3]) ?? 0)
        say("released")
    case "contend":
        // contend SOCKET FILE
        await Contender(socket: words[2], path: words[3]).run(tasks: 3)
    case "rig":
        let rig = try await LeaseRig.start(clock: .manual)
        say(rig.socket)
        try await waitForever()
    default:
        say("hold SOCKET KEY, release SOCKET TOKEN, contend SOCKET FILE, or rig")
    }
} catch LeaseError.forbidden(let refusal) {
    say("forbidden \(refusal.code)")
} catch {
    say("\(error)")
}

// A process of a service that generates something slow and dear, under leases.
//
//     generator FOLDER NAME [wait=SECONDS] [priority=N] [once] [refresh] [each] [within=KEY] [throws] [go]
//         KEY…
//
// It asks for all of the keys together, or for each by itself (`each`), and for the result instead of the
// keys (`once`); with `go`, when FOLDER/go is there. What it does stands in FOLDER/record; it works until
// FOLDER/end-NAME or FOLDER/end-all is there.

import Glibc
import LeaseClient

struct Broken: Error {}

struct Service {
    let folder: String
    let name: String
    let flags: Set<String>
    let values: [String: String]
    let keys: [String]
    let leases: LeaseClient

    init(_ words: [String]) {
        folder = words[1]
        name = words[2]
        let rest = words.dropFirst(3)
        keys = rest.filter { $0.contains("/") && !$0.contains("=") }
        flags = Set(rest.filter { !$0.contains("/") && !$0.contains("=") })
        let pairs = rest.filter { $0.contains("=") }.map { $0.split(separator: "=").map(String.init) }
        values = Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
        leases = LeaseClient(owner: name)
    }

    func number(_ name: String) -> Int { values[name].flatMap { Int($0) } ?? 0 }

    func isThere(_ file: String) -> Bool { access("\(folder)/\(file)", F_OK) == 0 }

    /// One write, so that lines of several processes don't mix.
    func record(_ line: String) {
        let file = open("\(folder)/record", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        let bytes = Array((line + "\n").utf8)
        _ = write(file, bytes, bytes.count)
        close(file)
    }

    /// The generation itself: what must not be done twice at once.
    func generate(_ key: String, under lease: Lease) async throws -> String {
        record("begin \(key) \(name)")
        say("working \(key) \(lease.token)")
        while !isThere("end-\(name)"), !isThere("end-all") {
            try await Task.sleep(for: .milliseconds(5))
        }
        record("end \(key) \(name)")
        if flags.contains("throws") { throw Broken() }
        return "\(name)-\(lease.token)"
    }

    /// Where there is a key to work within, it is waited for under the lease that is held already.
    func work(_ key: String, under lease: Lease) async throws -> String {
        guard let outer = values["within"] else { return try await generate(key, under: lease) }
        return try await leases.withLease(on: LeaseKey(outer), waitingUpTo: .seconds(60)) { _ in
            try await generate(key, under: lease)
        }
    }

    func request(_ keys: [String]) async {
        let name = keys.joined(separator: ",")
        do {
            if flags.contains("once") {
                let result = try await leases.once(
                    on: LeaseKey(keys[0]), refreshing: flags.contains("refresh"), waitingUpTo: .seconds(60)
                ) { Array(try await work(name, under: $0).utf8) }
                let text = String(decoding: result.value, as: UTF8.self)
                say("\(result.didWork ? "did" : "got") \(name) \(text)")
            } else {
                let text = try await leases.withLease(
                    on: keys.map { LeaseKey($0) }, waitingUpTo: .seconds(number("wait")),
                    priority: number("priority")
                ) { try await work(name, under: $0) }
                say("did \(name) \(text)")
            }
        } catch LeaseError.busy(let busy) {
            say("busy \(name) \(busy.reason.rawValue) in progress, please wait: \(busy)")
        } catch {
            say("failed \(name) \(error)")
        }
    }

    func run() async {
        // Connected already, so that those who wait for the same word ask at the same time.
        try? await leases.ping()
        say("ready")
        while flags.contains("go"), !isThere("go") { usleep(500) }
        await withTaskGroup(of: Void.self) { group in
            for keys in flags.contains("each") ? keys.map({ [$0] }) : [keys] {
                group.addTask { await request(keys) }
            }
        }
    }
}

/// Says a line at once, whatever the output is.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

await Service(CommandLine.arguments).run()

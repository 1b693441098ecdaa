// Leases without a command: taken, renewed, released, evicted.

import Glibc
import LeaseClient
import LeaseModel
import LeaseWire

enum Leases {
    /// - Returns: the exit code.
    static func acquire(_ call: Invocation) throws(Complaint) -> Int32 {
        let keys = try Words.keys(call.words)
        let request = try Asking.request(call, keys: keys, owner: Asking.parentAsOwner())
        let signals = try Signals(keepsStops: Terminal.isThere)
        var standing = try Standing(SocketSearch(told: call.socket), call, request, for: nil)
        switch try standing.run(signals) {
        case .granted(let lease, let talk):
            let answer = JSON.object([
                ("status", .text("ok")), ("token", .unsigned(lease.token)),
                ("keys", .list(keys.all.map { .text($0.string) })),
                ("ttl_ms", .number(lease.ttl.wholeMilliseconds)),
            ])
            if !Paper.output.takes((call.isJSON ? answer.written : "\(lease.token)") + "\n") {
                // Nobody knows of the lease, so nobody would ever end it.
                _ = try talk.answer(.release(ReleaseRequest(token: lease.token)))
                throw Complaint(.fault, "the token can't be printed, so the lease is given back")
            }
            return ExitCode.done.rawValue
        case .done(let line): throw Complaint(line, .done)
        case .refused(let complaint): throw complaint
        case .interrupted(let signal): return Run.interrupted(signal)
        case .commandEnded(let outcome): return outcome.exitCode
        }
    }

    static func renew(_ call: Invocation) throws(Complaint) {
        let request = RenewRequest(token: try Words.token(call.words[0]), ttl: call.ttl)
        try show(call, try Talk(call).ask(.renew(request)).first) { line in
            "lease \(line.shown("token") ?? "") is good for \(People.time(line.count("ttl")))"
        }
    }

    static func release(_ call: Invocation) throws(Complaint) {
        let token = try Words.token(call.words[0])
        try show(call, try Talk(call).ask(.release(ReleaseRequest(token: token))).first, held)
    }

    static func evict(_ call: Invocation) throws(Complaint) {
        let token = try Words.token(call.words[0])
        let note = try Words.text(call.note, "--note", mayBeEmpty: true)
        try show(call, try Talk(call).ask(.evict(token, note: note)).first, held)
    }

    private static func held(_ line: ReplyLine) -> String {
        "lease \(line.shown("token") ?? "") was held for \(People.time(line.count("held")))"
    }

    private static func show(
        _ call: Invocation, _ line: ReplyLine, _ sentence: (ReplyLine) -> String
    ) throws(Complaint) {
        Paper.output.line(call.isJSON ? ReplyJSON.object(line, .ok).written : sentence(line))
    }
}

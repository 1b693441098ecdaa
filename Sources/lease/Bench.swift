// `lease bench`: drives the daemon, and shows what it does in a second and how long its answers take.

import Glibc
import LeaseClient
import LeaseIO
import LeaseModel
import LeaseWire

enum Bench {
    /// - Returns: the exit code.
    static func run(_ call: Invocation) throws(Complaint) -> Int32 {
        var plan = call.bench
        plan.ttl = call.ttl ?? plan.ttl
        try plan.check()
        let stem = try plan.stem(pid: getpid())
        let search = SocketSearch(told: call.socket)
        try ask(plan, stem, search)
        let signals = try Signals(keepsStops: false)
        guard let poller = try? Poller() else { throw .system("epoll can't be had") }
        var load = BenchLoad(plan, stem: stem, search, poller)
        try load.connect()
        let outcome = try load.run(signals)
        if call.isJSON {
            Paper.output.line(BenchReport.json(plan, outcome).written)
        } else {
            Paper.output.write(BenchReport.text(plan, outcome, on: Paper.output))
        }
        return outcome.signal.map(Run.interrupted) ?? ExitCode.done.rawValue
    }

    /// Takes one lease and gives it back, as every loop will: so what the policy refuses is said before the
    /// load begins.
    private static func ask(
        _ plan: BenchPlan, _ stem: String, _ search: SocketSearch
    ) throws(Complaint) {
        let talk = try Talk(search, until: BootClock.now() + Talk.patience)
        let keys = try Words.keys([stem + "0"])
        let answer = try talk.answer(.acquire(AcquireRequest(keys: keys, ttl: plan.ttl)))
        if answer.first.code == .unknownKind || answer.first.code == .wrongParts {
            throw Complaint(
                .usage,
                "the policy has no kind \(plan.kind) with one part behind it; add \"kind \(plan.kind) id\" "
                    + "to it, or name one that it has, as in lease bench --kind=user",
                reply: ReplyJSON.object(answer.first, answer.status))
        }
        guard answer.status == .ok, let token = answer.first.number("token") else {
            throw Complaint(answer.first, answer.status)
        }
        _ = try talk.ask(.release(ReleaseRequest(token: token)))
    }
}

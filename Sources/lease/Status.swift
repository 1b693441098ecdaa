// How the daemon does, at a glance.

import LeaseClient
import LeaseModel
import LeaseWire

enum Status {
    static func show(_ call: Invocation) throws(Complaint) {
        let before = BootClock.now()
        let talk = try Talk(call)
        let me = try talk.ask(.whoami).first
        let took = before.until(BootClock.now()).nanoseconds / 1_000
        // Only administrators are told the time.
        let clock = try talk.answer(.clock(advance: nil))
        let counts = try talk.ask(.stats).first
        let leases = counts.count("leases")
        let waiting = counts.count("waiting")
        let isAdministrator = me.value("admin").map { $0.elementsEqual("yes".utf8) } ?? false
        let clockName = clock.status == .ok ? clock.first.shown("clock") : nil
        guard !call.isJSON else {
            let clockFields = clock.status == .ok ? ReplyJSON.fields(of: clock.first) : []
            let fields: [(name: String, value: JSON)] = [
                ("status", .text("ok")), ("socket", .text(talk.search.path ?? "")),
                ("took_us", .number(took)), ("leases", .number(leases)),
                ("waiting", .number(waiting)), ("administrator", .bool(isAdministrator)),
                ("uid", .unsigned(me.number("uid") ?? 0)),
            ]
            return Paper.output.line(JSON.object(fields + clockFields).written)
        }
        let paper = Paper.output
        let role = isAdministrator ? ", an administrator" : ""
        paper.line("\(paper.coloured("up", .green)) at \(talk.search.path ?? ""), answers in \(took)us")
        paper.line("\(People.count(leases, "lease")), \(People.count(waiting, "request")) waiting")
        paper.line("you are uid \(me.shown("uid") ?? "?")\(role)")
        if clockName == "manual" {
            paper.line("the clock is moved by hand, and at \(People.time(clock.first.count("now")))")
        }
    }
}

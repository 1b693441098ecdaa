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
        let leases = try count(talk, waiting: false)
        let waiting = try count(talk, waiting: true)
        let isAdministrator = me.value("admin").map { $0.elementsEqual("yes".utf8) } ?? false
        let clockName = clock.status == .ok ? clock.first.shown("clock") : nil
        guard !call.isJSON else {
            let clockFields = clock.status == .ok ? ReplyJSON.fields(of: clock.first) : []
            let fields: [(name: String, value: JSON)] = [
                ("status", .text("ok")), ("socket", .text(talk.search.path ?? "")),
                ("took_us", .number(took)), ("leases", .number(leases.count)),
                ("leases_more", .bool(leases.isCut)), ("waiting", .number(waiting.count)),
                ("waiting_more", .bool(waiting.isCut)), ("administrator", .bool(isAdministrator)),
                ("uid", .unsigned(me.number("uid") ?? 0)),
            ]
            return Paper.output.line(JSON.object(fields + clockFields).written)
        }
        let paper = Paper.output
        let role = isAdministrator ? ", an administrator" : ""
        paper.line("\(paper.coloured("up", .green)) at \(talk.search.path ?? ""), answers in \(took)us")
        paper.line("\(leases.text("lease", "leases")), \(waiting.text("request", "requests")) waiting")
        paper.line("you are uid \(me.shown("uid") ?? "?")\(role)")
        if clockName == "manual" {
            paper.line("the clock is moved by hand, and at \(People.time(clock.first.count("now")))")
        }
    }

    private struct Count {
        let count: Int64
        /// There are more than could be counted.
        let isCut: Bool

        func text(_ noun: String, _ plural: String) -> String {
            isCut ? "over \(People.count(count, noun, plural))" : People.count(count, noun, plural)
        }
    }

    private static func count(_ talk: Talk, waiting: Bool) throws(Complaint) -> Count {
        let answer = try talk.ask(.list(ListRequest(waiting: waiting, limit: Limits.listLimitMax)))
        return Count(count: Int64(answer.texts.count), isCut: answer.first.value("more") != nil)
    }
}

// Refusals as sentences: each says who has the key, since when, and what there is to hope for.

import LeaseModel
import LeaseWire

enum Refusal {
    /// As in `tab-A (pid 3312, uid 1000) for 2m04s, 7m56s left`; nil where the line tells of no holder.
    static func holder(_ line: ReplyLine) -> String? {
        guard let owner = line.shown("owner") else { return nil }
        var text = owner
        if let pid = line.number("pid"), let uid = line.number("uid") { text += " (pid \(pid), uid \(uid))" }
        if let age = line.milliseconds("age") { text += " for \(People.time(age))" }
        if let left = line.milliseconds("left") { text += ", \(People.time(left)) left" }
        return text
    }

    /// Of `BUSY`, without the program's name and the full stop.
    static func sentence(_ line: ReplyLine) -> String {
        let key = line.shown("key") ?? "the key"
        let why = line.value("why").map { String(decoding: $0, as: UTF8.self) } ?? ""
        let waiting = line.count("waiting")
        let place = "you'd be \(People.ordinal(waiting + 1)) in line"
        let holder = holder(line)
        let isShared = line.value("shared") != nil
        let held = holder.map { "\(isShared ? "held shared" : "held") by \($0)" }
        let because = held.map { "; it is \($0)" } ?? ""
        switch why {
        case "held":
            return held.map { "\(key) is \($0); \(place)" } ?? "\(key) is held; \(place)"
        case "limit":
            let slots = "\(key) is held \(line.count("limit")) times, which is its limit"
            return holder.map { "\(slots); the first to end is \($0); \(place)" } ?? "\(slots); \(place)"
        case "queued":
            let ahead = line.shown("ahead").map { "\($0) and others" } ?? "others"
            let first = waiting == 1 ? line.shown("ahead") ?? "somebody" : ahead
            return
                "\(key) has room, but \(first) came before and \(waiting == 1 ? "waits" : "wait")\(because); "
                + place
        case "queue-full": return "the line for \(key) is full: \(waiting) wait\(because)"
        case "resting": return "\(key) rests\(again(line)), since a holder of it was lost"
        case "rate": return "\(key) was granted as often as its rate allows\(again(line))"
        case "timeout": return "\(waited(line)) for \(key) was not enough\(because)"
        case "cancelled": return "the wait for \(key) was withdrawn"
        case "dropped": return "the line for \(key) is full, and this wait was pushed out of it\(because)"
        case "superseded": return "another request with the same ID has taken this one's place for \(key)"
        case "draining": return "the daemon is stopping, and grants nothing any more\(because)"
        default: return "\(key) is not granted (\(Printed.shown(Array(why.utf8))))\(because)"
        }
    }

    private static func waited(_ line: ReplyLine) -> String {
        line.milliseconds("waited").map { "waiting \(People.time($0))" } ?? "the wait"
    }

    private static func again(_ line: ReplyLine) -> String {
        line.milliseconds("retry").map { " for another \(People.time($0))" } ?? ""
    }

    /// Of `GONE`.
    static func ended(_ line: ReplyLine) -> String {
        let lease = "lease \(line.shown("token") ?? "?")"
        let ago = line.milliseconds("ago").map { " \(People.time($0)) ago" } ?? ""
        let next = line.shown("next").map { ", and lease \($0) has a key of it now or had it since" } ?? ""
        let how =
            switch line.value("why").map({ String(decoding: $0, as: UTF8.self) }) {
            case "released": "was released\(ago)"
            case "expired": "ran out\(ago)"
            case "evicted": "was evicted\(ago)"
            case "process-ended": "ended\(ago) with its process"
            case "disconnected": "ended\(ago) with its connection"
            case "unknown": "was never granted, or ended long ago"
            case let other?: "has ended (\(Printed.shown(Array(other.utf8))))\(ago)"
            case nil: "has ended\(ago)"
            }
        return "\(lease) \(how)\(next)"
    }
}

extension Complaint {
    /// Any reply that is not what was asked for. `conflictCode` stands in for that of `BUSY`.
    init(_ line: ReplyLine, _ status: ReplyStatus, conflictCode: Int32? = nil) {
        let reply = ReplyJSON.object(line, status)
        switch status {
        case .busy:
            self.init(
                code: conflictCode ?? ExitCode.busy.rawValue, Refusal.sentence(line), reply: reply)
        case .gone: self.init(.lost, Refusal.ended(line), reply: reply)
        case .err:
            let sentence = String(decoding: line.message, as: UTF8.self)
            self.init(Complaint.code(line.code), sentence, reply: reply)
        case .ok, .done: self.init(.fault, "the daemon gave an answer that was not asked for", reply: reply)
        }
    }

    private static func code(_ code: ErrorCode?) -> ExitCode {
        switch code {
        case .forbidden: .forbidden
        case .tooManyConnections, .tooManyLeases, .tooManyWaiters, .noSpace, .stopping, .compactionStopped,
            .withdrawn:
            .busy
        case .storage, .requestDiffers, .tagInUse, .noSuchTag, nil: .fault
        default: .usage
        }
    }
}

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

    /// Of `BUSY`, without the program's name and the full stop. `wait` is how long it was to stand in line,
    /// and `prospect` what would come of it where it was not to.
    static func sentence(_ line: ReplyLine, wait: Duration? = nil, prospect: Prospect? = nil) -> String {
        let key = line.shown("key") ?? "the key"
        let why = line.value("why").map { String(decoding: $0, as: UTF8.self) } ?? ""
        let waiting = line.count("waiting")
        let place = (prospect ?? Prospect(waiting: waiting)).sentence
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
        case "queue-full":
            if waiting == 0 { return "nobody may wait for \(key)\(because)" }
            return "the line for \(key) is full: \(waiting) wait\(because)"
        case "resting": return "\(key) rests\(again(line)), since a holder of it was lost"
        case "rate": return "\(key) was granted as often as its rate allows\(again(line))"
        case "timeout":
            let waited = wait.map { "waiting \(People.typed($0))" } ?? "the wait"
            return "\(waited) for \(key) was not enough\(because)"
        case "cancelled": return "the wait for \(key) was withdrawn"
        case "dropped": return "the line for \(key) is full, and this wait was pushed out of it\(because)"
        case "superseded": return "another request with the same ID has taken this one's place for \(key)"
        case "draining":
            return "the daemon is stopping or was told to drain, and grants nothing any more\(because)"
        default: return "\(key) is not granted (\(Printed.shown(Array(why.utf8))))\(because)"
        }
    }

    private static func again(_ line: ReplyLine) -> String {
        line.milliseconds("retry").map { " for another \(People.time($0))" } ?? ""
    }

    /// Of `ERR`: what is wrong, as the daemon says it, and what to write instead, in our words.
    static func error(_ line: ReplyLine) -> String {
        let said = String(decoding: line.message, as: UTF8.self)
        guard let advice = advice(line, said) else { return said }
        // Only `lease once` joins.
        let problem = said.hasPrefix("join ") ? "lease once \(said.dropFirst(5))" : said
        return "\(problem.prefix { $0 != ";" }); \(advice)"
    }

    /// nil: the daemon's own will do.
    private static func advice(_ line: ReplyLine, _ said: String) -> String? {
        func longest(_ flag: String) -> String? {
            line.milliseconds("max").map { "write \(flag) \(People.typed(.milliseconds($0))) or less" }
        }
        switch line.code {
        case .waitTooLong: return longest("-w")
        case .ttlTooLong: return longest("-t")
        case .priorityTooHigh: return line.shown("max").map { "write --priority=\($0) or less" }
        case .notYet: return line.shown("newest").map { "write --since=\($0) or less" }
        case .tooOld: return "leave --since out to see what there is"
        case .cannotJoin: return "use lease run there"
        // Else it is the name that was probably meant.
        case .unknownKind: return said.hasSuffix("?") ? nil : "lease policy shows those there are"
        default: return nil
        }
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
    /// Any reply that is not what was asked for.
    init(_ line: ReplyLine, _ status: ReplyStatus) {
        let reply = ReplyJSON.object(line, status)
        switch status {
        case .busy: self.init(busy: line, Refusal.sentence(line))
        case .gone: self.init(.lost, Refusal.ended(line), reply: reply)
        case .err: self.init(Complaint.code(line.code), Refusal.error(line), reply: reply)
        case .ok, .done: self.init(.fault, "the daemon gave an answer that was not asked for", reply: reply)
        }
    }

    /// Of `BUSY`. `code` stands in for the usual one.
    init(busy line: ReplyLine, _ sentence: String, code: Int32? = nil) {
        self.init(
            code: code ?? ExitCode.busy.rawValue, sentence, reply: ReplyJSON.object(line, .busy))
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

// The replies of several lines: `OK lines=N …`, and then N lines that begin with two spaces.

import LeaseModel

enum ListWriter {
    static func append(_ view: KeyView, to output: inout [UInt8]) {
        var body = Body()
        for lease in view.holders {
            body.addLine { appendHolder(lease, to: &$0) }
        }
        for waiter in view.waiters {
            body.addLine { line in
                line.append("waiter position=", number: waiter.position)
                appendWaiter(waiter, keys: waiter.keys.count > 1 ? waiter.keys : nil, to: &line)
            }
        }
        for rest in view.rests {
            body.addLine { line in
                line.append("resting token=", number: rest.token)
                line.append(" left=", rest.left)
            }
        }
        if let kept = view.kept {
            body.addLine { appendKept(kept, to: &$0) }
        }
        body.appendFirstLine(hasMore: view.hasMore, to: &output) { first in
            let rules = view.rules
            first.append(" key=", view.key)
            first.append(" holders=", number: view.holderCount)
            first.append(" waiting=", number: view.waiterCount)
            if view.restCount > 0 { first.append(" resting=", number: view.restCount) }
            first.append(" limit=", number: rules.limit)
            let usual = rules.defaultTTL ?? Limits.defaultTTL
            first.append(" default-ttl=", min(usual, rules.maxTTL ?? usual))
            if let longest = rules.maxTTL { first.append(" max-ttl=", longest) }
            if let longest = rules.maxHold { first.append(" max-hold=", longest) }
            if let longest = rules.maxWait { first.append(" max-wait=", longest) }
            if let highest = rules.maxPriority { first.append(" max-priority=", number: highest) }
            if let queue = rules.queue { first.append(" queue=", number: queue) }
            if rules.overflow != .refuse { first.append(" overflow=drop-oldest") }
            if let rate = rules.rate {
                first.append(" rate=", number: rate.grants)
                first.append("/", rate.window)
            }
            // Rounded up, like that of a refusal.
            if let nextGrant = view.nextGrant { first.append(" retry=", roundedUp: nextGrant) }
            if let keep = rules.keep { first.append(" keep=", keep) }
            if let delay = rules.lockDelay { first.append(" lock-delay=", delay) }
        }
    }

    static func append(_ leases: [LeaseView], hasMore: Bool, to output: inout [UInt8]) {
        var body = Body()
        for lease in leases {
            body.addLine { line in
                line.append("token=", number: lease.grant.token)
                line.append(" key=", lease.grant.keys)
                appendLife(lease, to: &line)
                if let note = lease.grant.note, !lease.isVeiled { line.append(" note=", note) }
            }
        }
        body.appendFirstLine(hasMore: hasMore, to: &output)
    }

    static func append(_ waiters: [WaiterView], hasMore: Bool, to output: inout [UInt8]) {
        var body = Body()
        for waiter in waiters {
            body.addLine { line in
                line.append("key=", waiter.keys)
                appendWaiter(waiter, keys: nil, to: &line)
            }
        }
        body.appendFirstLine(hasMore: hasMore, to: &output)
    }

    /// The newest are what was asked for: where all would be too much, the oldest are left out.
    static func append(_ events: [Event], now: Instant, hasMore: Bool, to output: inout [UInt8]) {
        var lines: [[UInt8]] = []
        var size = 0
        for event in events.reversed() {
            var line: [UInt8] = []
            line.append("seq=", number: event.sequence)
            line.append(" ago=", event.at.until(now))
            line.append(ASCII.space)
            EventWriter.appendWhat(event, to: &line)
            size += line.count + Body.extraBytes
            guard size <= Body.bytesMax else { break }
            lines.append(line)
        }
        var body = Body()
        for line in lines.reversed() {
            body.addLine { $0 += line }
        }
        body.appendFirstLine(hasMore: hasMore || lines.count < events.count, to: &output)
    }

    static func append(_ origins: [Policy.Origin], of key: Key, to output: inout [UInt8]) {
        var body = Body()
        for origin in origins {
            body.addLine { line in
                appendRule(origin.rule, to: &line)
                if origin.line == 0 {
                    line.append(" from=default")
                } else {
                    line.append(" from-line=", number: origin.line)
                }
            }
        }
        body.appendFirstLine(hasMore: false, to: &output) { $0.append(" key=", key) }
    }

    /// The policy as it stands in its file: `  3: kind user id`.
    static func append(_ lines: [Policy.Line], to output: inout [UInt8]) {
        var body = Body()
        for policyLine in lines {
            body.addLine { line in
                line.append(number: policyLine.number)
                line.append(": ")
                Shown.append(policyLine.text.span, keepsSpaces: true, to: &line)
            }
        }
        body.appendFirstLine(hasMore: false, to: &output)
    }

    static func appendHelp(_ verb: Verb?, to output: inout [UInt8]) {
        var body = Body()
        for text in verb.map(explanation) ?? VerbTable.entries.map({ "\($0.usage) - \($0.summary)" }) {
            body.addLine { $0.append(contentsOf: text.utf8) }
        }
        body.appendFirstLine(hasMore: false, to: &output)
    }

    private static func explanation(of verb: Verb) -> [String] {
        let entry = VerbTable.entry(verb)
        var lines = [entry.usage, entry.summary]
        if let argument = entry.argument {
            lines.append(padded(argument.argument.placeholder) + argument.explanation)
        }
        lines += entry.words.map { padded($0.name.form + $0.value) + $0.explanation }
        lines.append(padded("for example") + entry.example)
        return lines
    }

    private static func padded(_ word: String) -> String {
        word + String(repeating: " ", count: max(1, 14 - word.utf8.count))
    }

    private static func appendHolder(_ lease: LeaseView, to line: inout [UInt8]) {
        let grant = lease.grant
        line.append("holder token=", number: grant.token)
        appendLife(lease, to: &line)
        if grant.keys.count > 1 { line.append(" key=", grant.keys) }
        if let note = grant.note, !lease.isVeiled { line.append(" note=", note) }
    }

    private static func appendKept(_ view: KeptView, to line: inout [UInt8]) {
        let kept = view.kept
        line.append("kept token=", number: kept.token)
        ReplyWriter.appendPerson(
            view.isVeiled ? nil : kept.owner, pid: kept.pid, uid: kept.uid, to: &line)
        line.append(" age=", view.age)
        line.append(" left=", view.left)
        if kept.keys.count > 1 { line.append(" key=", kept.keys) }
        if !view.isVeiled { line.append(" result=", kept.value) }
    }

    static func appendLife(_ lease: LeaseView, to line: inout [UInt8]) {
        let grant = lease.grant
        ReplyWriter.appendPerson(
            lease.isVeiled ? nil : grant.owner, pid: grant.pid, uid: grant.uid, to: &line)
        line.append(" age=", lease.age)
        line.append(" left=", lease.left)
        line.append(" ttl=", grant.ttl)
        ReplyWriter.appendBindings(grant, to: &line)
    }

    private static func appendWaiter(_ waiter: WaiterView, keys: Keys?, to line: inout [UInt8]) {
        ReplyWriter.appendPerson(waiter.owner, pid: waiter.pid, uid: waiter.uid, to: &line)
        line.append(" waited=", waiter.waited)
        if let left = waiter.left { line.append(" left=", left) }
        line.append(" priority=", number: waiter.priority)
        if waiter.isShared { line.append(" shared=yes") }
        if waiter.joins { line.append(" join=yes") }
        if let keys { line.append(" key=", keys) }
    }

    private static func appendRule(_ rule: Policy.Rule, to line: inout [UInt8]) {
        switch rule {
        case .limit(let limit): line.append("limit=", number: limit)
        case .ttl(let ttl): line.append("ttl=", ttl)
        case .maxTTL(let longest): line.append("max-ttl=", longest)
        case .maxHold(let longest): line.append("max-hold=", longest)
        case .maxWait(let longest): line.append("max-wait=", longest)
        case .maxPriority(let highest): line.append("max-priority=", number: highest)
        case .queue(let queue): line.append("queue=", number: queue)
        case .overflow(.refuse): line.append("overflow=refuse")
        case .overflow(.dropOldest): line.append("overflow=drop-oldest")
        case .rate(let rate):
            line.append("rate=", number: rate.grants)
            line.append("/", rate.window)
        case .keep(let keep): line.append("keep=", keep)
        case .lockDelay(let delay): line.append("lock-delay=", delay)
        }
    }
}

// From a request to its line: the reverse of the reader, for clients.

package import LeaseModel

package enum RequestWriter {
    /// Appends the request's line with its LF. The tag comes without its `#`; an empty one means none. What
    /// the request holds is in its printed form already, so nothing in it can end the line or begin a word.
    /// Durations are written in whole milliseconds, rounded up.
    package static func append(_ request: Request, tag: Span<UInt8>, to output: inout [UInt8]) {
        ReplyWriter.appendTag(tag, to: &output)
        switch request {
        case .acquire(let asked): appendAcquire(asked, to: &output)
        case .renew(let asked):
            output.append("renew ", number: asked.token)
            appendLife(asked.ttl, asked.isEphemeral, asked.whilePID, to: &output)
        case .release(let asked):
            output.append("release ", number: asked.token)
            if let result = asked.result { output.append(" result=", result) }
            if let keep = asked.keep { appendRoundedUp(" keep=", keep, to: &output) }
        case .cancel(let tag):
            output.append("cancel ")
            output.append(tag.span)
        case .get(let key, let limit):
            output.append("get ", key)
            output.append(" limit=", number: limit)
        case .check(let token): output.append("check ", number: token)
        case .list(let asked): appendList(asked, to: &output)
        case .watch(let prefixes, let since):
            output.append("watch")
            for prefix in prefixes { append(prefix, to: &output) }
            if let since { output.append(" since=", number: since) }
        case .unwatch: output.append("unwatch")
        case .history(let prefix, let last):
            output.append("history")
            append(prefix, to: &output)
            output.append(" last=", number: last)
        case .forget(let key): output.append("forget ", key)
        case .stats: output.append("stats")
        case .policy(let key):
            output.append("policy")
            if let key { output.append(" ", key) }
        case .whoami: output.append("whoami")
        case .ping: output.append("ping")
        case .help(let verb):
            output.append("help ")
            output.append(contentsOf: (verb?.rawValue ?? "").utf8)
        case .quit: output.append("quit")
        case .evict(let token, let note):
            output.append("evict ", number: token)
            if let note { output.append(" note=", note) }
        case .compact: output.append("compact")
        case .reload: output.append("reload")
        case .drain: output.append("drain")
        case .clock(let advance):
            output.append("clock")
            if let advance { appendRoundedUp(" advance=", advance, to: &output) }
        }
        output.append(ASCII.lineFeed)
    }

    private static func appendAcquire(_ asked: AcquireRequest, to output: inout [UInt8]) {
        output.append("acquire ", asked.keys.first)
        for key in asked.keys.others {
            output.append(" ", key)
        }
        if let owner = asked.owner { output.append(" owner=", owner) }
        if asked.wait == .forever {
            output.append(" wait=forever")
        } else if asked.wait > .zero {
            appendRoundedUp(" wait=", asked.wait, to: &output)
        }
        if asked.priority > 0 { output.append(" priority=", number: asked.priority) }
        if asked.isShared { output.append(" shared") }
        if asked.joins { output.append(" join") }
        if asked.notifies { output.append(" notify") }
        appendLife(asked.ttl, asked.isEphemeral, asked.whilePID, to: &output)
        if let request = asked.request { output.append(" request=", request) }
        if let note = asked.note { output.append(" note=", note) }
    }

    private static func appendLife(
        _ ttl: Duration?, _ isEphemeral: Bool, _ whilePID: Int32?, to output: inout [UInt8]
    ) {
        if let ttl { appendRoundedUp(" ttl=", ttl, to: &output) }
        if isEphemeral { output.append(" ephemeral") }
        if let whilePID { output.append(" while=", number: whilePID) }
    }

    private static func appendList(_ asked: ListRequest, to output: inout [UInt8]) {
        output.append("list")
        append(asked.prefix, to: &output)
        if asked.waiting { output.append(" waiting") }
        output.append(" limit=", number: asked.limit)
        if asked.after > 0 { output.append(" after=", number: asked.after) }
    }

    private static func append(_ prefix: KeyPrefix, to output: inout [UInt8]) {
        guard prefix != .all else { return }
        output.append(" ")
        output.append(prefix.bytes.span)
        // A kind alone is a prefix only with its slash.
        output.append(ASCII.slash)
    }

    private static func appendRoundedUp(
        _ name: StaticString, _ duration: Duration, to output: inout [UInt8]
    ) {
        output.append(name)
        output.append(number: duration.wholeMillisecondsRoundedUp)
        output.append("ms")
    }
}

// From a reply to its line, or to its first line and those that follow it.

package import LeaseModel

package enum ReplyWriter {
    /// Appends all lines of the reply, each with its LF. The tag stands before the first line, and comes
    /// without its `#`; an empty one means that the request had none.
    package static func append(_ reply: Reply, tag: Span<UInt8>, to output: inout [UInt8]) {
        switch reply {
        case .granted(let token, let span, _, _), .renewed(let token, let span, _),
            .released(let token, let span, _):
            // (A local function, since it is inlined where a closure is called.)
            @inline(__always)
            func write(_ line: inout ShortLine) {
                line.append(tag: tag)
                line.append("OK token=", number: token)
                if case .released = reply { line.append(" held=") } else { line.append(" ttl=") }
                line.append(span)
                appendRest(of: reply, to: &line)
                line.append(ASCII.lineFeed)
            }
            ShortLine.append(to: &output, write)
        default:
            appendTag(tag, to: &output)
            appendRarer(reply, to: &output)
            output.append(ASCII.lineFeed)
        }
    }

    /// What only some of the replies say that are short lines.
    @inline(__always)
    private static func appendRest(of reply: Reply, to line: inout ShortLine) {
        switch reply {
        case .granted(_, _, let waited, let again):
            if let waited { line.append(" waited=", waited) }
            if again { line.append(" again=yes") }
        case .renewed(_, _, let isFinal):
            if isFinal { line.append(" final=yes") }
        case .released(_, _, let kept):
            if let kept { line.append(" kept=", kept) }
        default: preconditionFailure("these are no short lines")
        }
    }

    /// What not nearly every request gets, without the line's tag and end.
    private static func appendRarer(_ reply: Reply, to output: inout [UInt8]) {
        switch reply {
        case .granted, .renewed, .released: preconditionFailure("these are short lines")
        case .done(let done): appendDone(done, to: &output)
        case .forgotten(let token, let age):
            output.append("OK token=", number: token)
            output.append(" age=", age)
        case .busy(let busy): appendBusy(busy, to: &output)
        case .gone(let gone): appendGone(gone, to: &output)
        case .ok: output.append("OK")
        case .checked(let lease): appendChecked(lease, to: &output)
        case .key(let view): ListWriter.append(view, to: &output)
        case .leases(let leases, let hasMore): ListWriter.append(leases, hasMore: hasMore, to: &output)
        case .waiters(let waiters, let hasMore): ListWriter.append(waiters, hasMore: hasMore, to: &output)
        case .watching(let sequence, let leases):
            output.append("OK seq=", number: sequence)
            if let leases { output.append(" leases=", number: leases) }
        case .history(let events, let now, let hasMore):
            ListWriter.append(events, now: now, hasMore: hasMore, to: &output)
        case .rules(let key, let origins): ListWriter.append(origins, of: key, to: &output)
        case .policy(let lines): ListWriter.append(lines, to: &output)
        case .help(let verb): ListWriter.appendHelp(verb, to: &output)
        case .whoami(let peer): appendPeer(peer, to: &output)
        case .statistics(let view): StatisticsWriter.append(view, to: &output)
        case .clock(let now, let isManual):
            output.append("OK now=", number: now.nanoseconds / 1_000_000)
            output.append(isManual ? "ms clock=manual" : "ms clock=system")
        case .compacted(let before, let after):
            output.append("OK bytes-before=", number: before)
            output.append(" bytes-after=", number: after)
        case .refused(let refusal): RefusalWriter.append(refusal, to: &output)
        }
    }

    /// What an `ERR` for this would say.
    package static func code(of refusal: Refusal) -> ErrorCode {
        RefusalWriter.code(of: refusal)
    }

    static func appendTag(_ tag: Span<UInt8>, to output: inout [UInt8]) {
        guard tag.count > 0 else { return }
        output.append(ASCII.hash)
        output.append(tag)
        output.append(ASCII.space)
    }

    private static func appendBusy(_ busy: Busy, to output: inout [UInt8]) {
        output.append("BUSY key=", busy.key)
        output.append(" why=")
        output.append(busy.reason.word)
        if let ahead = busy.ahead { output.append(" ahead=", ahead) }
        if let retry = busy.retry { output.append(" retry=", roundedUp: retry) }
        if let holder = busy.holder {
            output.append(" token=", number: holder.token)
            appendPerson(holder.owner, pid: holder.pid, uid: holder.uid, to: &output)
            output.append(" age=", holder.age)
            output.append(" left=", holder.left)
            if holder.isShared { output.append(" shared=yes") }
        }
        output.append(" limit=", number: busy.limit)
        output.append(" waiting=", number: busy.waiting)
        if let waited = busy.waited { output.append(" waited=", waited) }
    }

    private static func appendDone(_ done: Done, to output: inout [UInt8]) {
        output.append("DONE token=", number: done.token)
        output.append(" result=", done.result)
        if let waited = done.waited { output.append(" waited=", waited) }
        if let age = done.age { output.append(" age=", age) }
    }

    private static func appendGone(_ gone: Gone, to output: inout [UInt8]) {
        output.append("GONE token=", number: gone.token)
        output.append(" why=")
        guard let reason = gone.reason else {
            output.append("unknown")
            return
        }
        output.append(reason.word)
        output.append(" ago=", gone.ago)
        if gone.next != 0 { output.append(" next=", number: gone.next) }
    }

    static func appendPerson(_ owner: Text?, pid: Int32, uid: UInt32, to output: inout [UInt8]) {
        if let owner { output.append(" owner=", owner) }
        output.append(" pid=", number: pid)
        output.append(" uid=", number: uid)
    }

    private static func appendPeer(_ peer: Peer, to output: inout [UInt8]) {
        output.append("OK uid=", number: peer.uid)
        output.append(" pid=", number: peer.pid)
        output.append(" owner=", peer.defaultOwner)
        output.append(peer.isAdministrator ? " admin=yes" : " admin=no")
    }

    private static func appendChecked(_ lease: LeaseView, to output: inout [UInt8]) {
        let grant = lease.grant
        output.append("OK token=", number: grant.token)
        output.append(" ttl=", lease.left)
        output.append(" key=", grant.keys)
        appendPerson(lease.isVeiled ? nil : grant.owner, pid: grant.pid, uid: grant.uid, to: &output)
        output.append(" age=", lease.age)
        appendBindings(grant, to: &output)
        if let note = grant.note, !lease.isVeiled { output.append(" note=", note) }
    }

    static func appendBindings(_ grant: Grant, to output: inout [UInt8]) {
        if grant.isShared { output.append(" shared=yes") }
        if grant.isEphemeral { output.append(" ephemeral=yes") }
        if let process = grant.process { output.append(" while=", number: process.pid) }
    }
}

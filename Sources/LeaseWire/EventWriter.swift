// The lines that begin with `* `: what those who watch, and those who asked to be notified, are told.

package import LeaseModel

package enum EventWriter {
    /// Appends a line without its tag, behind the tag of the one who gets it.
    package static func append(_ line: [UInt8], tag: Span<UInt8>, to output: inout [UInt8]) {
        ReplyWriter.appendTag(tag, to: &output)
        output += line
    }

    /// Appends an event to those who watch, without a tag, and with its LF.
    package static func append(_ event: Event, to output: inout [UInt8]) {
        output.append("* seq=", number: event.sequence)
        output.append(ASCII.space)
        appendWhat(event, to: &output)
        output.append(ASCII.lineFeed)
    }

    /// A lease that there was when the watch began.
    package static func appendHeld(
        _ lease: LeaseView, sequence: Sequence64, tag: Span<UInt8>, to output: inout [UInt8]
    ) {
        begin(tag, to: &output)
        output.append("seq=", number: sequence)
        output.append(" held key=", lease.grant.keys)
        output.append(" token=", number: lease.grant.token)
        ListWriter.appendLife(lease, to: &output)
        if let note = lease.grant.note { output.append(" note=", note) }
        output.append(ASCII.lineFeed)
    }

    /// What a connection is told of its own request or lease.
    package static func append(_ notice: Notice, tag: Span<UInt8>, to output: inout [UInt8]) {
        begin(tag, to: &output)
        switch notice {
        case .queued(let keys, let position):
            output.append("queued key=", keys)
            output.append(" position=", number: position)
        case .expiring(let token, let left):
            output.append("expiring token=", number: token)
            output.append(" left=", left)
        case .lost(let token, let reason):
            output.append("lost token=", number: token)
            output.append(" why=")
            output.append(reason.word)
        }
        output.append(ASCII.lineFeed)
    }

    /// The last word to a watcher that does not keep up: all up to this number it has been told.
    package static func appendCut(_ sequence: Sequence64, tag: Span<UInt8>, to output: inout [UInt8]) {
        begin(tag, to: &output)
        output.append("cut seq=", number: sequence)
        output.append(" why=slow")
        output.append(ASCII.lineFeed)
    }

    private static func begin(_ tag: Span<UInt8>, to output: inout [UInt8]) {
        ReplyWriter.appendTag(tag, to: &output)
        output.append("* ")
    }

    /// What happened and to whom, as in `granted key=user/42 token=18 …`.
    static func appendWhat(_ event: Event, to output: inout [UInt8]) {
        switch event.what {
        case .granted(let ttl, _):
            appendLease("granted", event, to: &output)
            output.append(" ttl=", ttl)
            appendBindings(event, to: &output)
        case .renewed(let ttl, _, _):
            appendLease("renewed", event, to: &output)
            output.append(" ttl=", ttl)
            appendBindings(event, to: &output)
        case .ended(let reason, let held):
            appendLease(reason.word, event, to: &output)
            output.append(" held=", held)
            if let note = event.note { output.append(" note=", note) }
        case .kept(let span):
            appendLease("kept", event, to: &output)
            output.append(" for=", span)
        case .forgotten(let reason):
            appendLease("forgotten", event, to: &output)
            output.append(" why=")
            output.append(reason.word)
        case .queued(let position, let priority):
            appendPlace("queued", event, to: &output)
            output.append(" position=", number: position)
            output.append(" priority=", number: priority)
            if event.isShared { output.append(" shared=yes") }
        case .left(let reason, let waited):
            appendPlace("left", event, to: &output)
            output.append(" why=")
            output.append(reason.word)
            output.append(" waited=", waited)
        }
    }

    private static func appendLease(_ word: StaticString, _ event: Event, to output: inout [UInt8]) {
        output.append(word)
        output.append(" key=", event.keys)
        output.append(" token=", number: event.token)
        ReplyWriter.appendPerson(event.owner, pid: event.pid, uid: event.uid, to: &output)
    }

    private static func appendPlace(_ word: StaticString, _ event: Event, to output: inout [UInt8]) {
        output.append(word)
        output.append(" key=", event.keys)
        ReplyWriter.appendPerson(event.owner, pid: event.pid, uid: event.uid, to: &output)
    }

    private static func appendBindings(_ event: Event, to output: inout [UInt8]) {
        if event.isShared { output.append(" shared=yes") }
        if event.isEphemeral { output.append(" ephemeral=yes") }
        if let pid = event.whilePID { output.append(" while=", number: pid) }
        if let note = event.note { output.append(" note=", note) }
    }
}

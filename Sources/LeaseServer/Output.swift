// What goes out: appended in order, held back until the log has what it speaks of, and sent as the peer
// reads.

package import LeaseCore
package import LeaseModel
internal import LeaseWire

extension Server {
    /// The line for a peer that gets no connection: an answer that counts like any other.
    package mutating func turnAway(_ refusal: Refusal) -> [UInt8] {
        counting.add(ReplyWriter.code(of: refusal))
        var line: [UInt8] = []
        let noTag: [UInt8] = []
        ReplyWriter.append(.refused(refusal), tag: noTag.span, to: &line)
        return line
    }

    mutating func reply(_ index: Int, _ tag: Span<UInt8>, _ reply: Reply, speaksOfLog: Bool = true) {
        guard !connections[index].isGone else { return }
        let mayWait = speaksOfLog && reply.maySpeakOfLog
        let before = connections[index].unsentCount
        let unsent = connections[index].append(speaksOfLog: mayWait, &spareOutputs) {
            ReplyWriter.append(reply, tag: tag, to: &$0)
        }
        let written = unsent - before
        if written >= Server.bytesPerWork { workLeft -= written / Server.bytesPerWork }
        noteAppended(index, unsent)
        switch reply {
        case .granted(let token, _, _, again: false):
            connections[index].unsentGrants.append(
                UnsentGrant(token: token, end: connections[index].appended))
        case .granted(let token, _, _, again: true): noteGrantAgain(index, token)
        case .busy, .refused: noteRefusal(reply)
        default: break
        }
    }

    @inline(never)
    private mutating func noteRefusal(_ reply: Reply) {
        if case .refused(let refusal) = reply { workLeft -= work(refusal) }
        count(reply)
    }

    /// What a refusal costs: to find what was probably meant takes longer than to do it.
    private func work(_ refusal: Refusal) -> Int {
        guard case .unknownKey(_, .kind) = refusal else { return 4 }
        return 4 + counting.policy.kinds.count / 8
    }

    /// Appends lines that are no reply.
    mutating func append(_ index: Int, _ write: (inout [UInt8]) -> Void) {
        guard !connections[index].isGone else { return }
        noteAppended(index, connections[index].append(speaksOfLog: true, &spareOutputs, write))
    }

    @inline(__always)
    private mutating func noteAppended(_ index: Int, _ unsent: Int) {
        if unsent > Server.uncountedBytes { countUnread(index) }
        if connections[index].isDirty { return }
        connections[index].isDirty = true
        dirty.append(connections[index].id)
    }

    @inline(never)
    private mutating func noteGrantAgain(_ index: Int, _ token: Token) {
        if !connections[index].unsentGrants.all.contains(where: { $0.token == token }) {
            machine.noteToldAgain(token)
        }
        if let keys = machine.keys(of: token) { counting.addRetry(of: keys) }
    }

    /// Replies so far may go when all changes up to now are logged, those that speak of none at once.
    private mutating func gateReplies() {
        let sequence = machine.sequence
        let isLogged = !options.hasLog || sequence <= log.acknowledged
        while let id = dirty.popFirst() {
            guard let index = index(id) else { continue }
            let mayGo = isLogged || !connections[index].speaksOfLog
            connections[index].isDirty = false
            connections[index].speaksOfLog = false
            if mayGo, connections[index].gates.isEmpty {
                connections[index].released = connections[index].appended
                sendable.append(id)
            } else {
                if connections[index].gates.isEmpty { gated.append(id) }
                connections[index].gates.append(
                    Gate(sequence: sequence, end: connections[index].appended))
            }
        }
    }

    mutating func releaseGates() {
        for _ in 0..<gated.count {
            guard let id = gated.popFirst(), let index = index(id) else { continue }
            if connections[index].openGates(upTo: log.acknowledged) { sendable.append(id) }
            // Those that stay keep their order.
            if !connections[index].gates.isEmpty { gated.append(id) }
        }
    }

    /// The next connection that has something to send; nil: there is none. One may come more than once. To be
    /// asked when the batch of the pass is written: what is logged by then need not wait at a gate.
    package mutating func nextSendable() -> ConnectionID? {
        if !dirty.isEmpty { gateReplies() }
        return sendable.popFirst()
    }

    /// Takes what may be sent to a connection; nil: nothing. What becomes of it is to be told by `sent`,
    /// before anything else happens.
    package mutating func takeSendable(
        _ id: ConnectionID, into departures: inout Departures
    ) -> Departure? {
        guard let index = index(id), !connections[index].isGone, !connections[index].isDeparting
        else { return nil }
        let (start, count) = (connections[index].outputStart, connections[index].sendableCount)
        guard count > 0 else { return nil }
        connections[index].isDeparting = true
        return connections[index].output.withUnsafeBytes { bytes in
            departures.add(id, UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)]))
        }
    }

    /// So much was sent of what was taken; nil: the connection turned out to be gone.
    package mutating func sent(_ departure: Departure, _ count: Int?) -> SendResult {
        guard let index = index(departure.id), connections[index].isDeparting else { return .nothing }
        connections[index].isDeparting = false
        guard !connections[index].isGone else { return .nothing }
        guard let count else { return .gone }
        noteSent(index, count)
        guard count == departure.bytes.count else { return .some }
        if connections[index].sendableCount > 0 { sendable.append(departure.id) }
        return .all
    }

    /// Shows the bytes that may be sent to a connection.
    /// - Returns: what the body returns: how many were taken, or nil if the connection turned out to be gone.
    package mutating func send(
        _ id: ConnectionID, _ body: (UnsafeRawBufferPointer) -> Int?
    ) -> SendResult {
        guard let index = index(id), !connections[index].isGone else { return .nothing }
        let count = connections[index].sendableCount
        guard count > 0 else { return .nothing }
        let start = connections[index].outputStart
        let taken = connections[index].output.withUnsafeBytes { bytes in
            body(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)]))
        }
        guard let taken else { return .gone }
        noteSent(index, taken)
        return taken == count ? .all : .some
    }

    private mutating func noteSent(_ index: Int, _ count: Int) {
        connections[index].sent += UInt64(count)
        connections[index].outputStart += count
        connections[index].forgetGrants(upTo: connections[index].sent)
        let (start, end) = (connections[index].outputStart, connections[index].output.count)
        if start == end {
            // A short one goes on behind what was sent: to empty it each time costs more than a reply.
            if end > Server.sentBytesKept {
                spareOutputs.take(from: &connections[index].output)
                connections[index].outputStart = 0
            }
        } else if start > end / 2 {
            connections[index].output.removeFirst(start)
            connections[index].outputStart = 0
        }
        if connections[index].countedUnread > 0 { countUnread(index) }
        if connections[index].isReadingPaused || !connections[index].input.isEmpty {
            makeReady(index)
        }
        if connections[index].hasInputEnded || connections[index].isClosing {
            closing.append(connections[index].id)
        }
    }

    private static var sentBytesKept: Int { 512 }

    /// The log could not be kept: every reply that speaks of it becomes an error, and so does every wait.
    package mutating func storageFailed(_ reason: String) {
        gateReplies()
        for index in 0..<connections.count where connections[index].id != 0 && !connections[index].isGone {
            failReplies(index, reason)
        }
        for pending in pendings + others.map(\.pending) {
            guard let index = index(pending.connection), !connections[index].isGone else { continue }
            ReplyWriter.append(
                .refused(.storage(reason)), tag: pending.tag.span, to: &connections[index].output)
        }
        for index in 0..<connections.count where connections[index].id != 0 { releaseAll(index) }
    }

    private mutating func failReplies(_ index: Int, _ reason: String) {
        let kept = connections[index].outputStart + connections[index].sendableCount
        let held = Array(connections[index].output[kept...])
        connections[index].output.removeSubrange(kept...)
        connections[index].unsentGrants.removeAll()
        connections[index].gates.removeAll()
        ReplyWriter.appendStorageFailure(reason, replacing: held.span, to: &connections[index].output)
    }

    private mutating func releaseAll(_ index: Int) {
        let unsent = connections[index].output.count - connections[index].outputStart
        connections[index].appended = connections[index].sent + UInt64(unsent)
        connections[index].released = connections[index].appended
        if unsent > 0 { sendable.append(connections[index].id) }
    }
}

package enum SendResult {
    case nothing
    case all
    /// The kernel takes no more now.
    case some
    case gone
}

extension Reply {
    /// Whether it tells of a state that may not be logged yet. A disk that is slow or full is no reason to
    /// keep back the others.
    fileprivate var maySpeakOfLog: Bool {
        switch self {
        case .policy, .rules, .whoami, .help: false
        case .refused(let refusal): refusal.maySpeakOfLog
        default: true
        }
    }
}

extension Refusal {
    fileprivate var maySpeakOfLog: Bool {
        switch self {
        case .lineTooLong, .lineNotEnded, .badTag, .noVerb, .controlCharacter, .unknownVerb, .unknownWord,
            .unknownOption, .givenTwice, .missing, .tooManyKeys, .tooManyPrefixes, .badKey, .badToken,
            .badValue, .unknownKey, .administratorsOnly, .noSpace:
            false
        default: true
        }
    }
}

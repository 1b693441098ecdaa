// Connections come, send, stop sending, and go.

package import LeaseCore
package import LeaseModel

extension Server {
    /// A new connection, or why it can't be: then the peer is told so and let go.
    package mutating func open(_ peer: Peer) throws(Refusal) -> ConnectionID {
        if connectionCount >= limits.connectionsMax {
            throw .tooManyConnections(max: limits.connectionsMax, flag: "--connections-max")
        }
        if connectionsOfUser[peer.uid, default: 0] >= limits.connectionsPerUserMax {
            throw .tooManyConnections(max: limits.connectionsPerUserMax, flag: "--connections-per-user-max")
        }
        let index = vacant.popLast() ?? connections.count
        generation = generation % UInt64(UInt32.max) + 1
        let id = generation << 32 | UInt64(index)
        var connection = Connection(caller: Caller(connection: id, peer: peer))
        connection.id = id
        if index == connections.count {
            connections.append(connection)
        } else {
            connections[index] = connection
        }
        connectionCount += 1
        counting.connectionsOpened += 1
        connectionsOfUser[peer.uid, default: 0] += 1
        return id
    }

    /// The place of a connection; nil if it is gone: news of it may come late.
    func index(_ id: ConnectionID) -> Int? {
        let index = Int(truncatingIfNeeded: id & 0xFFFF_FFFF)
        guard index < connections.count, connections[index].id == id else { return nil }
        return index
    }

    /// Connections that are gone altogether: nobody reads what they are sent. The waiters of all of them go
    /// before anything is granted to anybody; then the grants that they were not told of are taken back.
    package mutating func hungUp(_ ids: [ConnectionID]) {
        let gone = ids.compactMap { index($0) }.filter { !connections[$0].isGone }
        guard !gone.isEmpty else { return }
        for index in gone {
            connections[index].isGone = true
            // (A list holds up what is behind it, which asks for something all the same.)
            if connections[index].isBlocked, !connections[index].isListing {
                connections[index].dropsInput = true
                connections[index].input.removeAll()
            }
        }
        machine.dropWaiters(of: gone.map { connections[$0].id }, into: &effects)
        settle()
        forgetOthers(of: gone)
        for index in gone {
            let unsent = connections[index].unsentGrants.all
            connections[index].unsentGrants.removeAll()
            for grant in unsent {
                machine.takeBack(grant.token, into: &effects)
                settle()
            }
        }
    }

    /// All that a connection that is gone had still sent has been handed over: it is carried out (but for
    /// acquires, and for renewals that wait for a look at a process), and what was bound to the connection
    /// ends.
    package mutating func finishGone(_ id: ConnectionID) {
        guard let index = index(id) else { return }
        lookAtInput(index)
        guard self.index(id) != nil else { return }
        remove(index)
    }

    private mutating func remove(_ index: Int) {
        let id = connections[index].id
        let uid = connections[index].caller.peer.uid
        endWatch(index)
        machine.endBoundLeases(of: id, into: &effects)
        settle()
        countUnread(index, 0)
        connections[index] = .vacant
        vacant.append(index)
        connectionCount -= 1
        let left = connectionsOfUser[uid, default: 1] - 1
        connectionsOfUser[uid] = left == 0 ? nil : left
        halfClosed.remove(id)
        directives.append(.close(id))
    }

    /// The peer sends nothing more; it still reads.
    package mutating func inputEnded(_ id: ConnectionID) {
        guard let index = index(id), !connections[index].hasInputEnded else { return }
        connections[index].hasInputEnded = true
        halfClosed.insert(id)
        closing.append(id)
        makeReady(index)
    }

    /// Closes connections that have nothing to wait for: all is answered and sent, and no lease is bound to
    /// them.
    package mutating func closeWhatIsDone() {
        guard !closing.isEmpty else { return }
        let candidates = closing
        closing.removeAll(keepingCapacity: true)
        for id in candidates {
            guard halfClosed.contains(id), let index = index(id), !connections[index].isGone,
                connections[index].isDrained, !connections[index].isParked,
                connections[index].caller.waitingCount == 0
            else { continue }
            let hasMore = !connections[index].input.isEmpty && !connections[index].isClosing
            let isHeldOpen = machine.hasBoundLeases(id) || connections[index].watch != nil
            if !hasMore, connections[index].isClosing || !isHeldOpen {
                remove(index)
            }
        }
    }

    // Input.

    /// What comes next is decided as of this instant, which is no earlier than its bytes were sent: a lease
    /// does not begin before it is asked for. (What is due by then ends with the next pass.)
    package mutating func tick(to now: Instant) {
        machine.tick(to: now)
    }

    func canLook(_ index: Int) -> Bool {
        // Nobody is kept waiting by what a connection that is gone had sent, nor reads what it is answered.
        if connections[index].isGone { return !connections[index].dropsInput }
        return connections[index].hindrances.isEmpty
            && connections[index].unsentCount < limits.outputBytesMax && !isHeldByUnread(index)
    }

    mutating func makeReady(_ index: Int) {
        guard !connections[index].isInReadyQueue else { return }
        connections[index].isInReadyQueue = true
        ready.append(connections[index].id)
    }

    /// Looks at what has come to stand free. What this frees in turn is looked at as well. What is more than
    /// one pass may cost comes with the next, each connection in its turn.
    mutating func serveReady() {
        while workLeft > 0, let id = ready.popFirst() {
            guard let index = index(id) else { continue }
            connections[index].isInReadyQueue = false
            lookAtInput(index)
        }
    }

    private mutating func lookAtInput(_ index: Int) {
        let id = connections[index].id
        guard canLook(index) else {
            holdIfUnread(index)
            return
        }
        var input: [UInt8] = []
        swap(&input, &connections[index].input)
        let used = consume(index, input)
        guard connections[index].id == id, !connections[index].isClosing else { return }
        if used < input.count {
            input.removeFirst(used)
            connections[index].input = input
            holdIfUnread(index)
        }
        // (There may be more to look at, which has its turn.)
        if canLook(index), !connections[index].isInReadyQueue {
            resumeReading(index)
            endInput(index)
            if connections[index].hasInputEnded { closing.append(id) }
        }
    }

    /// All that came is looked at, and nothing more comes: a last line without its end is not carried out.
    private mutating func endInput(_ index: Int) {
        guard connections[index].hasInputEnded, !connections[index].input.isEmpty else { return }
        let rest = connections[index].input
        connections[index].input.removeAll()
        let isBlank = !rest.contains { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }
        guard !isBlank else { return }
        refuse(index, rest.span, .lineNotEnded)
    }

    mutating func pauseIfHeld(_ index: Int) {
        holdIfUnread(index)
        let holdsTooMuch =
            connections[index].input.count >= limits.heldInputBytesMax
            || connections[index].unsentCount >= limits.outputBytesMax
        if holdsTooMuch, !connections[index].isReadingPaused {
            connections[index].isReadingPaused = true
            directives.append(.pauseReading(connections[index].id))
        }
    }

    mutating func resumeReading(_ index: Int) {
        guard connections[index].isReadingPaused, connections[index].input.count < limits.heldInputBytesMax
        else { return }
        connections[index].isReadingPaused = false
        directives.append(.resumeReading(connections[index].id))
    }
}

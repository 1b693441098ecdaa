// Requests whose reply comes later, and how it finds its way back.

internal import LeaseCore
internal import LeaseModel

extension Server {
    /// Remembers who is to get the reply of a request in line.
    mutating func wait(_ waiter: WaiterID, _ index: Int, _ tag: Span<UInt8>) {
        let place = waiter.place
        while pendings.count <= place {
            pendings.append(Pending())
            waiterIDs.append(waiter)
        }
        var pending = hold(index, tag)
        pending.number = waiter.number
        // A retry has taken this place over; the one that had it is answered next.
        if pendings[place].number != 0 {
            tags.remove(place, pendings[place])
            superseded.append((waiterIDs[place], pendings[place]))
        }
        tags.insert(place, pending)
        pendings[place] = pending
        waiterIDs[place] = waiter
    }

    mutating func waitFor(_ kind: OtherPending.Kind, _ index: Int, _ tag: Span<UInt8>) {
        if !tag.isEmpty { connections[index].waitingTaggedOthers += 1 }
        others.append(OtherPending(kind: kind, pending: hold(index, tag)))
    }

    private mutating func hold(_ index: Int, _ tag: Span<UInt8>) -> Pending {
        connections[index].caller.waitingCount += 1
        if tag.isEmpty {
            connections[index].isBlocked = true
        } else {
            connections[index].waitingTagged += 1
        }
        return Pending(number: 0, connection: connections[index].id, tag: tag.copied())
    }

    /// The request waits no more: what it held up may go on.
    /// - Returns: its connection's place, if that is still there.
    mutating func release(_ pending: Pending) -> Int? {
        guard let index = index(pending.connection), !connections[index].isGone else { return nil }
        connections[index].caller.waitingCount -= 1
        if connections[index].hasInputEnded { closing.append(pending.connection) }
        if pending.tag.isEmpty {
            connections[index].isBlocked = false
            makeReady(index)
        } else {
            connections[index].waitingTagged -= 1
            // Only those in line have a number.
            if pending.number == 0 { connections[index].waitingTaggedOthers -= 1 }
        }
        return index
    }

    /// Gives the reply of a request in line to its connection.
    mutating func deliver(_ answer: Answer) {
        let pending: Pending
        if let old = superseded.firstIndex(where: { $0.waiter == answer.waiter }) {
            pending = superseded.remove(at: old).pending
        } else {
            let place = answer.waiter.place
            guard place < pendings.count, pendings[place].number == answer.waiter.number else { return }
            pending = pendings[place]
            pendings[place] = Pending()
            tags.remove(place, pending)
        }
        guard let index = release(pending) else { return }
        let tag = pending.tag
        reply(index, tag.span, answer.reply)
    }

    /// Those that wait for such a thing, in the order in which they came; they wait no more.
    mutating func takeOthers(where waitsForIt: (OtherPending.Kind) -> Bool) -> [OtherPending] {
        let found = others.filter { waitsForIt($0.kind) }
        others.removeAll { waitsForIt($0.kind) }
        return found
    }

    mutating func finish(_ other: OtherPending, with reply: Reply) {
        guard let index = release(other.pending) else { return }
        if case .list = other.kind {
            connections[index].isListing = false
            connections[index].isBlocked = false
            makeReady(index)
        }
        self.reply(index, other.pending.tag.span, reply)
    }

    /// A request in line has left it without an answer, since its connection is gone.
    mutating func forgetPending(of waiter: WaiterID) {
        let place = waiter.place
        guard place < pendings.count, pendings[place].number == waiter.number else { return }
        tags.remove(place, pendings[place])
        pendings[place] = Pending()
    }

    /// Nobody is to be told of anything any more, of any of these connections: they may be very many, and so
    /// may be what waits.
    mutating func forgetOthers(of gone: [Int]) {
        let waiting = gone.filter { connections[$0].caller.waitingCount > 0 }
        guard !waiting.isEmpty else { return }
        let ids = Set(waiting.map { connections[$0].id })
        others.removeAll { other in
            if case .advance = other.kind { return false }
            return ids.contains(other.pending.connection)
        }
        for index in waiting {
            connections[index].caller.waitingCount = 0
            connections[index].waitingTagged = 0
            connections[index].waitingTaggedOthers = 0
            connections[index].isBlocked = false
            connections[index].isListing = false
        }
    }
}

// `list` goes on pass by pass, where there is more to be looked at than one pass may.

internal import LeaseCore
internal import LeaseModel

extension Server {
    mutating func list(_ request: ListRequest, _ index: Int, _ tag: Span<UInt8>) {
        lastTicket += 1
        let (ticket, peer) = (lastTicket, connections[index].caller.peer)
        // Who stops goes through few passes more.
        if isStopping { looksLeft = .max }
        // Where others wait for theirs, they come first.
        if machine.listCount == 0 {
            machine.beginList(ticket, request, for: peer)
            if let found = machine.continueList(ticket, looks: &looksLeft) {
                reply(index, tag, found)
                return yield(index)
            }
        }
        waitFor(.list(ticket: ticket, request, peer), index, tag)
        // It is no request that waits, so what is behind it is answered behind it, be it tagged or not.
        connections[index].isBlocked = true
        connections[index].isListing = true
    }

    /// One after the other, in the order in which they came. Only the first has begun: each lease that comes
    /// or goes is held against a list under way, however many wait for theirs.
    mutating func continueLists() {
        guard machine.listCount > 0 else { return }
        while let (place, ticket) = beginFirstList() {
            guard let found = machine.continueList(ticket, looks: &looksLeft) else { return }
            let other = others.remove(at: place)
            if let index = index(other.pending.connection) { yield(index) }
            finish(other, with: found)
        }
    }

    /// The one before it may be that of a connection which is gone.
    private mutating func beginFirstList() -> (place: Int, ticket: UInt64)? {
        for place in others.indices {
            guard case .list(let ticket, let request, let peer) = others[place].kind else { continue }
            if !machine.hasList(ticket) {
                machine.dropLists()
                machine.beginList(ticket, request, for: peer)
            }
            return (place, ticket)
        }
        machine.dropLists()
        return nil
    }
}

// `list` goes on pass by pass, where there is more to be looked at than one pass may.

internal import LeaseCore
internal import LeaseModel

extension Server {
    mutating func list(_ request: ListRequest, _ index: Int, _ tag: Span<UInt8>) {
        lastTicket += 1
        let ticket = lastTicket
        // Who stops goes through few passes more.
        if isStopping { looksLeft = .max }
        machine.beginList(ticket, request, for: connections[index].caller.peer)
        if let found = machine.continueList(ticket, looks: &looksLeft) {
            reply(index, tag, found)
            yield(index)
        } else {
            waitFor(.list(ticket: ticket), index, tag)
            // It is no request that waits, so what is behind it is answered behind it, be it tagged or not.
            connections[index].isBlocked = true
        }
    }

    /// One after the other, in the order in which they came.
    mutating func continueLists() {
        guard machine.listCount > 0 else { return }
        while looksLeft > 0, let (place, ticket) = firstList {
            guard let found = machine.continueList(ticket, looks: &looksLeft) else { break }
            let other = others.remove(at: place)
            if let index = index(other.pending.connection) { yield(index) }
            finish(other, with: found)
        }
        // Of connections that are gone.
        let wanted = others.compactMap { if case .list(let ticket) = $0.kind { ticket } else { nil } }
        if wanted.count < machine.listCount { machine.dropLists(except: wanted) }
    }

    /// Whether a list of this connection is under way.
    func isListing(_ id: ConnectionID) -> Bool {
        machine.listCount > 0
            && others.contains { other in
                guard case .list = other.kind else { return false }
                return other.pending.connection == id
            }
    }

    private var firstList: (place: Int, ticket: UInt64)? {
        for (place, other) in others.enumerated() {
            if case .list(let ticket) = other.kind { return (place, ticket) }
        }
        return nil
    }
}

// What a watcher is shown of the leases before it is told what happens to them.

package import LeaseModel

/// How far a watcher's picture has come. It shows the leases of its beginning in the order of their tokens,
/// as fast as the watcher reads; one that is about to change before its turn is shown first, so that what
/// is told afterwards fits.
struct Picture {
    let watcher: ConnectionID
    let peer: Peer
    /// Empty: all leases.
    let prefixes: [KeyPrefix]
    /// Later leases are not part of it.
    let lastToken: Token
    /// The next to be shown, or `.none`.
    var next: Slot
    /// Leases that were shown before their turn and are still there.
    var early: Set<Token> = []
}

extension Machine {
    /// Begins to show the leases below these prefixes as they are now.
    /// - Returns: how many there are.
    package mutating func beginPicture(for caller: Caller, of prefixes: [KeyPrefix]) -> Int {
        endPicture(for: caller.connection)
        let picture = Picture(
            watcher: caller.connection, peer: caller.peer, prefixes: prefixes, lastToken: ledger.lastToken,
            next: ledger.oldest)
        pictures.append(picture)
        guard isPrivate && !caller.peer.isAdministrator || !prefixes.isEmpty else { return leaseCount }
        var count = 0
        var slot = ledger.oldest
        while slot != .none {
            if isPart(slot, of: picture) { count += 1 }
            slot = ledger.leases[slot].next
        }
        return count
    }

    package mutating func endPicture(for watcher: ConnectionID) {
        pictures.removeAll { $0.watcher == watcher }
    }

    /// Shows up to so many leases more, and looks at no more of them than `looks`, which becomes less.
    /// - Returns: whether all have been shown; the picture has ended then.
    package mutating func drawPicture(
        for watcher: ConnectionID, leases count: Int, looks: inout Int, into views: inout [LeaseView]
    ) -> Bool {
        guard let place = pictures.firstIndex(where: { $0.watcher == watcher }) else { return true }
        while looks > 0, views.count < count {
            looks -= 1
            let slot = pictures[place].next
            guard slot != .none, ledger.leases[slot].token <= pictures[place].lastToken else {
                pictures.remove(at: place)
                return true
            }
            pictures[place].next = ledger.leases[slot].next
            if isPart(slot, of: pictures[place]),
                pictures[place].early.remove(ledger.leases[slot].token) == nil
            {
                views.append(leaseView(slot, for: nil))
            }
        }
        return false
    }

    private func isPart(_ slot: Slot, of picture: Picture) -> Bool {
        mayLook(picture.peer, at: ledger.leases[slot].uid)
            && (picture.prefixes.isEmpty || picture.prefixes.contains { isBelow($0, slot) })
    }

    /// A lease is about to change: it is shown to those who have not seen it as it was.
    mutating func show(_ slot: Slot, isEnding: Bool, into effects: inout Effects) {
        let token = ledger.leases[slot].token
        for place in pictures.indices {
            let next = pictures[place].next
            guard next != .none, token <= pictures[place].lastToken, token >= ledger.leases[next].token
            else { continue }
            if isPart(slot, of: pictures[place]), !pictures[place].early.contains(token) {
                effects.show(leaseView(slot, for: nil), to: pictures[place].watcher)
                pictures[place].early.insert(token)
            }
            if isEnding {
                pictures[place].early.remove(token)
                if next == slot { pictures[place].next = ledger.leases[slot].next }
            }
        }
    }
}

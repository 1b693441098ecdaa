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

/// The pictures that are being shown, found by their watcher and by the keys that they are of: where very
/// many are shown slowly, a lease that changes is no work for those that it is no part of.
struct Pictures {
    /// Vacant places are nil.
    private var places: [Picture?] = []
    private var vacant: [Int] = []
    private var ofWatcher: [ConnectionID: Int] = [:]
    private var index: WatchIndex

    init(seed: UInt64) {
        index = WatchIndex(seed: seed)
    }

    var isEmpty: Bool { ofWatcher.isEmpty }

    func place(of watcher: ConnectionID) -> Int? { ofWatcher[watcher] }

    /// There must be one.
    subscript(place: Int) -> Picture {
        get { places[place]! }
        _modify { yield &places[place]! }
    }

    mutating func insert(_ picture: Picture) {
        let place = vacant.popLast() ?? places.count
        if place == places.count { places.append(picture) } else { places[place] = picture }
        ofWatcher[picture.watcher] = place
        index.insert(place, picture.prefixes)
    }

    mutating func remove(of watcher: ConnectionID) {
        guard let place = ofWatcher.removeValue(forKey: watcher) else { return }
        index.remove(place, places[place]!.prefixes)
        places[place] = nil
        vacant.append(place)
    }

    /// Adds the places of those that are of everything.
    func collect(into places: inout [Int]) {
        index.collect(into: &places)
    }

    /// Adds the places of those that this key may be part of.
    func collect(_ key: Span<UInt8>, into places: inout [Int]) {
        index.collect(key, into: &places)
    }
}

extension Machine {
    /// Begins to show the leases below these prefixes as they are now.
    /// - Returns: how many there are.
    package mutating func beginPicture(for caller: Caller, of prefixes: [KeyPrefix]) -> Int {
        endPicture(for: caller.connection)
        let picture = Picture(
            watcher: caller.connection, peer: caller.peer, prefixes: prefixes, lastToken: ledger.lastToken,
            next: ledger.oldest)
        pictures.insert(picture)
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
        pictures.remove(of: watcher)
    }

    /// Shows up to so many leases more, and looks at no more of them than `looks`, which becomes less.
    /// - Returns: whether all have been shown; the picture has ended then.
    package mutating func drawPicture(
        for watcher: ConnectionID, leases count: Int, looks: inout Int, into views: inout [LeaseView]
    ) -> Bool {
        guard let place = pictures.place(of: watcher) else { return true }
        while looks > 0, views.count < count {
            looks -= 1
            let slot = pictures[place].next
            guard slot != .none, ledger.leases[slot].token <= pictures[place].lastToken else {
                pictures.remove(of: watcher)
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

    /// The places of the pictures that the lease may be part of, in their order.
    private func picturesOf(_ slot: Slot) -> [Int] {
        var places: [Int] = []
        pictures.collect(into: &places)
        for index in 0..<ledger.leases[slot].keyCount {
            let key = ledger.leases[slot].keySlot(index)
            pictures.collect(ledger.keys[key].name.bytes.span, into: &places)
        }
        WatchIndex.putInOrder(&places)
        return places
    }

    /// A lease is about to change: it is shown to those who have not seen it as it was.
    mutating func show(_ slot: Slot, isEnding: Bool, into effects: inout Effects) {
        let token = ledger.leases[slot].token
        for place in picturesOf(slot) {
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

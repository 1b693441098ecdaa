// What ends with a connection or a process: leases that are bound to it, and requests in line.

package import LeaseModel

/// What depends on a process being alive.
struct ProcessBonds {
    var leases: Set<Token> = []
    var waiters: Set<WaiterID> = []
    var isEmpty: Bool { leases.isEmpty && waiters.isEmpty }
}

extension Machine {
    mutating func bind(connection: ConnectionID, to slot: Slot, into effects: inout Effects) {
        let token = ledger.leases[slot].token
        if let former = ledger.leases[slot].details?.connection {
            unbind(former, from: token, into: &effects)
        }
        ledger.leases[slot].details?.connection = connection
        boundLeases[connection, default: []].insert(token)
    }

    mutating func unbind(
        _ connection: ConnectionID, from token: Token, into effects: inout Effects
    ) {
        boundLeases[connection]?.remove(token)
        if boundLeases[connection]?.isEmpty == true {
            boundLeases[connection] = nil
            if !hasBoundLeases(connection) { effects.unbind(connection) }
        }
    }

    /// Whether a lease ends with the connection, or it is told of one.
    package func hasBoundLeases(_ connection: ConnectionID) -> Bool {
        boundLeases[connection] != nil || subscriptions[connection] != nil
    }

    /// Connections are gone: their waiters go first, all of them before anything is granted to anybody.
    package mutating func dropWaiters(of connections: [ConnectionID], into effects: inout Effects) {
        var entrants: [WaiterID] = []
        for slot in waitersInOrder(of: connections) {
            effects.drop(waiters.id(slot))
            leave(slot, .disconnected, entrants: &entrants, into: &effects)
        }
        promote(entrants, into: &effects)
    }

    /// The connection withdraws all its waiting requests: each is told so, in the order of the line, before
    /// anything is granted.
    package mutating func cancelAll(of connection: ConnectionID, into effects: inout Effects) {
        var entrants: [WaiterID] = []
        for slot in waitersInOrder(of: [connection]) {
            let reply = Reply.busy(farewell(slot, .cancelled))
            dismiss(slot, reply, .cancelled, entrants: &entrants, into: &effects)
        }
        promote(entrants, into: &effects)
    }

    private func waitersInOrder(of connections: [ConnectionID]) -> [Slot] {
        var slots: [Slot] = []
        for connection in connections {
            var next = waiters.firstOfConnection[connection] ?? .none
            while next != .none {
                slots.append(next)
                next = waiters.slab[next].next
            }
        }
        return slots.sorted { waiters.slab[$0].order < waiters.slab[$1].order }
    }

    /// The connection is gone, and what it had sent is carried out: its ephemeral leases end.
    package mutating func endBoundLeases(of connection: ConnectionID, into effects: inout Effects) {
        unsubscribeAll(connection)
        guard let tokens = boundLeases.removeValue(forKey: connection) else { return }
        for token in tokens.sorted() {
            let slot = ledger.leaseSlot(token)
            if slot != .none { endLease(slot, .disconnected, into: &effects) }
        }
    }

    mutating func bind(_ process: ProcessIdentity, to token: Token, into effects: inout Effects) {
        if processes[process] == nil { effects.watch(process) }
        processes[process, default: ProcessBonds()].leases.insert(token)
    }

    mutating func bind(_ process: ProcessIdentity, to waiter: WaiterID, into effects: inout Effects) {
        if processes[process] == nil { effects.watch(process) }
        processes[process, default: ProcessBonds()].waiters.insert(waiter)
    }

    mutating func unbind(_ process: ProcessIdentity, from token: Token, into effects: inout Effects) {
        processes[process]?.leases.remove(token)
        unwatchIfUnused(process, into: &effects)
    }

    mutating func unbind(_ process: ProcessIdentity, from waiter: WaiterID, into effects: inout Effects) {
        processes[process]?.waiters.remove(waiter)
        unwatchIfUnused(process, into: &effects)
    }

    private mutating func unwatchIfUnused(_ process: ProcessIdentity, into effects: inout Effects) {
        guard processes[process]?.isEmpty == true else { return }
        processes[process] = nil
        effects.unwatch(process)
    }

    /// A process has ended: requests in line that name it first, so that none of them is granted for it.
    package mutating func processEnded(_ process: ProcessIdentity, into effects: inout Effects) {
        guard let bonds = processes[process] else { return }
        var entrants: [WaiterID] = []
        let inOrder = bonds.waiters.sorted { waiters.slab[$0.slot].order < waiters.slab[$1.slot].order }
        for id in inOrder {
            let reply = Reply.refused(.noProcess(process.pid))
            dismiss(id.slot, reply, .processEnded, entrants: &entrants, into: &effects)
        }
        promote(entrants, into: &effects)
        for token in bonds.leases.sorted() {
            let slot = ledger.leaseSlot(token)
            if slot != .none { endLease(slot, .processEnded, into: &effects) }
        }
    }
}

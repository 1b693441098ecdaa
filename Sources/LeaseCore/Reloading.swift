// Another policy takes the place of the one in force, while the service goes on.

package import LeaseModel

extension Machine {
    /// Leases stay, also where their kind is gone; who waits for such a key is told so. Whatever else the new
    /// rules say holds from now on, and who can be granted by them is.
    package mutating func reload(_ policy: Policy, into effects: inout Effects) {
        let knowsAll = ledger.take(policy)
        refreshWindows()
        var entrants: [WaiterID] = []
        if !knowsAll { refuseWhoWaitsForUnknownKeys(entrants: &entrants, into: &effects) }
        for key in 0..<Slot(ledger.keys.slotCount) {
            refreshFrontIfWaitedFor(key, entrants: &entrants)
        }
        promote(entrants, into: &effects)
    }

    private mutating func refuseWhoWaitsForUnknownKeys(
        entrants: inout [WaiterID], into effects: inout Effects
    ) {
        let inOrder = (0..<waiters.count).map { waiters.id(waiters.trees.item(waiters.everybody, at: $0)) }
        for id in inOrder {
            guard let refusal = refusalOfWaiter(id.slot) else { continue }
            dismiss(id.slot, .refused(refusal), .unknownKind, entrants: &entrants, into: &effects)
        }
    }

    private func refusalOfWaiter(_ slot: Slot) -> Refusal? {
        for key in waiters.slab[slot].keySlots where !ledger.keys[key].isKnown {
            let name = ledger.keys[key].name
            do throws(UnknownKey) {
                _ = try ledger.policy.rules(for: name)
            } catch {
                return .unknownKey(name, error)
            }
        }
        return nil
    }
}

extension Ledger {
    /// Every key gets the rules that the policy has for it; one that it does not know the plain ones.
    /// - Returns: whether it knows all of them.
    fileprivate mutating func take(_ policy: Policy) -> Bool {
        self.policy = policy
        forgetRules()
        var knowsAll = true
        for slot in 0..<Slot(keys.slotCount) where !keys[slot].name.bytes.isEmpty {
            let rules = rulesOrPlain(keys[slot].name)
            setRules(of: slot, to: rules.found)
            keys[slot].isKnown = rules.isKnown
            keys[slot].kind = kind(of: keys[slot].name)
            knowsAll = knowsAll && rules.isKnown
        }
        return knowsAll
    }
}

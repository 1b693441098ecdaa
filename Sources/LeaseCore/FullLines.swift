// A line that is full: who comes is refused, or who has stood longest goes.

internal import LeaseModel

extension Machine {
    /// Why a request can't stand in line, though it would wait. Who joins asks for nothing that others wait
    /// for, and finds a place where the line is full.
    mutating func refusalInLine(
        _ slots: KeySlots, _ request: AcquireRequest, _ caller: Caller
    ) -> Reply? {
        for index in 0..<slots.count where !request.joins && isFull(slots[index]) {
            let rules = ledger.rules(of: slots[index])
            // Where nobody may wait there is nobody to push out.
            guard rules.overflow == .dropOldest, rules.queue != 0 else {
                return .busy(busy(slots[index], .queueFull, waited: nil, for: caller.peer))
            }
        }
        if let refusal = waiterBound(caller) { return .refused(refusal) }
        return request.joins ? joinerBound(caller.peer.uid).map { .refused($0) } : nil
    }

    private func isFull(_ key: Slot) -> Bool {
        placesTaken(key) >= ledger.rules(of: key).queue ?? .max
    }

    /// Pushes out of each line that is full the one that has stood longest: one only, also where the line is
    /// longer than a lowered `queue` allows.
    mutating func makePlace(
        _ slots: KeySlots, entrants: inout [WaiterID], into effects: inout Effects
    ) {
        // Who leaves may be the last to name a key of this request.
        for index in 0..<slots.count {
            ledger.keys[slots[index]].references += 1
        }
        for index in 0..<slots.count where isFull(slots[index]) {
            let oldest = waiters.trees.oldest(ledger.keys[slots[index]].line)
            let reply = Reply.busy(farewell(oldest, .dropped))
            dismiss(oldest, reply, .dropped, entrants: &entrants, into: &effects)
        }
        for index in 0..<slots.count {
            ledger.keys[slots[index]].references -= 1
        }
    }
}

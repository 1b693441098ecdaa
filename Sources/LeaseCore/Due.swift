// What is due first, and what then happens.

package import LeaseModel

/// What can be due.
private enum Due {
    case lease, rest, rate, result, wait, warning
}

extension Machine {
    /// When something will be due: the daemon may sleep until then. nil: never.
    package var nextDeadline: Instant? { firstDue?.at }

    /// On the same instant, what stands higher here comes first: so a wait that ends as the lease before it
    /// ends is granted.
    private var firstDue: (at: Instant, what: Due)? {
        var first: (at: Instant, what: Due)?
        consider(ledger.deadlines.first, .lease, &first)
        consider(ledger.restDeadlines.first, .rest, &first)
        consider(rates.deadlines.first, .rate, &first)
        consider(ledger.results.ends.first, .result, &first)
        consider(waiters.ends.first, .wait, &first)
        consider(warnings.first, .warning, &first)
        return first
    }

    private func consider(
        _ entry: DeadlineHeap.Entry?, _ what: Due, _ first: inout (at: Instant, what: Due)?
    ) {
        guard let entry, entry.instant < .never else { return }
        if let first, first.at <= entry.instant { return }
        first = (entry.instant, what)
    }

    /// Deals with the first of what is due, and grants what becomes possible by it.
    mutating func endWhatIsDue(into effects: inout Effects) {
        switch firstDue?.what {
        case .lease: endFirstLease(into: &effects)
        case .rest: endFirstRests(into: &effects)
        case .rate: endFirstWindows(into: &effects)
        case .result: endFirstResult(into: &effects)
        case .wait: endFirstWait(into: &effects)
        case .warning: giveFirstWarning(into: &effects)
        case nil: break
        }
    }

    private mutating func endFirstLease(into effects: inout Effects) {
        guard let lease = ledger.deadlines.first else { return }
        endLease(lease.slot, ledger.leases[lease.slot].reasonWhenDue, into: &effects)
    }

    private mutating func endFirstResult(into effects: inout Effects) {
        guard let result = ledger.results.ends.first else { return }
        emitForgotten(result.slot, .expired, into: &effects)
    }

    private mutating func endFirstWait(into effects: inout Effects) {
        guard let wait = waiters.ends.first else { return }
        if letIn(wait.slot, into: &effects) { return }
        dismiss(wait.slot, .timeout, .timeout, into: &effects)
    }

    private mutating func giveFirstWarning(into effects: inout Effects) {
        guard let warning = warnings.first else { return }
        warn(warning.slot, into: &effects)
    }

    /// Those of one lease that end together.
    private mutating func endFirstRests(into effects: inout Effects) {
        guard let first = ledger.restDeadlines.first else { return }
        var entrants: [WaiterID] = []
        while let rest = ledger.restDeadlines.first, rest.instant == first.instant, rest.tie == first.tie {
            let key = ledger.rests[rest.slot].key
            ledger.removeRest(rest.slot)
            refreshFrontIfWaitedFor(key, entrants: &entrants)
            ledger.dropReference(key)
        }
        promote(entrants, into: &effects)
    }

    /// One grant counts no more on its keys.
    private mutating func endFirstWindows(into effects: inout Effects) {
        guard let first = rates.deadlines.first else { return }
        var entrants: [WaiterID] = []
        while let window = rates.deadlines.first, window.instant == first.instant, window.tie == first.tie {
            let key = rates.slab[window.slot].key
            dropOldestCounted(of: window.slot)
            refreshFrontIfWaitedFor(key, entrants: &entrants)
            ledger.dropReference(key)
        }
        promote(entrants, into: &effects)
    }
}

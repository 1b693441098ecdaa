// What each verb does, and who may use it.

internal import LeaseCore
package import LeaseModel

/// A request that waits for something else than its place in line.
struct OtherPending {
    enum Kind {
        /// What its process is.
        case process(ticket: UInt64, Request)
        case compaction
        /// The manual clock to get there.
        case advance(to: Instant)
        /// The policy to be read again.
        case policy
        /// All leases or waiters to be looked at.
        case list(ticket: UInt64, ListRequest, Peer)
    }

    let kind: Kind
    let pending: Pending
}

extension Server {
    /// Carries out a request.
    /// - Returns: whether it was; if not, space or numbers are missing, and it is to be read again.
    @inline(__always)
    mutating func perform(
        _ request: Request, _ index: Int, _ tag: Span<UInt8>, from caller: borrowing Caller
    ) -> Bool {
        switch request {
        case .acquire(let acquire):
            // Nobody would learn of the grant.
            if connections[index].isGone { return true }
            guard hasRoom(index), acquire.whilePID == nil || hasWork(index) else { return false }
            workLeft -= acquire.keys.others.count
            take(acquire, .notLookedAt, index, tag, from: caller)
        case .release(let release):
            // A result may be kept, which takes space; an end alone has its own.
            if release.result != nil, !hasRoom(index) { return false }
            reply(index, tag, machine.release(release, from: caller, into: &effects))
            settleUnlessOnlyLogged()
        case let other: return performOther(other, index, tag, from: caller)
        }
        return true
    }

    @inline(never)
    private mutating func performOther(
        _ request: Request, _ index: Int, _ tag: Span<UInt8>, from caller: borrowing Caller
    ) -> Bool {
        switch request {
        case .acquire, .release: preconditionFailure("these are nearly all, and performed at once")
        case .renew(let renew):
            guard hasRoom(index), renew.whilePID == nil || hasWork(index) else { return false }
            take(renew, .notLookedAt, index, tag, from: caller)
        case .evict(let token, let note):
            settle()
            guard hasRoom(index) else { return false }
            guard isAllowed(.evict, index, tag) else { return true }
            reply(index, tag, machine.evict(token, note: note, by: connections[index].id, into: &effects))
            settle()
        case let rarer:
            settle()
            // Nobody reads the answer, and to make it may take long; behind a list others would wait.
            if connections[index].isGone, rarer.onlyLooks { return true }
            if rarer.takesLong, !hasWork(index) { return false }
            performRarer(rarer, index, tag)
        }
        return true
    }

    /// What needs no room in the log.
    private mutating func performRarer(_ request: Request, _ index: Int, _ tag: Span<UInt8>) {
        switch request {
        case .acquire, .renew, .release, .evict: preconditionFailure("these may have to wait for room")
        case .cancel(let tag2):
            cancel(tag2, index, tag)
        case .quit:
            quit(index, tag)
        case .compact:
            compact(index, tag)
        case .clock(let advance):
            clock(advance, index, tag)
        case .list(let asked):
            list(asked, index, tag)
        case .stats:
            reply(index, tag, answer(request, index))
            yield(index)
        case .get, .policy, .whoami, .help:
            reply(index, tag, answer(request, index))
        case .check(let token):
            reply(index, tag, machine.check(token, for: connections[index].caller.peer, into: &effects))
            settle()
        case .forget(let key):
            reply(index, tag, machine.forget(key, from: connections[index].caller, into: &effects))
            settle()
        case .watch(let prefixes, let since):
            watch(prefixes, since: since, index, tag)
            workLeft -= options.workPerPass
            yield(index)
        case .unwatch:
            unwatch(index, tag)
        case .history(let prefix, let last):
            reply(index, tag, history(prefix, last: last, index))
            workLeft -= options.workPerPass
            yield(index)
        case .reload:
            reload(index, tag)
        case .drain:
            drain(index, tag)
        case .ping:
            reply(index, tag, .ok, speaksOfLog: false)
        }
    }

    /// What it asked for may have taken long: others come first now, and it goes on with the next pass.
    mutating func yield(_ index: Int) {
        guard !connections[index].hasYielded, !connections[index].isGone else { return }
        connections[index].hasYielded = true
        yielded.append(connections[index].id)
    }

    /// Requests that only look.
    private func answer(_ request: Request, _ index: Int) -> Reply {
        let peer = connections[index].caller.peer
        return switch request {
        case .get(let key, let limit): machine.view(key, limit: limit, for: peer)
        case .stats: .statistics(statistics)
        case .policy(let key): machine.policy(key)
        case .whoami: .whoami(peer)
        case .help(let verb): .help(verb)
        case .ping, .acquire, .renew, .release, .evict, .check, .cancel, .quit, .compact, .clock, .list,
            .watch, .unwatch, .history, .forget, .reload, .drain:
            preconditionFailure("these do more than look")
        }
    }

    private mutating func take(
        _ request: borrowing AcquireRequest, _ process: ProcessReport, _ index: Int, _ tag: Span<UInt8>,
        from caller: borrowing Caller
    ) {
        if request.notifies { caller.notify(as: tag.copied()) }
        let outcome = machine.acquire(request, process: process, from: caller, into: &effects)
        if case .reply(.done) = outcome { counting.addKeptAnswer(of: request.keys.first) }
        if case .needsProcess(let pid) = outcome {
            return inspect(pid, for: .acquire(copy request), index, tag)
        }
        conclude(outcome, index, tag)
    }

    private mutating func take(
        _ request: RenewRequest, _ process: ProcessReport, _ index: Int, _ tag: Span<UInt8>,
        from caller: borrowing Caller
    ) {
        let outcome = machine.renew(request, process: process, from: caller, into: &effects)
        if case .needsProcess(let pid) = outcome { return inspect(pid, for: .renew(request), index, tag) }
        conclude(outcome, index, tag)
    }

    private mutating func conclude(_ outcome: Outcome, _ index: Int, _ tag: Span<UInt8>) {
        switch outcome {
        case .reply(let reply):
            self.reply(index, tag, reply)
            settleUnlessOnlyLogged()
        case .waits(let waiter):
            // What it superseded is answered first: on the same connection it stood before it.
            wait(waiter, index, tag)
            settle()
        case .needsProcess: preconditionFailure("its request waits for the look at the process")
        }
    }

    private mutating func inspect(_ pid: Int32, for request: Request, _ index: Int, _ tag: Span<UInt8>) {
        // A lease that was due has perhaps ended, and others have got what it had.
        settleUnlessOnlyLogged()
        lastTicket += 1
        waitFor(.process(ticket: lastTicket, request), index, tag)
        connections[index].isInspecting = true
        directives.append(.inspect(pid: pid, ticket: lastTicket))
        // Some calls of the system.
        workLeft -= 64
    }

    /// What was found of the process that a request names.
    package mutating func inspected(ticket: UInt64, _ report: ProcessReport) {
        // It is mostly the last.
        for place in others.indices.reversed() {
            let other = others[place]
            guard case .process(ticket, let request) = other.kind else { continue }
            // There was room when its request was read; others have come first since.
            if mustWaitForRoom { return looksToComeBackTo.append((ticket, report)) }
            others.remove(at: place)
            guard let index = release(other.pending) else { return }
            connections[index].isInspecting = false
            yield(index)
            let (caller, tag) = (connections[index].caller, other.pending.tag.span)
            switch request {
            case .acquire(let acquire): take(acquire, report, index, tag, from: caller)
            case .renew(let renew): take(renew, report, index, tag, from: caller)
            default: preconditionFailure("only these name a process")
            }
            return settle()
        }
    }

    @inline(__always)
    private mutating func hasRoom(_ index: Int) -> Bool {
        guard mustWaitForRoom, !connections[index].isGone else { return true }
        connections[index].isParked = true
        parked.append(connections[index].id)
        return false
    }

    /// Whether what takes long may be done in this pass; if not, its connection has its turn later.
    private mutating func hasWork(_ index: Int) -> Bool {
        if workLeft > 0 || connections[index].isGone { return true }
        makeReady(index)
        return false
    }

    mutating func isAllowed(_ verb: Verb, _ index: Int, _ tag: Span<UInt8>) -> Bool {
        if connections[index].caller.peer.isAdministrator { return true }
        reply(index, tag, .refused(.administratorsOnly(verb)))
        return false
    }

    private mutating func cancel(_ wanted: [UInt8], _ index: Int, _ tag: Span<UInt8>) {
        let id = connections[index].id
        if let place = place(id, wanted) {
            machine.cancel(waiterIDs[place], into: &effects)
            settle()
        } else if let other = placeOfOther(index, wanted) {
            finish(others.remove(at: other), with: .refused(.withdrawn))
        } else {
            reply(index, tag, .refused(.noSuchTag(wanted)))
            return
        }
        reply(index, tag, .ok)
    }

    /// Withdraws what waits, ends what is bound to the connection, says OK, and closes.
    private mutating func quit(_ index: Int, _ tag: Span<UInt8>) {
        let id = connections[index].id
        machine.cancelAll(of: id, into: &effects)
        settle()
        while connections[index].caller.waitingCount > 0,
            let other = others.firstIndex(where: { $0.pending.connection == id })
        {
            finish(others.remove(at: other), with: .refused(.withdrawn))
        }
        machine.endBoundLeases(of: id, into: &effects)
        settle()
        // Only now: its watch is told of what it has ended itself, as of all else.
        endWatch(index)
        reply(index, tag, .ok)
        connections[index].isClosing = true
        connections[index].input.removeAll()
        halfClosed.insert(id)
        closing.append(id)
    }

    private mutating func compact(_ index: Int, _ tag: Span<UInt8>) {
        guard isAllowed(.compact, index, tag) else { return }
        guard !isStopping else {
            reply(index, tag, .refused(.stopping))
            return
        }
        guard options.hasLog else {
            reply(index, tag, .compacted(bytesBefore: 0, bytesAfter: 0))
            return
        }
        waitFor(.compaction, index, tag)
        beginCompaction()
    }

    private mutating func clock(_ advance: Duration?, _ index: Int, _ tag: Span<UInt8>) {
        guard isAllowed(.clock, index, tag) else { return }
        guard let advance else {
            reply(index, tag, .clock(now: machine.clock, isManual: options.hasManualClock))
            return
        }
        guard options.hasManualClock else {
            reply(index, tag, .refused(.clockNotManual))
            return
        }
        guard !isStopping else {
            reply(index, tag, .refused(.stopping))
            return
        }
        var from = machine.clock
        for other in others {
            if case .advance(let target) = other.kind { from = max(from, target) }
        }
        let isFree = from == machine.clock
        if isFree, advanceClock(to: from + advance) {
            reply(index, tag, .clock(now: machine.clock, isManual: true))
        } else {
            // Very many deadlines are due on the way: they are dealt with in slices.
            waitFor(.advance(to: from + advance), index, tag)
        }
    }
}

extension Request {
    /// Whether it changes nothing, so that only its answer counts.
    fileprivate var onlyLooks: Bool {
        switch self {
        case .get, .list, .stats, .policy, .whoami, .help, .ping, .watch, .unwatch, .history: true
        case .acquire, .renew, .release, .evict, .check, .forget, .cancel, .quit, .compact, .clock, .reload,
            .drain:
            false
        }
    }

    /// Whether it may take as long as very many others.
    fileprivate var takesLong: Bool {
        switch self {
        case .get, .policy, .help, .watch, .history: true
        default: false
        }
    }
}

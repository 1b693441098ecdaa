// Who watches: what there is, what was missed, and what happens, each as fast as it is read.

internal import LeaseCore
internal import LeaseModel
internal import LeaseWire

/// The watch of one connection.
struct Watch {
    enum Phase {
        /// A place that nobody has.
        case vacant
        /// Is shown what there was when it began. Goes on to `catchingUp`.
        case picture
        /// Is told of what is remembered. Goes on to `live`.
        case catchingUp
        /// Is told of everything when it happens. Goes back to `catchingUp` where it does not read.
        case live
    }

    var connection: ConnectionID = 0
    var tag: [UInt8] = []
    /// Empty: everything.
    var prefixes: [KeyPrefix] = []
    var phase = Phase.vacant
    /// Where it goes on, while it is not live.
    var cursor = RecentEvents.Cursor(change: 0, line: 0)
    /// It was live once: from then on it has to keep up.
    var hasBeenLive = false
    /// Everything up to this change it has been told. 0 while its picture is not complete: then that number
    /// is of no use to it.
    var told: Sequence64 = 0
    /// The change before its picture.
    var pictureSequence: Sequence64 = 0
}

extension Server {
    /// What a watcher that is not live gets at a time: more only when it has read that.
    private static var bytesAhead: Int { 256 << 10 }
    private static var leasesPerPass: Int { 1_000 }
    private static var eventsPerPass: Int { 1_000 }

    mutating func watch(
        _ prefixes: [KeyPrefix], since: Sequence64?, _ index: Int, _ tag: Span<UInt8>
    ) {
        let newest = machine.sequence
        if let since, since > newest { return reply(index, tag, .refused(.notYet(newest: newest))) }
        if let since, since < recent.floor {
            return reply(index, tag, .refused(.tooOld(oldest: recent.floor)))
        }
        endWatch(index)
        var watch = Watch(connection: connections[index].id, tag: tag.copied(), prefixes: prefixes)
        if let since {
            watch.phase = .catchingUp
            watch.cursor = recent.cursor(after: since)
            watch.told = since
            reply(index, tag, .watching(sequence: newest, leases: nil))
        } else {
            watch.phase = .picture
            watch.cursor = recent.end
            watch.pictureSequence = newest
            let count = machine.beginPicture(for: connections[index].caller, of: prefixes)
            reply(index, tag, .watching(sequence: newest, leases: count))
        }
        let place = vacantWatches.popLast() ?? watches.count
        if place == watches.count {
            watches.append(watch)
        } else {
            watches[place] = watch
        }
        connections[index].watch = place
        watchIndex.insert(place, prefixes)
        behind.append(place)
        goOn(place)
    }

    mutating func unwatch(_ index: Int, _ tag: Span<UInt8>) {
        endWatch(index)
        reply(index, tag, .ok)
    }

    mutating func endWatch(_ index: Int) {
        guard let place = connections[index].watch else { return }
        machine.endPicture(for: connections[index].id)
        connections[index].watch = nil
        behind.removeAll { $0 == place }
        watchIndex.remove(place, watches[place].prefixes)
        watches[place] = Watch()
        vacantWatches.append(place)
        if connections[index].hasInputEnded { closing.append(connections[index].id) }
    }

    /// Remembers an event, and tells those who watch.
    mutating func tell(_ event: Event) {
        recent.append(event)
        guard watches.count > vacantWatches.count else { return }
        concerned.removeAll(keepingCapacity: true)
        watchIndex.collect(event.keys, into: &concerned)
        for place in concerned where watches[place].phase == .live {
            guard let index = index(watches[place].connection), concerns(event, place, index)
            else { continue }
            if connections[index].unsentCount < limits.outputBytesMax / 2 {
                append(event, place, index)
            } else {
                // Where it stands now is where it goes on when it reads again.
                watches[place].phase = .catchingUp
                watches[place].cursor = recent.cursor(before: event)
                behind.append(place)
            }
        }
    }

    /// Tells a connection of its own request or lease.
    mutating func tell(_ notice: Notice, _ subscriber: Subscriber) {
        guard let index = index(subscriber.connection), !connections[index].isClosing else { return }
        append(index) { EventWriter.append(notice, tag: subscriber.tag.span, to: &$0) }
    }

    /// A lease that is about to change is shown before its turn.
    mutating func show(_ lease: LeaseView, to watcher: ConnectionID) {
        guard let index = index(watcher), let place = connections[index].watch else { return }
        append(lease, place, index)
    }

    private func concerns(_ event: Event, _ place: Int, _ index: Int) -> Bool {
        guard maySee(event, index) else { return false }
        let prefixes = watches[place].prefixes
        return prefixes.isEmpty || prefixes.contains { Server.isBelow($0, event) }
    }

    private func maySee(_ event: Event, _ index: Int) -> Bool {
        !options.isPrivate || connections[index].caller.peer.isAdministrator
            || connections[index].caller.peer.uid == event.uid
    }

    private static func isBelow(_ prefix: KeyPrefix, _ event: Event) -> Bool {
        prefix.matches(event.keys.first) || event.keys.others.contains { prefix.matches($0) }
    }

    private mutating func append(_ event: Event, _ place: Int, _ index: Int) {
        watches[place].told = event.sequence
        let tag = watches[place].tag
        append(index) { EventWriter.append(event, tag: tag.span, to: &$0) }
    }

    private mutating func append(_ lease: LeaseView, _ place: Int, _ index: Int) {
        let watch = watches[place]
        append(index) {
            EventWriter.appendHeld(lease, sequence: watch.pictureSequence, tag: watch.tag.span, to: &$0)
        }
    }
}

// Those who are not live.
extension Server {
    /// Whether somebody who is not live can take more.
    var hasWatchersToServe: Bool {
        behind.contains { place in
            guard let index = index(watches[place].connection) else { return false }
            return !connections[index].isGone && connections[index].unsentCount < Server.bytesAhead
        }
    }

    mutating func serveWatchers() {
        guard !behind.isEmpty else { return }
        for place in behind {
            goOn(place)
        }
    }

    private mutating func goOn(_ place: Int) {
        guard watches[place].phase != .vacant, let index = index(watches[place].connection),
            !connections[index].isGone
        else { return }
        guard keepsUp(place, index) else { return cut(place, index) }
        if watches[place].phase == .picture { drawPicture(place, index) }
        if watches[place].phase == .catchingUp { catchUp(place, index) }
    }

    /// What it needs next is still there; and one that was live has not fallen too far behind, so that it may
    /// come back with `since=`. What this pass has brought it could not have read.
    private func keepsUp(_ place: Int, _ index: Int) -> Bool {
        let watch = watches[place]
        if watch.phase == .picture, connections[index].unsentCount >= limits.outputBytesMax { return false }
        let lag = max(passBegan.change - watch.cursor.change, passBegan.line - watch.cursor.line)
        return recent.has(watch.cursor) && (!watch.hasBeenLive || lag <= limits.eventsMax / 4)
    }

    private mutating func drawPicture(_ place: Int, _ index: Int) {
        guard connections[index].unsentCount < Server.bytesAhead else { return }
        var views: [LeaseView] = []
        let isComplete = machine.drawPicture(
            for: watches[place].connection, leases: Server.leasesPerPass, into: &views)
        for view in views {
            append(view, place, index)
        }
        guard isComplete else { return }
        watches[place].phase = .catchingUp
        watches[place].told = watches[place].pictureSequence
    }

    private mutating func catchUp(_ place: Int, _ index: Int) {
        for _ in 0..<Server.eventsPerPass {
            guard connections[index].unsentCount < Server.bytesAhead else { return }
            guard let event = recent.next(&watches[place].cursor) else {
                watches[place].phase = .live
                watches[place].hasBeenLive = true
                behind.removeAll { $0 == place }
                return
            }
            if concerns(event, place, index) { append(event, place, index) }
        }
    }

    private mutating func cut(_ place: Int, _ index: Int) {
        let watch = watches[place]
        append(index) { EventWriter.appendCut(watch.told, tag: watch.tag.span, to: &$0) }
        endWatch(index)
    }
}

// What happened.
extension Server {
    func history(_ prefix: KeyPrefix, last: Int, _ index: Int) -> Reply {
        var found: [Event] = []
        var place = recent.changes.end
        while place > recent.changes.first, found.count <= last {
            place -= 1
            let event = recent.changes[place]
            if maySee(event, index), Server.isBelow(prefix, event) { found.append(event) }
        }
        return .history(found.prefix(last).reversed(), now: machine.clock, hasMore: found.count > last)
    }
}

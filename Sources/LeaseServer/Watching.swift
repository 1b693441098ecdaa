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
    var cursor = RecentEvents.Cursor.beginning
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
    /// How many leases and events one pass looks at for those who are not live: for one, and for all of them.
    private static var looksPerWatch: Int { 1_000 }
    private static var looksPerPass: Int { 8_000 }
    /// How many leases a picture shows before it is asked again whether there is room for more; 1 where only
    /// what everybody may be sent is left.
    private static var leasesAtATime: Int { 16 }

    var hasWatches: Bool { watches.count > vacantWatches.count }

    mutating func watch(
        _ prefixes: [KeyPrefix], since: Sequence64?, _ index: Int, _ tag: Span<UInt8>
    ) {
        let newest = machine.sequence
        if let since, since > newest { return reply(index, tag, .refused(.notYet(newest: newest))) }
        if let since, since < effects.recent.floor {
            return reply(index, tag, .refused(.tooOld(oldest: effects.recent.floor)))
        }
        endWatch(index)
        var watch = Watch(connection: connections[index].id, tag: tag.copied(), prefixes: prefixes)
        if let since {
            watch.phase = .catchingUp
            watch.cursor = effects.recent.cursor(after: since)
            watch.told = since
            reply(index, tag, .watching(sequence: newest, leases: nil))
        } else {
            watch.phase = .picture
            watch.cursor = effects.recent.end
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
        // It goes on at the end of the pass, with what all that are behind may look at together.
        behind.append(place)
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

    /// Counts an event and tells those who watch. A reader that has heard all before it stands at `cursor`.
    mutating func tell(_ event: RecentEvents.Place, at cursor: RecentEvents.Cursor) {
        counting.add(effects.recent, event)
        if hasWatches { tellWatchers(event, at: cursor) }
    }

    private mutating func tellWatchers(_ event: RecentEvents.Place, at cursor: RecentEvents.Cursor) {
        collectConcerned(event)
        guard !concerned.isEmpty else { return }
        workLeft -= concerned.count / 4
        // Written once, however many watch.
        write(event)
        let sequence = effects.recent.sequence(event)
        for place in concerned where watches[place].phase == .live {
            guard let index = index(watches[place].connection), concerns(event, place, index)
            else { continue }
            if connections[index].unsentCount < limits.outputBytesMax / 2, hasRoomForWatch(index) {
                append(eventLine, place, index)
                watches[place].told = sequence
            } else {
                // Where it stands now, before this event, is where it goes on when it reads again.
                watches[place].phase = .catchingUp
                watches[place].cursor = cursor
                watches[place].told = effects.recent.isChange(event) ? sequence - 1 : sequence
                behind.append(place)
            }
        }
    }

    /// The places of those whom the event may concern.
    private mutating func collectConcerned(_ event: RecentEvents.Place) {
        var places: [Int] = []
        swap(&places, &concerned)
        places.removeAll(keepingCapacity: true)
        watchIndex.collect(into: &places)
        _ = effects.recent.hasKey(event) { key in
            watchIndex.collect(key, into: &places)
            return false
        }
        WatchIndex.putInOrder(&places)
        swap(&places, &concerned)
    }

    private mutating func write(_ event: RecentEvents.Place) {
        eventLine.removeAll(keepingCapacity: true)
        EventWriter.append(effects.recent.event(event), to: &eventLine)
    }

    /// Tells a connection of its own request or lease.
    mutating func tell(_ notice: Notice, _ subscriber: Subscriber) {
        guard let index = index(subscriber.connection), !connections[index].isClosing else { return }
        append(index) { EventWriter.append(notice, tag: subscriber.tag.span, to: &$0) }
    }

    /// A lease that is about to change is shown before its turn, or what it was could never be told.
    mutating func show(_ lease: LeaseView, to watcher: ConnectionID) {
        guard let index = index(watcher), let place = connections[index].watch else { return }
        if connections[index].unsentCount < limits.outputBytesMax, hasRoomForWhatChanges(index) {
            append(lease, place, index)
        } else {
            cut(place, index)
        }
    }

    private func concerns(_ event: RecentEvents.Place, _ place: Int, _ index: Int) -> Bool {
        guard maySee(event, index) else { return false }
        let prefixes = watches[place].prefixes
        return prefixes.isEmpty || prefixes.contains { isBelow($0, event) }
    }

    private func maySee(_ event: RecentEvents.Place, _ index: Int) -> Bool {
        machine.mayLook(connections[index].caller.peer, at: effects.recent.uid(event))
    }

    private func isBelow(_ prefix: KeyPrefix, _ event: RecentEvents.Place) -> Bool {
        effects.recent.hasKey(event) { prefix.matches($0) }
    }

    private mutating func append(_ line: [UInt8], _ place: Int, _ index: Int) {
        let tag = watches[place].tag
        append(index) { EventWriter.append(line, tag: tag.span, to: &$0) }
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
            return !connections[index].isGone && canTakeMore(index)
        }
    }

    private func canTakeMore(_ index: Int) -> Bool {
        connections[index].unsentCount < Server.bytesAhead && hasRoomForWatch(index)
    }

    mutating func serveWatchers() {
        guard !behind.isEmpty else { return }
        let places = behind
        var (next, looks) = (0, 0)
        while next < places.count, looks < Server.looksPerPass {
            looks += goOn(places[next])
            next += 1
        }
        // Those who came to nothing this time are the first with the next pass.
        if next < places.count, let first = behind.firstIndex(of: places[next]) {
            behind = Array(behind[first...] + behind[..<first])
        }
    }

    /// - Returns: how many leases and events were looked at.
    private mutating func goOn(_ place: Int) -> Int {
        guard let index = index(watches[place].connection), !connections[index].isGone else { return 0 }
        guard keepsUp(place, index) else {
            cut(place, index)
            return 0
        }
        var looks = 0
        if watches[place].phase == .picture { looks += drawPicture(place, index) }
        if watches[place].phase == .catchingUp { looks += catchUp(place, index) }
        return looks
    }

    /// What it needs next is still there; and one that was live has not fallen too far behind, so that it may
    /// come back with `since=`. What this pass has brought it could not have read.
    private func keepsUp(_ place: Int, _ index: Int) -> Bool {
        let watch = watches[place]
        let lag = max(passBegan.change - watch.cursor.change, passBegan.line - watch.cursor.line)
        return effects.recent.has(watch.cursor) && (!watch.hasBeenLive || lag <= limits.eventsMax / 4)
    }

    private mutating func drawPicture(_ place: Int, _ index: Int) -> Int {
        var looks = Server.looksPerWatch
        while looks > 0, canTakeMore(index) {
            var views: [LeaseView] = []
            let isComplete = machine.drawPicture(
                for: watches[place].connection, leases: hasRoomForWatches(index) ? Server.leasesAtATime : 1,
                looks: &looks, into: &views)
            for view in views {
                append(view, place, index)
            }
            if isComplete {
                watches[place].phase = .catchingUp
                watches[place].told = watches[place].pictureSequence
                break
            }
        }
        return Server.looksPerWatch - looks
    }

    private mutating func catchUp(_ place: Int, _ index: Int) -> Int {
        for looks in 0..<Server.looksPerWatch {
            guard canTakeMore(index) else { return looks }
            guard let event = effects.recent.next(&watches[place].cursor) else {
                watches[place].phase = .live
                watches[place].hasBeenLive = true
                behind.removeAll { $0 == place }
                return looks
            }
            watches[place].told = effects.recent.sequence(event)
            guard concerns(event, place, index) else { continue }
            write(event)
            append(eventLine, place, index)
        }
        return Server.looksPerWatch
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
        var cursor = effects.recent.end
        while found.count <= last, let event = effects.recent.nextChange(before: &cursor) {
            if maySee(event, index), isBelow(prefix, event) { found.append(effects.recent.event(event)) }
        }
        return .history(found.prefix(last).reversed(), now: machine.clock, hasMore: found.count > last)
    }
}

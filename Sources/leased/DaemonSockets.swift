// The daemon's side of its connections: accepting, reading, sending, closing.

import LeaseIO
import LeaseModel
import LeaseServer

struct Socket {
    var descriptor: Int32 = -1
    var id: UInt64 = 0
    var reads = true
    var writes = false
    /// The pass in which it was read last.
    var readInPass: UInt64 = 0
}

extension Daemon {
    private func socketIndex(_ id: UInt64) -> Int? {
        let index = Int(id & 0xFFFF_FFFF)
        return id != 0 && index < sockets.count && sockets[index].id == id ? index : nil
    }

    /// A slice of those that want in; the others come with the next pass.
    mutating func acceptAll() throws(Errno) {
        for _ in 0..<256 where stopsAt == nil {
            switch listener.accept() {
            case .peer(let peer):
                hasRefusedSomebody = false
                welcome(peer)
            case .none: return
            case .failed: continue
            case .exhausted(let error):
                // Out of descriptors: the listener would be readable all the time.
                if !hasRefusedSomebody { journal.error("no connection can be accepted: \(error)") }
                hasRefusedSomebody = true
                try pauseListening()
                return
            }
        }
    }

    private mutating func pauseListening() throws(Errno) {
        guard isListening else { return }
        isListening = false
        try poller.remove(listener.raw)
        retries.accept = Instant(nanoseconds: Clocks.bootNanoseconds()) + .milliseconds(100)
    }

    /// Nobody is welcomed any more, so the poller need not tell of newcomers.
    mutating func stopListening() {
        guard isListening else { return }
        isListening = false
        try? poller.remove(listener.raw)
    }

    mutating func resumeListening() {
        guard !isListening, stopsAt == nil else { return }
        isListening = true
        try? poller.add(listener.raw, tag: Tag.listener, reads: true, writes: false)
    }

    private mutating func welcome(_ peer: Listener.Peer) {
        guard peer.fd < settings.descriptorsMax - Settings.keptDescriptors else {
            // As many as there are: the rest of the descriptors has other uses.
            return turnAway(peer.fd, .tooManyConnections(max: server.connectionCount, flag: "ulimit -n"))
        }
        let isAdministrator = peer.uid == 0 || peer.uid == settings.uid
        let name = ProcessWatch.name(of: peer.pid) ?? Array("unknown".utf8)
        let owner = Text(encoding: name + Array(":\(peer.pid)".utf8))
        let known = Peer(
            uid: peer.uid, pid: peer.pid, defaultOwner: owner, isAdministrator: isAdministrator)
        do throws(Refusal) {
            let id = try server.open(known)
            let index = Int(id & 0xFFFF_FFFF)
            while sockets.count <= index {
                sockets.append(Socket())
            }
            // The place may be that of a connection which has ended in this pass and is still to be closed.
            close(sockets[index].id)
            sockets[index] = Socket(descriptor: peer.fd, id: id)
            do throws(Errno) {
                try poller.add(peer.fd, tag: id, reads: true, writes: false)
            } catch {
                server.hungUp([id])
                server.finishGone(id)
            }
        } catch {
            turnAway(peer.fd, error)
        }
    }

    private mutating func turnAway(_ descriptor: Int32, _ refusal: Refusal) {
        server.turnAway(refusal).withUnsafeBytes { _ = LeaseIO.send(descriptor, $0) }
        closeDescriptor(descriptor)
    }

    /// There is something to be read, with `readWanted`.
    mutating func wantRead(_ id: UInt64) {
        guard let index = socketIndex(id), sockets[index].reads else { return }
        sockets[index].readInPass = passNumber
        reads.add(sockets[index].descriptor, tag: id)
    }

    /// It was told of after others had been read. What it has is read with theirs, unless it is one of them:
    /// a pass reads each once. All else is told of again by the next wait, behind which hang-ups come first.
    mutating func wantReadToo(_ event: Poller.Event) {
        guard let index = socketIndex(event.tag), sockets[index].readInPass != passNumber else { return }
        if event.isReadable, !event.isHungUp, !event.peerFinished { wantRead(event.tag) }
    }

    /// One read of each: what does not fit comes with the next pass, so that nobody is kept waiting. What
    /// came is decided with `decideArrivals`.
    mutating func readWanted() {
        var place = 0
        while place < reads.count {
            if arrivals.isFull { decideArrivals() }
            let end = reads.receive(from: place, into: arrivals.space, each: Arrivals.bytesMax)
            while place < end {
                _ = take(reads.tag(at: place), reads.received(at: place))
                place += 1
            }
        }
        reads.removeAll()
    }

    mutating func decideArrivals() {
        guard arrivals.count > 0 else { return }
        // The bytes may be younger than the pass, which may take long: a lease that began before it was asked
        // for would end before the time on which who asked counts.
        server.tick(to: Instant(nanoseconds: Clocks.bootNanoseconds()))
        server.received(arrivals.all)
        arrivals.removeAll()
    }

    /// - Returns: whether there may be more.
    private mutating func take(_ id: UInt64, _ outcome: ReadOutcome) -> Bool {
        switch outcome {
        case .bytes(let count):
            arrivals.add(id, count)
            return true
        case .wouldBlock:
            return false
        case .end:
            server.inputEnded(id)
            watch(id, reads: false)
            return false
        case .failed:
            server.hungUp([id])
            return false
        }
    }

    /// The connection is gone; what it had still sent is in the kernel.
    mutating func readTheRest(_ id: UInt64) {
        guard let index = socketIndex(id) else { return }
        let descriptor = sockets[index].descriptor
        readWanted()
        repeat {
            decideArrivals()
        } while take(id, readAvailable(descriptor, into: arrivals.space))
        server.finishGone(id)
    }

    mutating func flushSendable() {
        while takeDepartures() {
            sends.send()
            for place in 0..<departures.count {
                let departure = departures[place]
                conclude(departure.id, server.sent(departure, sends.sent(at: place).count))
            }
            sends.removeAll()
            departures.removeAll()
        }
    }

    /// - Returns: whether there is any.
    private mutating func takeDepartures() -> Bool {
        while !departures.isFull, let id = server.nextSendable() {
            guard let departure = server.takeSendable(id, into: &departures) else { continue }
            sends.add(socketIndex(id).map { sockets[$0].descriptor } ?? -1, tag: id, departure.bytes)
        }
        return departures.count > 0
    }

    mutating func send(_ id: UInt64) {
        guard let index = socketIndex(id) else { return }
        let descriptor = sockets[index].descriptor
        conclude(id, server.send(id) { LeaseIO.send(descriptor, $0).count })
    }

    private mutating func conclude(_ id: UInt64, _ result: SendResult) {
        guard let index = socketIndex(id) else { return }
        switch result {
        case .nothing, .all: if sockets[index].writes { watch(id, writes: false) }
        case .some: watch(id, writes: true)
        case .gone:
            server.hungUp([id])
            readTheRest(id)
        }
    }

    mutating func watch(_ id: UInt64, reads: Bool? = nil, writes: Bool? = nil) {
        guard let index = socketIndex(id) else { return }
        let (reads, writes) = (reads ?? sockets[index].reads, writes ?? sockets[index].writes)
        guard reads != sockets[index].reads || writes != sockets[index].writes else { return }
        sockets[index].reads = reads
        sockets[index].writes = writes
        try? poller.change(sockets[index].descriptor, tag: id, reads: reads, writes: writes)
    }

    mutating func close(_ id: UInt64) {
        guard let index = socketIndex(id) else { return }
        try? poller.remove(sockets[index].descriptor)
        closeDescriptor(sockets[index].descriptor)
        sockets[index] = Socket()
        resumeListening()
    }
}

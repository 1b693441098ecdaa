// The blocking core: one connection that sends requests and takes replies, each only so long.

package import LeaseModel
private import LeaseWire

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// A connection to the daemon for one thread. It starts no thread, raises no signal, and passes its
/// descriptor to no program that is executed, so a process that has forked may use it, too.
///
/// Deadlines are instants of `BootClock`; `.never` is none.
package final class Connection {
    /// To wait for with others: readable when something came or the daemon has gone. Take what is there
    /// with `arrived()` until that gives nil, before waiting.
    package let descriptor: Int32
    private var reader = ArrivalReader()
    /// What came while another reply was waited for.
    private var kept: [Arrival] = []
    private var lastTag: UInt64 = 0
    /// Of requests whose replies nobody waits for any more.
    private var abandonedTags: Set<[UInt8]> = []
    /// As far as reading has shown.
    private var isClosedByDaemon = false

    /// Finds the socket and connects. Throws `.unavailable`.
    package convenience init(_ search: SocketSearch, until deadline: Instant) throws(ConnectionError) {
        guard let path = search.path else { throw .unavailable(search, .noSocket) }
        do throws(Unreachable) {
            self.init(descriptor: try StreamSocket.connect(to: path, until: deadline))
        } catch {
            throw .unavailable(search, error)
        }
    }

    /// Owns the descriptor, which does not block.
    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Sends a request and waits for its reply. Other things that come meanwhile are kept for `next`.
    ///
    /// An untagged refusal that comes instead (a connection too many) is given as the reply. After a
    /// `.timeout` the request may still be carried out.
    package func ask(_ request: Request, until deadline: Instant) throws(ConnectionError) -> Answer {
        lastTag += 1
        let tag = Array("q\(lastTag)".utf8)
        do throws(ConnectionError) {
            try send(request, tag: tag, until: deadline)
            return try reply(to: tag, until: deadline)
        } catch {
            if error == .timeout { abandonedTags.insert(tag) }
            throw error
        }
    }

    /// Sends a request whose reply `next` or `arrived` will give. The tag is letters, digits, `._:-`, at most
    /// 32, and not `q` with a number, which `ask` uses.
    package func send(_ request: Request, tag: [UInt8], until deadline: Instant) throws(ConnectionError) {
        var line: [UInt8] = []
        RequestWriter.append(request, tag: tag.span, to: &line)
        try send(line, until: deadline)
    }

    /// The next reply or event, waited for.
    package func next(until deadline: Instant) throws(ConnectionError) -> Arrival {
        if !kept.isEmpty { return kept.removeFirst() }
        return try receive(until: deadline)
    }

    /// The next reply or event that is there; nil where one would have to be waited for.
    package func arrived() throws(ConnectionError) -> Arrival? {
        do throws(ConnectionError) {
            return try next(until: .zero)
        } catch .timeout {
            return nil
        } catch {
            throw error
        }
    }

    private func reply(to tag: [UInt8], until deadline: Instant) throws(ConnectionError) -> Answer {
        while true {
            let arrival = try receive(until: deadline)
            if case .answer(let answer) = arrival,
                answer.first.tag == tag || (answer.first.tag.isEmpty && answer.status == .err)
            {
                return answer
            }
            kept.append(arrival)
        }
    }

    private func receive(until deadline: Instant) throws(ConnectionError) -> Arrival {
        while true {
            if let arrival = try reader.next() {
                if case .answer(let late) = arrival, abandonedTags.remove(late.first.tag) != nil { continue }
                return arrival
            }
            guard !isClosedByDaemon else { throw .closed }
            switch StreamSocket.receive(from: descriptor) {
            case .bytes(let bytes): reader.take(bytes)
            case .closed: isClosedByDaemon = true
            case .nothing:
                guard BootClock.now() < deadline else { throw .timeout }
                StreamSocket.wait(for: descriptor, Int16(POLLIN), until: deadline)
            }
        }
    }

    /// Where the daemon has gone, that is left to be seen when reading: it may have said why before.
    private func send(_ line: [UInt8], until deadline: Instant) throws(ConnectionError) {
        var sent = 0
        while sent < line.count {
            switch StreamSocket.send(line[sent...], to: descriptor) {
            case .sent(let count): sent += count
            case .closed: return
            case .full:
                guard BootClock.now() < deadline else {
                    // A part of a line may be on its way, and no other may follow it.
                    if sent > 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
                    throw .timeout
                }
                StreamSocket.wait(for: descriptor, Int16(POLLOUT), until: deadline)
            }
        }
    }
}

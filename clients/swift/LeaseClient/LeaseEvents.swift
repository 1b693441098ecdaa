// What happens, as a sequence to iterate over, and what happened.

internal import LeaseModel
internal import LeaseWire

/// What happens to the leases below some prefixes, as it happens: see ``LeaseClient/events(under:since:)``.
public struct LeaseEvents: AsyncSequence, Sendable {
    let settings: Pump.Settings
    let prefixes: [String]
    let since: UInt64?

    /// Each iteration is a watch of its own.
    public func makeAsyncIterator() -> Iterator {
        Iterator(events: self)
    }

    public struct Iterator: AsyncIteratorProtocol {
        private let events: LeaseEvents
        private var feed: Feed?

        init(events: LeaseEvents) {
            self.events = events
        }

        /// The next event, waited for.
        ///
        /// - Throws: ``LeaseError``: `unavailable` where the daemon is away for longer than the client's
        ///   patience; `invalid` where a prefix is none, or with the code `too-old` where what came after
        ///   `since`, or after the last event, is forgotten: then begin anew without it. `CancellationError`.
        public mutating func next() async throws -> LeaseEvent? {
            if feed == nil { feed = try Feed(events) }
            return try await feed?.queue.take()
        }
    }

    /// Ends the watch's thread when nobody iterates any more.
    final class Feed: Sendable {
        let queue: EventQueue

        init(_ events: LeaseEvents) throws(LeaseError) {
            var prefixes: [KeyPrefix] = []
            for prefix in events.prefixes {
                prefixes.append(try LeaseClient.keyPrefix(prefix))
            }
            do throws(WakePipe.Failure) {
                queue = EventQueue(try WakePipe())
            } catch {
                throw .unavailable(.init(.noResources(code: error.code)))
            }
            let watch = Watch(
                socket: events.settings.socket, patience: events.settings.patience, prefixes: prefixes,
                since: events.since, queue: queue)
            let code = OwnThread.start {
                var watch = watch
                watch.run()
            }
            guard code == 0 else { throw .unavailable(.init(.noResources(code: code))) }
        }

        deinit { queue.abandon() }
    }
}

extension LeaseClient {
    /// What happens to leases, kept results and those who wait, as it happens.
    ///
    /// Without `since`, it begins with a `held` event for each lease that there is, and goes on with what
    /// happens from then on. It goes on over a restart of the daemon, and where the daemon cut it since it
    /// was not read fast enough, with no change left out and none told twice (`queued` and `left` of that
    /// time are left out). Where the daemon keeps no log, a restart ends it with the error `too-old`, since
    /// what happened meanwhile is not remembered. It takes a connection and a thread of its own while it is
    /// iterated over.
    ///
    ///     for try await event in leases.events(under: "user/") {
    ///         print(event.kind, event.keys, event.token ?? 0)
    ///     }
    ///
    /// - Parameters:
    ///   - prefixes: Keys, or beginnings of keys that end at a `/`; at most 16. By default all.
    ///   - since: The `sequence` of the last event that is known already: what came after it follows.
    public func events(under prefixes: String..., since: UInt64? = nil) -> LeaseEvents {
        LeaseEvents(settings: pump.settings, prefixes: prefixes, since: since)
    }

    /// The last changes below a prefix, oldest first.
    ///
    /// - Parameters:
    ///   - prefix: As in ``list(under:limit:after:)``.
    ///   - last: The most to tell, 1 to 10,000.
    /// - Throws: ``LeaseError``: `invalid`, `unavailable`.
    public func history(under prefix: String? = nil, last: Int = 20) async throws -> [LeaseEvent] {
        let request = Request.history(try LeaseClient.keyPrefix(prefix), last: last)
        return try await ask(request, .repeatable).answer.lines.map { LeaseEvent($0) }
    }
}

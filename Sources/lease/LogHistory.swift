// From a log, without a daemon, to the events that a watcher would have been told.

import Glibc
import LeaseLog
import LeaseModel
import LeaseWire

struct LogHistory {
    struct Entry {
        let line: ReplyLine
        /// The wall clock of its batch.
        let wallMilliseconds: Int64
    }

    /// The last ones, oldest first.
    private(set) var entries: [Entry] = []
    private(set) var hasMore = false
    private let prefix: KeyPrefix
    private let last: Int
    private var leases: [Token: (grant: Grant, grantedAt: Instant)] = [:]
    private var results: [Token: KeptResult] = [:]
    private var wallMilliseconds: Int64 = 0

    /// Throws where the log is damaged or can't be read. One that a crash tore is read up to there.
    static func read(_ path: String, below prefix: KeyPrefix, last: Int) throws(Complaint) -> LogHistory {
        var history = LogHistory(prefix, last)
        let (path, _, end) = try LogFile.read(path) { record, mark in history.take(record, mark) }
        switch end {
        case .empty, .clean, .torn: break
        case .damaged(let line, _, let what):
            throw Complaint(.damaged, "\(path) is damaged at line \(line): \(what)")
        case .newerFormat(let number):
            throw Complaint(.damaged, "\(path) has format \(number), which this version does not know")
        }
        history.cut()
        return history
    }

    private init(_ prefix: KeyPrefix, _ last: Int) {
        self.prefix = prefix
        self.last = last
    }

    private mutating func take(_ record: Record, _ mark: BatchMark?) {
        if let mark { wallMilliseconds = mark.wallMilliseconds }
        guard let event = event(of: record), event.keys.all.contains(where: prefix.matches) else { return }
        var bytes: [UInt8] = []
        EventWriter.append(event, to: &bytes)
        bytes.removeLast()
        guard let line = ReplyLine(bytes.span) else { return }
        entries.append(Entry(line: line, wallMilliseconds: wallMilliseconds))
        if entries.count > 2 * last { cut() }
    }

    private mutating func cut() {
        guard entries.count > last else { return }
        entries.removeFirst(entries.count - last)
        hasMore = true
    }

    /// Applies the change, as far as later events have to know of it. nil: nobody is told of it.
    private mutating func event(of record: Record) -> Event? {
        switch record.change {
        case .granted(let grant):
            leases[grant.token] = (grant, record.at)
            return event(
                record, .granted(ttl: grant.firstTTL, waited: nil), of: grant, note: grant.note)
        case .renewed(let renewal): return renewed(renewal, record)
        case .ended(let ending):
            guard let lease = leases.removeValue(forKey: ending.token) else { return nil }
            let what = Event.What.ended(ending.reason, held: lease.grantedAt.until(record.at))
            return event(record, what, of: lease.grant, note: ending.note)
        case .kept(let result):
            results[result.token] = result
            return event(record, .kept(for: result.keep), of: result, keys: result.keys)
        case .forgotten(let forgetting): return forgotten(forgetting, record)
        case .started(let start):
            for token in leases.keys { leases[token]?.grantedAt.move(by: start.shift) }
            return nil
        case .held(let held):
            leases[held.grant.token] = (held.grant, held.grantedAt)
            return nil
        case .result(let standing):
            results[standing.kept.token] = standing.kept
            return nil
        case .bound, .resumed, .advanced, .stopped, .compacted, .remembered, .resting: return nil
        }
    }

    private mutating func renewed(_ renewal: LeaseModel.Renewal, _ record: Record) -> Event? {
        guard var lease = leases[renewal.token] else { return nil }
        let former = lease.grant.ttl
        lease.grant = lease.grant.renewed(by: renewal)
        leases[renewal.token] = lease
        let longest = lease.grant.maxHold.map { record.at.until(lease.grantedAt + $0) } ?? .forever
        let what = Event.What.renewed(ttl: min(renewal.ttl, longest), formerTTL: former, left: .zero)
        return event(record, what, of: lease.grant, note: lease.grant.note)
    }

    private mutating func forgotten(_ forgetting: Forgetting, _ record: Record) -> Event? {
        guard let result = results[forgetting.token] else { return nil }
        let rest = result.keys.all.filter { $0 != forgetting.key }
        if forgetting.key != nil, let first = rest.first {
            results[forgetting.token]?.keys = Keys(first, Array(rest.dropFirst()))
        } else {
            results[forgetting.token] = nil
        }
        let keys = forgetting.key.map { Keys($0) } ?? result.keys
        return event(record, .forgotten(forgetting.reason), of: result, keys: keys)
    }

    private func event(
        _ record: Record, _ what: Event.What, of grant: Grant, note: Text?
    ) -> Event {
        Event(
            sequence: record.sequence, at: record.at, what: what, keys: grant.keys, token: grant.token,
            owner: grant.owner, uid: grant.uid, pid: grant.pid, isShared: grant.isShared,
            isEphemeral: grant.isEphemeral, whilePID: grant.process?.pid, note: note)
    }

    private func event(_ record: Record, _ what: Event.What, of result: KeptResult, keys: Keys) -> Event {
        Event(
            sequence: record.sequence, at: record.at, what: what, keys: keys, token: result.token,
            owner: result.owner, uid: result.uid, pid: result.pid, isShared: false)
    }
}

extension Instant {
    fileprivate mutating func move(by nanoseconds: Int64) {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        if !overflow { self = Instant(nanoseconds: sum) }
    }
}

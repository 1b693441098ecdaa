// What must hold between the records of one file: rules 5 to 12 of `protocol/LOG.md`.

package import LeaseModel

/// How far a log goes: what recovery goes on from.
package struct LogPosition: Equatable, Sendable {
    /// The number of the last record, or of the header where there is none yet.
    package internal(set) var lastSequence: Sequence64
    package internal(set) var lastTime: Instant
    /// The boot of the last `started`.
    package internal(set) var boot: Text?
    /// The greatest token that was given, or may have been.
    package internal(set) var greatestToken: Token = 0
    /// The last record is `stopped`.
    package internal(set) var isStopped = false
    /// The last batch mark, and the instant of the record that carried it.
    package internal(set) var lastMark: BatchMark?
    package internal(set) var lastMarkTime: Instant?
    /// A `compacted` record has been read.
    package internal(set) var isCompactionComplete = false

    /// The wall clock at the last record: that of the last batch, and the time since. nil without a batch.
    package var wallMilliseconds: Int64? {
        guard let lastMark, let lastMarkTime else { return nil }
        let (sum, overflow) = lastMark.wallMilliseconds.addingReportingOverflow(
            lastMarkTime.until(lastTime).wholeMilliseconds)
        return overflow ? nil : sum
    }

    init(after header: LogHeader) {
        lastSequence = header.sequence
        lastTime = header.at
    }
}

/// Takes the records of a file in turn and says which one can't stand where it stands.
struct LogRules {
    let header: LogHeader
    private(set) var position: LogPosition
    /// `held`, `remembered`, `resting` and `result` lines so far.
    private var stateLines: UInt64 = 0

    init(header: LogHeader) {
        self.header = header
        position = LogPosition(after: header)
    }

    /// Whether the file is still in the state with which a compacted file begins.
    var isInState: Bool { header.isCompacted && !position.isCompactionComplete }

    /// The number of the next change.
    var nextSequence: Sequence64 {
        let (next, overflow) = position.lastSequence.addingReportingOverflow(1)
        return overflow ? .max : next
    }

    /// Takes the record, or says what is wrong with it and changes nothing.
    mutating func take(_ entry: MarkedRecord) -> String? {
        let record = entry.record
        if record.change.format > header.format {
            return "it belongs to format \(record.change.format), and the file has \(header.format)"
        }
        if let wrong = wrongPlace(record) ?? wrongNumber(record) { return wrong }
        if let wrong = wrongTime(record) ?? wrongToken(record.change) ?? wrongKeys(record.change) {
            return wrong
        }
        if let wrong = wrongMark(entry.mark) { return wrong }
        apply(entry)
        return nil
    }

    /// Rules 5, 7 and 10: which words may stand here at all.
    private func wrongPlace(_ record: Record) -> String? {
        switch record.change {
        case .started:
            if position.boot != nil, isInState { return "`started` stands before `compacted`" }
            return nil
        case .held, .remembered, .result, .resting:
            if !isInState { return "a line of a compacted state stands outside of it" }
        case .stopped:
            if isInState { return "`stopped` stands before `compacted`" }
        // `compacted` goes to the old file as well, which stays the log where the daemon ends before the new
        // one is in its place.
        case .compacted(let lines):
            if isInState, lines != stateLines {
                return "`compacted` closes \(lines) lines of state, and \(stateLines) stand here"
            }
        case .granted, .renewed, .ended, .bound, .kept, .forgotten, .resumed, .advanced:
            break
        }
        if position.boot == nil { return "the first record is not `started`" }
        return position.isStopped ? "only `started` can follow `stopped`" : nil
    }

    /// Rule 6: changes are numbered one by one; a start may leave numbers out that an unclean stop may have
    /// used; a compacted state repeats the number that it stands at.
    private func wrongNumber(_ record: Record) -> String? {
        let number = record.sequence
        let last = position.lastSequence
        let isRight =
            switch record.change {
            case .started: isInState ? number == last : number > last
            case .held, .remembered, .result, .resting: number == last
            default: number > last && number - last == 1
            }
        guard isRight else { return "number \(number) follows \(last)" }
        return number <= LogFormat.numberMax ? nil : "number \(number) is greater than \(LogFormat.numberMax)"
    }

    /// Rule 8. A start may come earlier: after a reboot the clock begins anew.
    private func wrongTime(_ record: Record) -> String? {
        if case .started = record.change { return nil }
        return record.at < position.lastTime ? "its time is before that of the record before" : nil
    }

    /// Rule 9.
    private func wrongToken(_ change: Change) -> String? {
        let greatest = position.greatestToken
        switch change {
        case .granted(let grant):
            guard grant.token > greatest else { return "token \(grant.token) is granted after \(greatest)" }
            return tooGreat(grant.token)
        case .started(let start):
            if isInState, start.shift != 0 { return "a compacted state moves no instant" }
            guard start.lastToken >= greatest else {
                return "last-token \(start.lastToken) follows \(greatest)"
            }
            return tooGreat(start.lastToken)
        case .renewed(let renewal):
            return unknown(renewal.token)
        case .ended(let ending):
            return unknown(ending.token)
        case .bound(let token):
            return unknown(token)
        case .kept(let result):
            return unknown(result.token)
        case .forgotten(let forgetting):
            return unknown(forgetting.token)
        case .result(let standing):
            return unknown(standing.kept.token)
        case .held(let lease):
            return unknown(lease.grant.token)
        case .remembered(let lease):
            return unknown(max(lease.token, lease.newestThen))
        case .resting(let rest):
            return unknown(rest.token)
        case .resumed, .advanced, .stopped, .compacted:
            return nil
        }
    }

    private func tooGreat(_ token: Token) -> String? {
        token <= LogFormat.numberMax ? nil : "token \(token) is greater than \(LogFormat.numberMax)"
    }

    private func unknown(_ token: Token) -> String? {
        token <= position.greatestToken ? nil : "token \(token) was never granted"
    }

    /// Rule 11: nothing can be on the disk before it is written.
    private func wrongMark(_ mark: BatchMark?) -> String? {
        guard let mark, mark.synced > position.lastSequence else { return nil }
        return "it says that number \(mark.synced) was synced, after \(position.lastSequence)"
    }

    /// Rule 12: a lease, or a result, is of different keys.
    private func wrongKeys(_ change: Change) -> String? {
        switch change {
        case .granted(let grant): doubled(grant.keys)
        case .held(let lease): doubled(lease.grant.keys)
        case .remembered(let lease): doubled(lease.keys)
        case .kept(let result): doubled(result.keys)
        case .result(let standing): doubled(standing.kept.keys)
        case .renewed, .ended, .bound, .forgotten, .resumed, .advanced, .started, .stopped, .compacted,
            .resting:
            nil
        }
    }

    /// Mostly there is one.
    private func doubled(_ keys: Keys) -> String? {
        guard !keys.others.isEmpty, Set(keys.all).count < keys.count else { return nil }
        return "one key stands there twice"
    }

    private mutating func apply(_ entry: MarkedRecord) {
        let record = entry.record
        position.lastSequence = record.sequence
        position.lastTime = record.at
        position.isStopped = false
        if let mark = entry.mark {
            position.lastMark = mark
            position.lastMarkTime = record.at
        }
        switch record.change {
        case .granted(let grant):
            position.greatestToken = grant.token
        case .started(let start):
            position.boot = start.boot
            position.greatestToken = start.lastToken
        case .stopped:
            position.isStopped = true
        case .compacted:
            position.isCompactionComplete = true
        case .held, .remembered, .result, .resting:
            stateLines += 1
        case .renewed, .ended, .bound, .kept, .forgotten, .resumed, .advanced:
            break
        }
    }
}

// A log whose every line has the right form and checksum, whatever bytes it is made of: what its records say
// of each other is the fuzzer's to choose.

import LeaseLog
import LeaseModel

/// Each byte chooses a record, and those behind it what stands in it. Names, tokens and spans are few, so
/// that records often speak of the same; numbers and tokens mostly go on as they have to.
struct LogComposer {
    private(set) var file: [UInt8] = []
    /// Where each record begins, and its number.
    private(set) var records: [(start: Int, sequence: Sequence64)] = []
    private var program: ArraySlice<UInt8>
    private var sequence: Sequence64 = 0
    private var time = Instant(nanoseconds: 1_000_000_000)
    private var lastToken: Token = 0
    private var stateLines: UInt64 = 0
    private var isInState: Bool

    init(_ program: ArraySlice<UInt8>) {
        self.program = program
        let first = self.program.popFirst() ?? 0
        isInState = first & 1 != 0
        if first & 2 != 0 { sequence = LogFormat.numberMax - 2 }
        let header = LogHeader(
            format: first & 4 != 0 ? 1 : 2, sequence: sequence, at: time,
            clock: first & 8 != 0 ? .manual : .system, isCompacted: isInState)
        RecordEncoder.append(header, to: &file)
        lastToken = UInt64(first >> 4)
        append(.started(Start(boot: boot(first), shift: 0, lastToken: lastToken)))
        while !self.program.isEmpty, records.count < 400 { appendNext() }
    }

    private mutating func next() -> UInt8 { program.popFirst() ?? 0 }

    private mutating func append(_ change: Change) {
        var repeatsNumber = false
        switch change {
        case .held, .remembered, .result, .resting:
            repeatsNumber = true
            stateLines += 1
        case .started: repeatsNumber = isInState
        default: break
        }
        if !repeatsNumber, sequence < .max { sequence += 1 }
        records.append((file.count, sequence))
        let mark = file.count % 3 == 0 ? BatchMark(synced: max(1, sequence) - 1, wallMilliseconds: 0) : nil
        RecordEncoder.append(Record(sequence: sequence, at: time, change: change), mark: mark, to: &file)
        if case .compacted = change { isInState = false }
    }

    private mutating func appendNext() {
        let choice = next()
        // Where no state is written, what belongs to one is damage at once.
        switch choice % (isInState ? 20 : 16) {
        case 0...3:
            lastToken += 1 + UInt64(choice >> 6)
            append(.granted(grant(lastToken)))
        case 4: append(.renewed(renewal()))
        case 5...7: append(.ended(ending()))
        case 8: append(.bound(token()))
        case 9...10: append(.kept(result()))
        case 11: append(.forgotten(forgetting()))
        case 12: time = time + duration()
        case 13: append(.compacted(lines: choice & 128 != 0 ? UInt64(next()) : stateLines))
        case 14: append(.resumed(grace: duration(), afterRestart: choice & 128 != 0))
        case 15: appendRare()
        case 16: append(.held(held()))
        case 17: append(.remembered(ended()))
        case 18: append(.result(StandingResult(kept: result(), at: instant())))
        default: append(.resting(Rest(token: token(), key: key(next()), uid: 7, until: instant())))
        }
    }

    private mutating func appendRare() {
        let choice = next()
        switch choice & 3 {
        case 0: append(.advanced)
        case 1:
            append(.stopped)
            append(.started(Start(boot: boot(choice), shift: 0, lastToken: lastToken)))
        case 2:
            let shift = duration().nanoseconds
            time = choice & 32 != 0 ? instant() : time
            let by = choice & 64 != 0 ? -shift : shift
            append(.started(Start(boot: boot(choice), shift: by, lastToken: lastToken)))
        default:
            lastToken = choice & 128 != 0 ? LogFormat.numberMax - 1 : lastToken + UInt64(choice)
            append(.started(Start(boot: boot(choice), shift: 0, lastToken: lastToken)))
        }
    }
}

// The parts.
extension LogComposer {
    private func boot(_ choice: UInt8) -> Text { choice & 16 != 0 ? fuzzedBoot : Text("another") }

    /// One of the last, mostly.
    private mutating func token() -> Token {
        let back = UInt64(next() & 7)
        return back < lastToken ? lastToken - back : 1
    }

    private func key(_ choice: UInt8) -> Key {
        Key(printed: Array(["user/1", "user/2", "species/1/image", "gone/1"][Int(choice & 3)].utf8))
    }

    private mutating func keys() -> Keys {
        let choice = next()
        let others = (0..<Int(choice >> 6)).map { key(choice >> UInt8(2 + 2 * ($0 & 1))) }
        return Keys(key(choice), others)
    }

    private mutating func duration() -> Duration {
        let spans: [Int64] = [0, 1, 1_000_000, 5_000_000_000, 30_000_000_000, 1 << 58, .max - 9, .max]
        return Duration(nanoseconds: spans[Int(next() & 7)])
    }

    private mutating func instant() -> Instant {
        let choice = next()
        let span = duration()
        return choice & 1 != 0 ? time - span : time + span
    }

    private func process(_ choice: UInt8) -> ProcessIdentity? {
        choice & 1 != 0 ? ProcessIdentity(pid: Int32(choice >> 4) - 1, startTicks: 9) : nil
    }

    private mutating func grant(_ token: Token) -> Grant {
        let (choice, more) = (next(), next())
        return Grant(
            token: token, keys: keys(), owner: Text("o"), uid: UInt32(choice & 1), pid: 1, ttl: duration(),
            maxHold: choice & 2 != 0 ? duration() : nil, isShared: choice & 4 != 0,
            isEphemeral: choice & 8 != 0, process: process(more),
            request: choice & 16 != 0 ? Text("r\(choice >> 6)") : nil, note: nil)
    }

    private mutating func renewal() -> Renewal {
        let choice = next()
        return Renewal(
            token: token(), ttl: duration(), bindsConnection: choice & 2 != 0, process: process(choice))
    }

    private mutating func ending() -> Ending {
        let choice = next()
        let rests = (0..<Int(choice >> 6)).map { _ in duration() }
        return Ending(
            token: token(), reason: EndReason(rawValue: choice & 3)!, isTakenBack: choice & 4 != 0,
            rests: rests.contains { $0 > .zero } ? rests : [])
    }

    private mutating func result() -> KeptResult {
        KeptResult(
            token: token(), keys: keys(), owner: Text("o"), uid: 1, pid: 1, keep: duration(),
            value: Text("v"))
    }

    private mutating func forgetting() -> Forgetting {
        let choice = next()
        return Forgetting(token: token(), key: choice & 4 != 0 ? key(choice) : nil, reason: .asked)
    }

    private mutating func held() -> HeldLease {
        let choice = next()
        return HeldLease(
            grant: grant(token()), grantedAt: instant(), ownDeadline: instant(), deadline: instant(),
            orphanedAt: choice & 1 != 0 ? instant() : nil)
    }

    private mutating func ended() -> EndedLease {
        let choice = next()
        return EndedLease(
            token: token(), reason: .expired, endedAt: instant(), keys: keys(), isShared: choice & 1 != 0,
            uid: 1, request: choice & 2 != 0 ? Text("r\(choice >> 6)") : nil, newestThen: token())
    }
}

// Random records from a seed: the same in every run, and the seed is printed before it is used.

import LeaseLog
import LeaseModel
import SeededRandom

extension SeededRandom {
    /// Prints the seed before it is used.
    init(printing seed: UInt64) {
        print("LeaseLogTests: seed \(seed)")
        self.init(seed: seed)
    }

    mutating func coin() -> Bool {
        below(2) == 0
    }

    /// Of any size: small ones, powers of ten and the ends of the range are as frequent as those between.
    mutating func number() -> UInt64 {
        switch below(5) {
        case 0: UInt64(below(11))
        case 1: UInt64.max - UInt64(below(2))
        case 2: 10_000_000_000 - UInt64(below(2))
        default: next() >> UInt64(below(64))
        }
    }

    mutating func signed() -> Int64 {
        Int64(truncatingIfNeeded: coin() ? number() : 0 &- number())
    }

    mutating func instant() -> Instant {
        Instant(nanoseconds: coin() ? signed() : Int64(below(2_000_000_001)) - 1_000_000_000)
    }

    mutating func duration() -> Duration {
        let number = Int64(truncatingIfNeeded: self.number() >> 1)
        return coin() ? .milliseconds(number >> 21) : Duration(nanoseconds: number)
    }

    mutating func text() -> Text {
        Text(encoding: (0..<below(30)).map { _ in UInt8(truncatingIfNeeded: next()) })
    }

    mutating func keys() -> Keys {
        Keys(key(), (0..<(coin() ? 0 : below(16))).map { _ in key() })
    }

    mutating func token() -> Token {
        max(1, number())
    }

    private mutating func key() -> Key {
        let names = [
            "user/42", "species/31/video", "a/%20", "k/%F0%9F/x", "provider/a.b_c:d@e+f-g", "c/\(number())",
        ]
        return Key(printed: Array(names[below(names.count)].utf8))
    }

    private mutating func process() -> ProcessIdentity? {
        coin() ? nil : ProcessIdentity(pid: Int32(truncatingIfNeeded: next()), startTicks: number())
    }

    private mutating func optional(_ text: Text) -> Text? {
        coin() ? nil : text
    }

    mutating func grant() -> Grant {
        Grant(
            token: token(), keys: keys(), owner: text(), uid: UInt32(truncatingIfNeeded: next()),
            pid: Int32(truncatingIfNeeded: next()), ttl: duration(), maxHold: coin() ? nil : duration(),
            isShared: coin(), isEphemeral: coin(), process: process(), request: optional(text()),
            note: optional(text()))
    }

    private mutating func keptResult() -> KeptResult {
        KeptResult(
            token: token(), keys: keys(), owner: text(), uid: UInt32(truncatingIfNeeded: next()),
            pid: Int32(truncatingIfNeeded: next()), keep: duration(), value: text())
    }

    private mutating func forgetReason() -> ForgetReason {
        ForgetReason.allCases[below(ForgetReason.allCases.count)]
    }

    /// Something that happens to a plain lease: as an event tells it, and as the change that it is.
    mutating func plainChange(_ grant: Grant) -> (Event.What, Change) {
        switch below(3) {
        case 0: return (.granted(ttl: grant.ttl, waited: nil), .granted(grant))
        case 1:
            let renewal = Renewal(token: grant.token, ttl: grant.ttl)
            return (.renewed(ttl: grant.ttl, formerTTL: duration(), left: duration()), .renewed(renewal))
        default:
            let reason = reason()
            return (.ended(reason, held: duration()), .ended(Ending(token: grant.token, reason: reason)))
        }
    }

    private mutating func reason() -> EndReason {
        EndReason.allCases[below(EndReason.allCases.count)]
    }

    /// Not all of them zero.
    private mutating func rests() -> [Duration] {
        let rests = (0..<below(4)).map { _ in coin() ? .zero : duration() }
        return rests.contains { $0 > .zero } ? rests : []
    }

    mutating func change() -> Change {
        switch below(15) {
        case 0: .granted(grant())
        case 1:
            .renewed(Renewal(token: token(), ttl: duration(), bindsConnection: coin(), process: process()))
        case 2:
            .ended(
                Ending(
                    token: token(), reason: reason(), isTakenBack: coin(), note: optional(text()),
                    rests: rests()))
        case 3: .bound(token())
        case 4: .resumed(grace: duration(), afterRestart: coin())
        case 5: .advanced
        case 6: .started(Start(boot: text(), shift: signed(), lastToken: number()))
        case 7: .stopped
        case 8: .compacted(lines: number())
        case 9:
            .held(
                HeldLease(
                    grant: grant(), grantedAt: instant(), ownDeadline: instant(), deadline: instant(),
                    orphanedAt: coin() ? nil : instant()))
        case 10: .kept(keptResult())
        case 11:
            .forgotten(Forgetting(token: token(), key: coin() ? nil : key(), reason: forgetReason()))
        case 12: .result(StandingResult(kept: keptResult(), at: instant()))
        case 13:
            .resting(
                Rest(
                    token: token(), key: keys().first, uid: UInt32(truncatingIfNeeded: next()),
                    until: instant()))
        default:
            .remembered(
                EndedLease(
                    token: token(), reason: reason(), endedAt: instant(), keys: keys(), isShared: coin(),
                    uid: UInt32(truncatingIfNeeded: next()), request: optional(text()),
                    newestThen: max(1, number())))
        }
    }

    mutating func record() -> Record {
        Record(sequence: number(), at: instant(), change: change())
    }

    mutating func mark() -> BatchMark? {
        coin() ? nil : BatchMark(synced: number(), wallMilliseconds: signed())
    }
}

// What an error says to people.

internal import LeaseModel

extension LeaseError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .busy(let busy): busy.description
        case .timedOut(let busy):
            "the wait is over"
                + (busy.waited.map { " after \(LeaseError.short($0))" } ?? "") + ": \(busy.description)"
        case .lost(let lost): lost.description
        case .forbidden(let refusal), .invalid(let refusal): refusal.message
        case .unavailable(let outage): outage.hint
        }
    }

    /// As in `950ms`, `7s`, `2m04s`, `3h20m`, `2d04h`.
    static func short(_ duration: Swift.Duration) -> String {
        let milliseconds = LeaseModel.Duration(duration).wholeMilliseconds
        if milliseconds < 1_000 { return "\(milliseconds)ms" }
        let seconds = milliseconds / 1_000
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3_600 { return "\(seconds / 60)m\(twoDigits(seconds % 60))s" }
        if seconds < 86_400 { return "\(seconds / 3_600)h\(twoDigits(seconds / 60 % 60))m" }
        return "\(seconds / 86_400)d\(twoDigits(seconds / 3_600 % 24))h"
    }

    private static func twoDigits(_ number: Int64) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}

extension LeaseError.Busy: CustomStringConvertible {
    public var description: String {
        var text = "\(key) \(state)"
        if let retryAfter { text += "; try again in \(LeaseError.short(retryAfter))" }
        if placeInLine > 1 { text += "; \(placeInLine - 1) in line" }
        return text
    }

    private var state: String {
        switch reason {
        case .rate: return "has been granted as often as the policy allows"
        case .resting: return "rests after a lease that expired"
        case .queueFull: return "has a full line" + held(", and is held by")
        case .dropped: return "had a full line, which this request had to leave" + held("; it is held by")
        case .queued: return "is free, but \(ahead ?? "somebody") is before"
        case .held, .limit, .timeout, .other:
            let holding = held("is held by")
            return holding.isEmpty ? "is not free" : holding
        }
    }

    private func held(_ words: String) -> String {
        guard let holder else { return "" }
        return "\(words) \(holder.owner) (pid \(holder.pid), uid \(holder.uid)) "
            + "for \(LeaseError.short(holder.age)), \(LeaseError.short(holder.timeLeft)) left"
    }
}

extension LeaseError.Lost: CustomStringConvertible {
    public var description: String {
        let end =
            switch why {
            case .released: "was released"
            case .expired: "expired"
            case .evicted: "was evicted by an administrator"
            case .disconnected: "ended with its connection"
            case .processEnded: "ended with its process"
            case .unanswered: "is over: no renewal was answered in time"
            case .unknown: "is unknown to the daemon"
            }
        return "lease \(token) \(end)" + (takenBy.map { "; lease \($0) has the key since" } ?? "")
    }
}

extension LeaseError.Unavailable {
    init(_ outage: Outage) {
        switch outage {
        case .unreachable(let search, let reason):
            self.init(
                socket: search.path, placesLookedAt: search.places,
                hint: LeaseError.Unavailable.words(search, reason), code: nil)
        case .silent(let path):
            self.init(path, "the daemon at \(path) does not answer; it may be stopped or overwhelmed")
        case .gone(let path):
            self.init(path, "the daemon at \(path) has gone, and did not come back in time")
        case .refused(let path, let code, let message):
            self.init(
                socket: path, placesLookedAt: [path],
                hint: "the daemon at \(path) refuses: \(String(decoding: message, as: UTF8.self))",
                code: String(decoding: code, as: UTF8.self))
        case .noResources(let code):
            self.init(
                socket: nil, placesLookedAt: [],
                hint: "this process can't have another thread or descriptor (error \(code))", code: nil)
        }
    }

    private init(_ path: String, _ hint: String) {
        self.init(socket: path, placesLookedAt: [path], hint: hint, code: nil)
    }

    private static func words(_ search: SocketSearch, _ reason: Unreachable) -> String {
        let places = search.places.joined(separator: ", ")
        return switch reason {
        case .noSocket where search.path == nil:
            "no daemon was found at \(places); start leased, or say where its socket is with LEASED_SOCKET"
        case .noSocket: "there is no socket at \(places); start leased, or name another place"
        case .notListening: "no daemon listens at \(search.path ?? places) any more; start leased again"
        case .permissionDenied: "this user may not connect to \(search.path ?? places); see leased --mode"
        case .notAnswering: "the daemon at \(search.path ?? places) accepts nobody; it may be stopped"
        case .pathTooLong(let bytesMax): "the path \(places) is longer than \(bytesMax) bytes"
        case .system(let code): "\(search.path ?? places) can't be connected to (error \(code))"
        }
    }
}

// `lease run`: a command that runs while keys are held.

import CLaunch
import Glibc
import LeaseClient
import LeaseModel
import LeaseWire

enum Run {
    /// - Returns: the exit code.
    static func run(_ call: Invocation) throws(Complaint) -> Int32 {
        let keys = try Words.keys(call.words)
        let search = SocketSearch(told: call.socket)
        var held = Held(search)
        try held.check(keys, call, search)
        let program = try Program(lastWords: call.command?.count ?? 0)
        let signals = try Signals(keepsStops: Terminal.isThere)
        let command = try Command(
            program, signals: signals, hasOwnGroup: !Terminal.isThere, removed: Held.variables)
        let missing = keys.all.filter { held.token(of: $0) == nil }
        guard let first = missing.first else {
            let token = held.token(of: keys.first) ?? 0
            try command.begin(held.variables(keys, token: token, search))
            return try finish(command, call, nil, signals, subject: keys.first.string)
        }
        let wanted = Keys(first, Array(missing.dropFirst()))
        var request: AcquireRequest
        do throws(Complaint) {
            request = try Asking.request(
                call, keys: wanted, owner: Asking.owner(program: program.name, pid: command.pid))
            request.whilePID = command.pid
            request.notifies = true
            var standing = try Standing(search, call, request, for: command)
            switch try standing.run(signals) {
            case .granted(let lease, let talk):
                held.add(missing, lease.token)
                let subject = missing.map(\.string).joined(separator: ", ")
                let guardian = command.hasOwnGroup ? try Guard(of: command.pid) : nil
                try command.begin(held.variables(keys, token: lease.token, search))
                let renewal = Renewal(search, talk, lease)
                return try finish(command, call, renewal, signals, guardian, subject: subject)
            case .done(let line): throw Complaint(line, .done)
            case .refused(let complaint): throw complaint
            case .interrupted(let signal):
                command.dismiss()
                return interrupted(signal)
            case .commandEnded(let outcome):
                command.reap()
                return outcome.exitCode
            }
        } catch {
            command.dismiss()
            throw error
        }
    }

    /// Ends as the signal would have ended us: who shares the terminal with us wants to see it.
    static func interrupted(_ signal: Signals.Signal) -> Int32 {
        if signal.isFromKernel, Terminal.isThere { claunch_die_by(signal.number) }
        return 128 + signal.number
    }

    private static func finish(
        _ command: Command, _ call: Invocation, _ renewal: consuming Renewal?, _ signals: borrowing Signals,
        _ guardian: consuming Guard? = nil, subject: String
    ) throws(Complaint) -> Int32 {
        var supervision = try Supervision(command, call, renewal, subject: subject)
        let end = supervision.run(signals)
        let isLost = supervision.release() || end.isLost
        if let failure = command.failure { throw failure }
        if isLost { return ExitCode.lost.rawValue }
        if let signal = end.terminalSignal { claunch_die_by(signal) }
        return end.outcome.exitCode
    }
}

// `lease once`: a command that one runs, and whose output everybody prints.

import CLaunch
import Glibc
import LeaseClient
import LeaseIO
import LeaseModel
import LeaseWire

enum Once {
    /// - Returns: the exit code.
    static func run(_ call: Invocation) throws(Complaint) -> Int32 {
        let keys = try Words.keys(call.words)
        let search = SocketSearch(told: call.socket)
        var held = Held(search)
        try held.check(keys, call, search)
        // Under a lease of the key already: it would wait for itself.
        if held.token(of: keys.first) != nil { return try Run.run(call) }
        let program = try Program(lastWords: call.command?.count ?? 0)
        let signals = try Signals(keepsStops: Terminal.isThere)
        let output = try CommandOutput()
        let command = try Command(
            program, signals: signals, hasOwnGroup: !Terminal.isThere, removed: Held.variables,
            output: output.end)
        output.closeEnd()
        do throws(Complaint) {
            let guardian = try guardian(of: command)
            var request = try Asking.request(
                call, keys: keys, owner: Asking.owner(program: program.name, pid: command.pid))
            request.joins = true
            request.notifies = true
            // Not with the command: its lease has to outlive it until the result is told.
            request.whilePID = guardian.pid
            var standing = try Standing(search, call, request, for: command)
            switch try standing.run(signals) {
            case .granted(let lease, let talk):
                held.add(keys.all, lease.token)
                try command.begin(held.variables(keys, token: lease.token, search))
                let renewal = Renewal(search, talk, lease, endsWithCommand: false)
                let supervision = try Supervision(
                    command, call, renewal, subject: keys.first.string, output: output)
                return try finish(command, call, supervision, output, signals, guardian)
            case .done(let line):
                command.dismiss()
                return try show(line, call, output, signals)
            case .refused(let complaint): throw complaint
            case .interrupted(let signal):
                command.dismiss()
                return Run.interrupted(signal)
            case .commandEnded(let outcome):
                command.reap()
                return outcome.exitCode
            }
        } catch {
            command.dismiss()
            throw error
        }
    }

    /// Lives until the command has ended, also where we are killed: so the key is not free before.
    private static func guardian(of command: Command) throws(Complaint) -> Guard {
        try Guard(of: command.hasOwnGroup ? command.pid : nil) {
            guard let watch = try? ProcessWatch.open(command.pid) else { return }
            var look = pollfd(fd: watch.raw, events: Int16(POLLIN), revents: 0)
            poll(&look, 1, 5_000)
        }
    }

    /// Prints what somebody else's command wrote.
    private static func show(
        _ line: ReplyLine, _ call: Invocation, _ output: CommandOutput, _ signals: borrowing Signals
    ) throws(Complaint) -> Int32 {
        let bytes = Text(printed: line.value("result") ?? []).decoded
        if let signal = output.write(bytes, signals) { return Run.interrupted(signal) }
        if let complaint = output.complaint { throw complaint }
        if call.isJSON { Paper.errors.line(ReplyJSON.object(line, .done).written) }
        return ExitCode.done.rawValue
    }

    /// `guardian` is needed until the lease is released.
    private static func finish(
        _ command: Command, _ call: Invocation, _ supervision: consuming Supervision,
        _ output: CommandOutput, _ signals: borrowing Signals, _ guardian: consuming Guard
    ) throws(Complaint) -> Int32 {
        let end = supervision.run(signals)
        output.takeRest()
        let isDone = end.outcome == .exited(0) && !end.isLost
        var isLost = end.isLost
        if isDone, let result = output.result {
            isLost = share(result, &supervision, call)
        } else {
            if isDone { tellTooLong() }
            isLost = supervision.release() || isLost
        }
        _ = consume guardian
        // After the release: nobody else waits for a slow reader of ours.
        let signal = output.finish(signals)
        if let failure = command.failure { throw failure }
        if isLost { return ExitCode.lost.rawValue }
        if let signal = end.terminalSignal { claunch_die_by(signal) }
        if let signal { return Run.interrupted(signal) }
        if isDone, let complaint = output.complaint { throw complaint }
        return end.outcome.exitCode
    }

    /// - Returns: whether the lease was lost before.
    private static func share(
        _ result: Text, _ supervision: inout Supervision, _ call: Invocation
    ) -> Bool {
        guard let answer = supervision.release(with: result) else {
            Paper.errors.line("lease: the output is not shared: the lease was lost, or the daemon is away")
            return false
        }
        if answer.status == .ok {
            if call.isJSON { Paper.errors.line(ReplyJSON.object(answer.first, .ok).written) }
            return false
        }
        let why = Complaint(answer.first, answer.status).sentence
        Paper.errors.line("lease: the output is not shared: \(why)")
        return answer.first.value("next") != nil && call.onLost == .term
    }

    private static func tellTooLong() {
        Paper.errors.line(
            "lease: the output is not shared, since it is longer than \(Limits.resultBytesMax) bytes (all "
                + "but printable ASCII counts 3); others run the command themselves")
    }
}

// What goes on while a command runs: signals are passed on, its lease is renewed, its end is seen or made.

import CLaunch
import Glibc
import LeaseClient
import LeaseModel

struct Supervision: ~Copyable {
    struct End {
        let outcome: Outcome
        let isLost: Bool
        /// The terminal's signal that killed the command: who shares the terminal wants to know.
        let terminalSignal: Int32?
    }

    private struct Ending {
        let killAt: Instant
        var isKilled = false
    }

    private let command: Command
    private let call: Invocation
    /// nil: the command holds nothing of its own.
    private var renewal: Renewal?
    private let subject: String
    /// nil: the command writes where we would.
    private let output: CommandOutput?
    private let maxAt: Instant
    private var ending: Ending?
    private var isLost = false
    private var isOverMax = false
    private var stopAt = Instant.never
    private var terminalSignal: Int32?
    private var witness: Witness?
    private let alarm: Alarm

    /// `subject` is what messages name as lost.
    init(
        _ command: Command, _ call: Invocation, _ renewal: consuming Renewal?, subject: String,
        output: CommandOutput? = nil
    ) throws(Complaint) {
        self.command = command
        self.call = call
        self.renewal = renewal
        self.subject = subject
        self.output = output
        maxAt = call.max.map { BootClock.now() + $0 } ?? .never
        alarm = try Alarm()
        witness = command.hasOwnGroup ? nil : Witness()
    }

    /// Comes back when the command has ended, and where it had to be ended its group as well.
    mutating func run(_ signals: borrowing Signals) -> End {
        while true {
            while let signal = signals.next() { pass(signal) }
            if case .ended(let outcome) = command.state { return end(outcome) }
            if let reason = renewal?.look() { lose(reason) }
            doWhatIsDue(BootClock.now())
            output?.pass()
            alarm.wait(for: renewal?.connection, signals, until: wakeAt, output?.look)
        }
    }

    /// Ends the lease.
    /// - Returns: whether it was lost before.
    mutating func release() -> Bool {
        witness = nil
        guard let reason = renewal?.release() else { return false }
        Paper.errors.line("lease: \(subject) was lost while the command ran: \(reason)")
        return call.onLost == .term
    }

    /// Ends the lease with what the command wrote.
    /// - Returns: what the daemon says; nil where it says nothing, or the lease was lost before.
    mutating func release(with result: Text) -> Answer? {
        witness = nil
        return renewal?.release(with: result, keep: call.keep)
    }

    private var wakeAt: Instant {
        let times = [
            renewal?.wakeAt ?? .never, isOverMax ? .never : maxAt, stopAt,
            ending.map { $0.isKilled ? .never : $0.killAt } ?? .never,
        ]
        return times.min() ?? .never
    }

    private mutating func doWhatIsDue(_ now: Instant) {
        if now >= maxAt, !isOverMax {
            isOverMax = true
            terminate()
        }
        if let ending, !ending.isKilled, now >= ending.killAt {
            self.ending?.isKilled = true
            command.signal(SIGKILL)
        }
        if now >= stopAt {
            stopAt = .never
            // Stopped by itself, and not by the terminal, which would have stopped us as well: so the shell
            // has not seen it yet.
            if command.state == .isStopped { kill(getpid(), SIGTSTP) }
        }
    }
}

// MARK: signals

extension Supervision {
    private mutating func pass(_ signal: Signals.Signal) {
        switch signal.number {
        case SIGCHLD:
            // Where both were stopped and are continued, we may be the first.
            let isStopped = !command.hasOwnGroup && command.state == .isStopped
            stopAt = isStopped ? BootClock.now() + .milliseconds(50) : .never
        case SIGTSTP:
            command.signal(SIGTSTP)
            kill(getpid(), SIGSTOP)
        case SIGCONT:
            if command.hasOwnGroup || command.state == .isStopped { command.signal(SIGCONT) }
        case let number where Signals.isForCommand(number):
            if command.hasOwnGroup {
                command.signal(number)
            } else if (witness?.hasSeen(number) ?? false) || signal.isFromKernel {
                if signal.isFromKernel { terminalSignal = number }
            } else {
                command.signal(number)
            }
        default: break
        }
    }
}

// MARK: the end

extension Supervision {
    private mutating func lose(_ reason: String) {
        let isIgnored = call.onLost == .ignore
        let next = isIgnored ? "the command goes on without it" : "the command is ended"
        Paper.errors.line("lease: \(subject) is lost: \(reason); \(next)")
        guard !isIgnored else { return }
        isLost = true
        terminate()
    }

    /// SIGTERM, and SIGKILL a while later.
    private mutating func terminate() {
        guard ending == nil else { return }
        ending = Ending(killAt: BootClock.now() + call.killAfter)
        if command.hasOwnGroup { claunch_adopt_orphans() }
        command.signal(SIGTERM)
        // One that is stopped could not do anything about it.
        command.signal(SIGCONT)
    }

    private func end(_ outcome: Outcome) -> End {
        command.reap()
        if let ending, command.hasOwnGroup { command.endGroup(killAt: ending.killAt) }
        let signal = terminalSignal.flatMap { outcome == .killed(by: $0) ? $0 : nil }
        return End(outcome: outcome, isLost: isLost, terminalSignal: signal)
    }
}

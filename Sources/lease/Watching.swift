// `lease watch`: a line for each thing that happens, until somebody ends it, over restarts of the daemon.

import Glibc
import LeaseClient
import LeaseModel
import LeaseWire

struct Watching {
    private let call: Invocation
    private let search: SocketSearch
    private let prefixes: [KeyPrefix]
    /// The last change that was told of; nil as long as what there is was not told whole.
    private var since: Sequence64?
    /// Of what there was, so many leases are still to come.
    private var missing: Int64 = 0
    private var sequence: Sequence64 = 0
    /// Which run of the daemon told it.
    private var daemonRun: DaemonRun?

    private enum Stop: Error {
        /// Nobody reads what is printed.
        case unread
        /// The daemon can't be reached any more, or has cut the watch.
        case interrupted(ConnectionError?)
        case failed(Complaint)
    }

    /// Ends well where nobody reads any more. A signal ends it as it ends any program.
    static func run(_ call: Invocation) throws(Complaint) {
        // That nobody reads is seen when writing.
        signal(SIGPIPE, SIG_IGN)
        var watching = try Watching(call)
        try watching.run()
    }

    private init(_ call: Invocation) throws(Complaint) {
        self.call = call
        search = SocketSearch(told: call.socket)
        var prefixes: [KeyPrefix] = []
        for word in call.words { prefixes.append(try Words.prefix(word)) }
        self.prefixes = prefixes
        since = call.since
    }

    private mutating func run() throws(Complaint) {
        var hasBegun = false
        var isSaid = false
        while true {
            do throws(Stop) {
                let connection = try begin(again: hasBegun)
                hasBegun = true
                isSaid = false
                try follow(connection)
            } catch {
                switch error {
                case .unread: return
                case .failed(let complaint): throw complaint
                case .interrupted(let error):
                    if let error, !hasBegun { throw Complaint(error, search) }
                    if error != nil, !isSaid {
                        Paper.errors.line("lease: the daemon has gone; the watch goes on when it is back")
                        isSaid = true
                    }
                    pause()
                    if Watching.isUnread { return }
                }
            }
        }
    }

    /// A daemon that is started anew needs a moment.
    private func pause() {
        var look = Watching.output
        poll(&look, 1, 100)
    }

    private mutating func begin(again: Bool) throws(Stop) -> Connection {
        let connection: Connection
        let answer: Answer
        do throws(ConnectionError) {
            (connection, answer) = try ask(again: again)
        } catch {
            throw .interrupted(error)
        }
        guard answer.status == .ok else { throw .failed(Complaint(answer.first, answer.status)) }
        sequence = answer.first.number("seq") ?? 0
        missing = answer.first.count("leases")
        if missing == 0, since == nil { since = sequence }
        return connection
    }

    private mutating func ask(again: Bool) throws(ConnectionError) -> (Connection, Answer) {
        let deadline = BootClock.now() + Talk.patience
        let connection = try Connection(search, until: deadline)
        let statistics = try connection.ask(.stats, until: deadline)
        guard statistics.status == .ok else { return (connection, statistics) }
        let run = DaemonRun(statistics)
        if let former = daemonRun, !former.goesOn(in: run) {
            tellForgotten()
            since = nil
        }
        daemonRun = run
        var answer = try connection.ask(.watch(prefixes, since: since), until: deadline)
        if again, answer.first.code == .tooOld || answer.first.code == .notYet {
            tellForgotten()
            since = nil
            answer = try connection.ask(.watch(prefixes, since: nil), until: deadline)
        }
        // It does not go on: the next one will be asked.
        if answer.first.code == .stopping { throw .closed }
        return (connection, answer)
    }

    private func tellForgotten() {
        Paper.errors.line("lease: what happened meanwhile is not remembered; this is what there is now")
    }

    private mutating func follow(_ connection: Connection) throws(Stop) {
        while true {
            let arrival: Arrival?
            do throws(ConnectionError) {
                arrival = try connection.arrived()
            } catch {
                throw .interrupted(error)
            }
            switch arrival {
            case .event(let line): try tell(line)
            case .answer(let answer):
                if answer.status == .err { throw .interrupted(.closed) }
            case nil: try wait(for: connection)
            }
        }
    }

    private mutating func tell(_ line: ReplyLine) throws(Stop) {
        let word = EventWords.what(line)
        // What was told up to here is known; the daemon has no more patience with who reads slowly.
        if word == "cut" { throw .interrupted(nil) }
        let paper = Paper.output
        let text = call.isJSON ? EventWords.object(line).written : EventWords.line(line, on: paper)
        guard paper.takes(text + "\n") else {
            throw Watching.isUnread
                ? .unread : .failed(Complaint(.fault, "what happens can't be printed: \(systemText(errno))"))
        }
        if word == "held", missing > 0 {
            missing -= 1
            if missing == 0 { since = sequence }
        } else if let told = since {
            since = max(told, line.number("seq") ?? 0)
        }
    }

    private func wait(for connection: Connection) throws(Stop) {
        var looks = [pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0), Watching.output]
        poll(&looks, nfds_t(looks.count), -1)
        if Watching.isUnread { throw .unread }
    }

    /// Asked for nothing, poll(2) still tells that the other end is closed.
    private static var output: pollfd { pollfd(fd: 1, events: 0, revents: 0) }

    private static var isUnread: Bool {
        var look = output
        return poll(&look, 1, 0) == 1 && look.revents & Int16(POLLERR | POLLHUP) != 0
    }
}

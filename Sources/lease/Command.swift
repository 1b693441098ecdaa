// A command: held back until it may run, watched while it does, and what has become of it.

import CLaunch
import Glibc
import LeaseClient
import LeaseModel

/// How a process ended.
enum Outcome: Equatable {
    case exited(Int32)
    case killed(by: Int32)

    /// As a shell counts.
    var exitCode: Int32 {
        switch self {
        case .exited(let code): code
        case .killed(let signal): 128 + signal
        }
    }
}

/// A command line that can be executed, byte by byte as it was given: file names need not be UTF-8.
final class Program {
    fileprivate let arguments: [UnsafeMutablePointer<CChar>?]
    /// Where the program may be, in the order in which they are tried.
    fileprivate let paths: [UnsafeMutablePointer<CChar>?]
    private let copies: [UnsafeMutablePointer<CChar>]
    /// For messages.
    let name: String

    /// The last words of our own command line. Looks for the program as a shell does, and throws where it is
    /// known to be in vain.
    init(lastWords count: Int) throws(Complaint) {
        let given = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
        arguments = given.suffix(count).map { $0 } + [nil]
        let word = arguments[0].map(Program.bytes) ?? []
        name = String(decoding: word, as: UTF8.self)
        let slash = UInt8(ascii: "/")
        guard !word.contains(slash) else {
            copies = []
            paths = [arguments[0], nil]
            return
        }
        let path = getenv("PATH").map(Program.bytes) ?? Array("/usr/local/bin:/usr/bin:/bin".utf8)
        // An empty part means the working directory.
        let folders = path.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let places = folders.map { folder in
            (folder.isEmpty ? [UInt8(ascii: ".")] : Array(folder)) + [slash] + word
        }
        let found = places.filter { place in
            (place + [0]).withUnsafeBytes { access($0.bindMemory(to: CChar.self).baseAddress!, F_OK) == 0 }
        }
        guard !found.isEmpty else { throw Program.complaint(name, failure: ENOENT) }
        copies = found.map { $0.withUnsafeBufferPointer(Program.copied) }
        paths = copies + [nil]
    }

    deinit {
        for copy in copies { copy.deallocate() }
    }

    private static func bytes(_ text: UnsafeMutablePointer<CChar>) -> [UInt8] {
        UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
    }

    private static func copied(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafeMutablePointer<CChar> {
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
        copy[bytes.count] = 0
        return copy
    }

    static func complaint(_ name: String, failure: Int32) -> Complaint {
        if failure == ENOENT { return Complaint(.notFound, "\(quoted(name)) can't be found") }
        return Complaint(.notExecutable, "\(quoted(name)) can't be executed: \(systemText(failure))")
    }
}

/// A child process that has not been executed yet, runs, or has ended.
final class Command {
    enum State: Equatable {
        case runs
        case isStopped
        case ended(Outcome)
    }

    let pid: pid_t
    private let program: Program
    /// Whether signals go to a process group, or to the process alone.
    let hasOwnGroup: Bool
    /// -1 once it is closed.
    private var gate: Int32
    private let report: Int32
    private var isReaped = false

    /// Forks: there must be no other thread. `removed` are variables that the command does not get, `output`
    /// is its standard output where that is not ours.
    init(
        _ program: Program, signals: borrowing Signals, hasOwnGroup: Bool, removed: Set<String>,
        output: Int32 = -1
    ) throws(Complaint) {
        self.program = program
        self.hasOwnGroup = hasOwnGroup
        let room = 8
        var environment = Command.environment(without: removed)
        let count = environment.count
        environment += Array(repeating: nil, count: room + 1)
        var arguments = program.arguments
        let shell = strdup("/bin/sh")
        defer { free(shell) }
        var script = [shell, nil] + arguments.dropFirst()
        var paths = program.paths
        var ends: (gate: Int32, report: Int32) = (-1, -1)
        let hasDefault: Int32 = signals.childSignalWasIgnored ? 0 : 1
        let child = paths.withUnsafeMutableBufferPointer { paths in
            arguments.withUnsafeMutableBufferPointer { arguments in
                script.withUnsafeMutableBufferPointer { script in
                    environment.withUnsafeMutableBufferPointer { environment in
                        var command = claunch_command(
                            paths: paths.baseAddress, arguments: arguments.baseAddress,
                            script: script.baseAddress, environment: environment.baseAddress,
                            variables: count, room: room, output: output, has_own_group: hasOwnGroup ? 1 : 0,
                            has_default_child_signal: hasDefault)
                        return claunch_fork(&command, &ends.gate, &ends.report)
                    }
                }
            }
        }
        guard child > 0 else { throw .system("a process for the command can't be had") }
        pid = child
        gate = ends.gate
        report = ends.report
        // Both do it, so that it is done whoever comes first.
        if hasOwnGroup { claunch_set_group(child) }
    }

    /// Lets it be executed, with these variables in addition.
    func begin(_ variables: [(name: String, value: String)]) throws(Complaint) {
        var bytes: [UInt8] = []
        for variable in variables { bytes += Array("\(variable.name)=\(variable.value)".utf8) + [0] }
        bytes.append(0)
        guard bytes.count <= Int(CLAUNCH_GATE_MAX) else {
            throw Complaint(.fault, "the command would be inside of too many others that hold keys")
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(gate, $0.baseAddress, $0.count) }
            // It has been killed: how is seen when it is looked at.
            if count < 0, errno != EINTR { break }
            rest = rest.dropFirst(max(0, count))
        }
        close(gate)
        gate = -1
    }

    /// Ends it where it has not been executed: it never is.
    func dismiss() {
        if gate >= 0 { close(gate) }
        gate = -1
        // Its pid may be another's by then.
        guard !isReaped else { return }
        kill(pid, SIGKILL)
        reap()
    }

    var state: State { Command.state(of: pid) }

    static func state(of pid: pid_t) -> State {
        var value: Int32 = 0
        switch claunch_state(pid, &value) {
        case Int32(CLAUNCH_RUNS): return .runs
        case Int32(CLAUNCH_STOPPED): return .isStopped
        case Int32(CLAUNCH_EXITED): return .ended(.exited(value))
        case Int32(CLAUNCH_KILLED): return .ended(.killed(by: value))
        // Somebody else has waited for our child: how it ended can't be known.
        default: return .ended(.exited(ExitCode.fault.rawValue))
        }
    }

    /// The group is there as long as one of its processes is, the ended command aside once it is reaped.
    func signal(_ number: Int32) { kill(hasOwnGroup ? -pid : pid, number) }

    /// Of a command that has ended: ends what is left of its group, at an instant, and waits for that.
    func endGroup(killAt: Instant) {
        var isKilled = false
        // A process that can't be ended even so hangs in the kernel.
        while claunch_group_is_there(pid) != 0, BootClock.now() < killAt + .seconds(2) {
            if !isKilled, BootClock.now() >= killAt {
                isKilled = true
                signal(SIGKILL)
            }
            usleep(5_000)
        }
    }

    func reap() {
        isReaped = true
        claunch_reap(pid)
    }

    /// Why it could not be executed; nil where it was. To be asked when it has ended.
    var failure: Complaint? {
        var code: Int32 = 0
        guard read(report, &code, MemoryLayout<Int32>.size) == MemoryLayout<Int32>.size else { return nil }
        return Program.complaint(program.name, failure: code)
    }

    private static func environment(without removed: Set<String>) -> [UnsafeMutablePointer<CChar>?] {
        var kept: [UnsafeMutablePointer<CChar>?] = []
        var next = environ
        while let entry = next.pointee {
            let bytes = UnsafeBufferPointer(start: entry, count: strlen(entry))
            let name = bytes.prefix { $0 != CChar(UInt8(ascii: "=")) }.map { UInt8(bitPattern: $0) }
            if !removed.contains(String(decoding: name, as: UTF8.self)) { kept.append(entry) }
            next += 1
        }
        return kept
    }
}

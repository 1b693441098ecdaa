// From the arguments to the verb that does what they ask for.

import CLaunch
import Glibc

enum Start {
    /// - Returns: the exit code.
    static func run(_ arguments: [String]) -> Int32 {
        claunch_occupy_standard()
        var isJSON = arguments.prefix { $0 != "--" }.contains("--json")
        // Also where the line is wrong: stdout is a command's that was to run.
        var outputIsOurs = !arguments.contains("--")
        do throws(Complaint) {
            let call = try CommandLineReader.read(arguments)
            isJSON = call.isJSON
            outputIsOurs = call.command == nil
            return try perform(call)
        } catch {
            tell(error, isJSON: isJSON, outputIsOurs: outputIsOurs)
            return error.code
        }
    }

    private static func perform(_ call: Invocation) throws(Complaint) -> Int32 {
        if call.wantsVersion {
            Paper.output.line(Help.version)
            return ExitCode.done.rawValue
        }
        if call.wantsHelp {
            Paper.output.write(Help.text(call.verb))
            return ExitCode.done.rawValue
        }
        switch call.verb {
        case .run: return try Run.run(call)
        case .once: return try Once.run(call)
        case .acquire: return try Leases.acquire(call)
        case .sandbox: return try Sandbox.run(call)
        case .bench: return try Bench.run(call)
        case .log: return try LogVerify.run(call)
        case .renew: try Leases.renew(call)
        case .release: try Leases.release(call)
        case .evict: try Leases.evict(call)
        case .get: try Looking.get(call)
        case .why: try Looking.why(call)
        case .list: try Looking.list(call)
        case .watch: try Watching.run(call)
        case .history: try History.show(call)
        case .stats: try Statistics.show(call)
        case .policy: try Looking.policy(call)
        case .status: try Status.show(call)
        case .ping: try Looking.ping(call)
        case .help: Paper.output.write(Help.text(.help))
        }
        return ExitCode.done.rawValue
    }

    /// One sentence for people, and for programs what the daemon said: on stdout, unless that is a command's.
    private static func tell(_ complaint: Complaint, isJSON: Bool, outputIsOurs: Bool) {
        let value =
            complaint.reply
            ?? .object([
                ("status", .text("err")), ("message", .text(complaint.sentence)),
            ])
        if isJSON { (outputIsOurs ? Paper.output : Paper.errors).line(value.written) }
        if !isJSON || outputIsOurs { Paper.errors.line("lease: \(complaint.sentence)") }
    }
}

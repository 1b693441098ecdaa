// What happens between the first instruction and the loop, in the order that keeps everything safe.

import Glibc
import LeaseIO
import LeaseModel
import LeaseServer

enum Start {
    /// Runs the daemon.
    /// - Returns: its exit code (sysexits(3)).
    static func run(_ arguments: [String]) -> Int32 {
        var journal = Journal(level: .info)
        do throws(Complaint) {
            let options = try Options.read(arguments)
            journal = Journal(level: options.logLevel)
            switch options.action {
            case .help: print(OptionTable.help)
            case .version: print(Options.versionLine)
            case .check: print(try PolicyFile.check(options.policyPath))
            case .run: return try serve(options, journal)
            }
            return 0
        } catch {
            var complaints = Journal(level: .error)
            complaints.error(error.sentence)
            return error.exitCode
        }
    }

    private static func serve(_ options: Options, _ journal: consuming Journal) throws(Complaint) -> Int32 {
        try system("the standard descriptors") { () throws(Errno) in try occupyStandardDescriptors() }
        let descriptorsMax = try system("descriptors") { () throws(Errno) in try raiseDescriptorLimit() }
        // The last two would end the daemon for nothing.
        ignoreSignals([SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2])
        // Before any thread exists: a thread inherits the mask.
        let signals = try system("signals") { () throws(Errno) in
            try SignalQueue([SIGTERM, SIGINT, SIGHUP, SIGCONT])
        }
        if options.exitsWithParent {
            let hasParent = try system("--exit-with-parent") { () throws(Errno) in
                try signalWhenParentEnds(SIGTERM)
            }
            guard hasParent else { return 0 }
        }
        if let descriptor = options.readyFD, !isOpenDescriptor(descriptor) {
            throw Complaint(.usage, "--ready-fd names descriptor \(descriptor), which is not open")
        }
        let places = try Places(options, environment: variable, uid: geteuid())
        var server = Server(
            policy: try PolicyFile.read(options.policyPath), options: try serverOptions(options))
        let moment = try now()
        var opening: Opening?
        if let path = places.dataPath {
            opening = Opening(folder: try folder(path), moment: moment)
            try opening?.read(&server)
        }
        try places.makeDirectories(mode: options.mode)
        let listener: Listener
        do throws(Complaint) {
            listener = try listen(places.socketPath, mode: options.mode)
        } catch {
            opening?.folder.directory.removeIfNew()
            throw error
        }
        let store = try opening?.begin(&server, sync: options.sync)
        if store == nil { server.begin(at: moment, reserved: nil) }
        let poller = try system("epoll") { () throws(Errno) in try Poller() }
        let timer = try system("a timer") { () throws(Errno) in try WakeTimer() }
        var daemon = Daemon(
            settings: Daemon.Settings(
                hasManualClock: options.hasManualClock, uid: geteuid(), policyPath: options.policyPath,
                descriptorsMax: descriptorsMax),
            server: server, poller: poller, timer: timer, signals: signals, listener: listener, store: store,
            journal: journal)
        if let said = opening?.said { daemon.journal.error(said) }
        daemon.journal.info("serving at \(places.socketPath)")
        return daemon.run(readyFD: options.readyFD)
    }

    private static func serverOptions(_ options: Options) throws(Complaint) -> ServerOptions {
        var wanted = ServerOptions()
        wanted.limits = options.limits
        wanted.grace = options.grace
        wanted.hasManualClock = options.hasManualClock
        wanted.isPrivate = options.isPrivate
        wanted.hasLog = !options.isMemory
        let random = try system("random numbers") { () throws(Errno) in try randomBytes(8) }
        wanted.seed = random.reduce(0) { $0 << 8 | UInt64($1) }
        return wanted
    }

    private static func now() throws(Complaint) -> Moment {
        let boot = try system("the boot's ID") { () throws(Errno) in try Clocks.bootID() }
        return Moment(
            boot: Text(boot), now: Instant(nanoseconds: Clocks.bootNanoseconds()),
            wallMilliseconds: Clocks.wallMilliseconds())
    }

    private static func folder(_ path: String) throws(Complaint) -> Folder {
        do throws(DirectoryError) {
            return try Folder(path: path)
        } catch {
            throw Complaint(error, advice: "choose another place for the data with --data")
        }
    }

    private static func listen(_ path: String, mode: UInt32) throws(Complaint) -> Listener {
        do throws(ListenerError) {
            return try Listener(path: path, mode: mode)
        } catch {
            throw Complaint(error)
        }
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    private static func system<Value: ~Copyable>(
        _ what: String, _ body: () throws(Errno) -> Value
    ) throws(Complaint) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw Complaint(.internalFault, "\(what): \(error)")
        }
    }
}

// What the command line asks for.

import LeaseModel
import LeaseServer

/// The daemon's command line, read and checked.
struct Options: Equatable, Sendable {
    /// What to do with the rest.
    enum Action: Equatable, Sendable {
        case run
        /// Read the policy, say whether it is good, and end.
        case check
        case version
        case help
    }

    /// From the least to the most that is said.
    enum LogLevel: String, CaseIterable, Sendable {
        case error
        case info
        case debug
    }

    var action = Action.run
    /// As given; nil: one of the default places.
    var socketPath: String?
    /// As given; nil: one of the default places, or none at all with `isMemory`.
    var dataPath: String?
    /// nil: the built-in policy.
    var policyPath: String?
    var sync = SyncPolicy.always
    var grace = Duration.seconds(5)
    /// Of the socket's file.
    var mode: UInt32 = 0o600
    var hasManualClock = false
    /// Whether users see nothing of what others say of themselves.
    var isPrivate = false
    /// Whether nothing is written to a disk.
    var isMemory = false
    /// Where to say that the service is up.
    var readyFD: Int32?
    var exitsWithParent = false
    var logLevel = LogLevel.info
    var limits = Limits()

    /// What `--version` prints.
    static let versionLine = "leased 0.1.0"

    /// Reads the arguments behind the program's name. `--help` and `--version` end the reading: what stands
    /// behind the first of them is not looked at.
    static func read(_ arguments: [String]) throws(Complaint) -> Options {
        var options = Options()
        var given: Set<String> = []
        var rest = arguments[...]
        while let word = rest.popFirst() {
            let entry = try OptionTable.entry(for: word)
            guard given.insert(entry.name).inserted else {
                throw Complaint(.usage, "\(entry.flag) is given twice; leave one of them out")
            }
            try entry.set(&options, to: OptionTable.value(of: entry, in: word, &rest))
            if options.action == .help || options.action == .version { return options }
        }
        options.capWhatIsNotGiven(given)
        try options.requireNoContradiction()
        return options
    }

    /// A bound on a part that nobody gave is no reason to refuse a smaller one on the whole.
    private mutating func capWhatIsNotGiven(_ given: Set<String>) {
        func cap(_ part: WritableKeyPath<Limits, Int>, _ name: String, by whole: KeyPath<Limits, Int>) {
            guard !given.contains(name) else { return }
            limits[keyPath: part] = min(limits[keyPath: part], limits[keyPath: whole])
        }
        cap(\.connectionsPerUserMax, "connections-per-user-max", by: \.connectionsMax)
        cap(\.leasesPerUserMax, "leases-per-user-max", by: \.leasesMax)
        cap(\.countedGrantsPerUserMax, "counted-grants-per-user-max", by: \.countedGrantsMax)
        cap(\.waitersPerUserMax, "waiters-per-user-max", by: \.waitersMax)
        cap(\.waitersPerConnectionMax, "waiters-per-connection-max", by: \.waitersPerUserMax)
        cap(\.joinersPerUserMax, "joiners-per-user-max", by: \.joinersMax)
        cap(\.outputBytesPerUserMax, "output-bytes-per-user-max", by: \.outputBytesInAllMax)
        cap(\.outputBytesMax, "output-bytes-max", by: \.outputBytesPerUserMax)
        cap(\.keptPerUserMax, "kept-per-user-max", by: \.keptMax)
        cap(\.keptBytesPerUserMax, "kept-bytes-per-user-max", by: \.keptBytesMax)
    }

    private func requireNoContradiction() throws(Complaint) {
        if isMemory, dataPath != nil {
            throw Complaint(
                .usage, "--memory keeps no data, so --data can't stand beside it; leave out one of them")
        }
        if let contradiction = limits.contradiction { throw Complaint(.usage, contradiction) }
    }
}

// A private daemon for a test.

public import LeaseClient

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// A daemon of the test's own, in a private folder, and clients of it.
///
///     let rig = try await LeaseRig.start(clock: .manual)
///     try await rig.client("tab-A").withLease(on: .user("42"), ttl: .seconds(30)) { lease in
///         try await rig.advance(by: .seconds(600))
///         #expect(!lease.isLost)                         // it was renewed on the way
///     }
///
/// The daemon is the program `leased`: the one that `$LEASED_BINARY` names, else the one beside the running
/// test, where SwiftPM builds it with this library, else the first in `$PATH`. It runs on Linux.
///
/// When the rig is let go, or ``stop()`` is called, the daemon and its folder are gone. They are also gone, a
/// moment later, when the test's process is killed.
public final class LeaseRig: Sendable {
    /// Which clock the daemon goes by.
    public enum Clock: Sendable {
        /// The machine's.
        case system
        /// One that only ``LeaseRig/advance(by:renewing:)`` moves. It starts at 0.
        case manual
    }

    public let clock: Clock
    private let keeper: Keeper
    private let daemon: RigDaemon
    let time = ManualTime()
    private let clients = Guarded<[(name: String, client: LeaseClient)]>([])
    /// For the rig's own questions.
    let asker: LeaseClient

    /// Starts a daemon, and returns when it serves.
    ///
    /// - Parameters:
    ///   - clock: The machine's, or one that the test moves.
    ///   - policy: The text of a policy; by default the one that is built in.
    ///   - flags: Further flags of `leased`, as in `--grace=1s`.
    /// - Throws: ``LeaseRigError`` where the program is not found or does not start.
    public static func start(
        clock: Clock = .system, policy: String? = nil, flags: [String] = []
    ) async throws(LeaseRigError) -> LeaseRig {
        let rig = try LeaseRig(clock, policy: policy, flags: flags)
        try await rig.keeper.run { [daemon = rig.daemon] () throws(LeaseRigError) in try daemon.start() }
        return rig
    }

    private init(_ clock: Clock, policy: String?, flags: [String]) throws(LeaseRigError) {
        self.clock = clock
        keeper = try Keeper()
        daemon = try RigDaemon(
            flags: (clock == .manual ? ["--clock=manual"] : []) + flags, policy: policy)
        asker = LeaseClient(socket: daemon.socket, owner: "rig", patience: .seconds(20))
    }

    deinit { keeper.begin { [daemon] in daemon.remove() } }

    /// The path of the daemon's socket, for programs that the test starts.
    public var socket: String { daemon.socket }

    /// A client of the daemon; the same one for the same name, which is the owner of its leases. With a
    /// manual clock it counts on that, too.
    public func client(_ name: String) -> LeaseClient {
        clients.withLock { clients in
            if let known = clients.first(where: { $0.name == name }) { return known.client }
            let client =
                clock == .manual
                ? LeaseClient(socket: socket, owner: name, time: time)
                : LeaseClient(socket: socket, owner: name)
            clients.append((name, client))
            return client
        }
    }

    var allClients: [LeaseClient] {
        clients.withLock { $0.map(\.client) }
    }

    /// The last of what the daemon said on stderr.
    public var messages: String { daemon.messages }
}

// MARK: - What happens to the daemon

extension LeaseRig {
    /// Kills the daemon (SIGKILL). Its log and its folder stay.
    public func crash() async throws {
        try await keeper.run { [daemon] () throws(LeaseRigError) in daemon.crash() }
    }

    /// Starts the daemon again after a crash; where it runs, it is stopped in order before. Clients connect
    /// to it by themselves.
    public func restart() async throws {
        try await keeper.run { [daemon] () throws(LeaseRigError) in
            daemon.stop()
            try daemon.start()
        }
    }

    /// Holds the daemon up (SIGSTOP): it is there, and says nothing.
    public func pause() async throws {
        try await keeper.run { [daemon] () throws(LeaseRigError) in daemon.signal(SIGSTOP) }
    }

    /// Lets a paused daemon go on.
    public func resume() async throws {
        try await keeper.run { [daemon] () throws(LeaseRigError) in daemon.signal(SIGCONT) }
    }

    /// Ends the daemon and removes its folder now, and not only when the rig is let go.
    public func stop() async throws {
        try await keeper.run { [daemon] () throws(LeaseRigError) in daemon.remove() }
    }
}

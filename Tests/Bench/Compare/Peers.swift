// The servers that are compared: how each is started, and where it listens.

import Glibc
import TestSupport

/// When a server has its log on the disk.
enum Syncing: String, CaseIterable {
    case never, always
}

/// A running server.
final class Server {
    let name: String
    /// The words in which it is spoken to.
    let language: String
    /// A path, or a port of this machine.
    let address: String
    private let program: Program
    private let stop: Int32

    /// `stop` is the signal that ends it with all its processes.
    init(
        _ name: String, language: String, address: String, _ program: Program, stop: Int32 = SIGKILL
    ) throws(Failure) {
        self.name = name
        self.stop = stop
        self.language = language
        self.address = address
        self.program = program
        try waitUntilItListens(at: address, program)
        pin(program.pid, toCore: 0)
    }

    deinit {
        program.signal(stop)
        _ = program.exitCode(within: 10)
    }

    /// Of all its threads, and of its processes, since its start.
    var processorNanoseconds: Int64 {
        let ended = accountedNanosecondsOfEndedChildren(of: program.pid)
        return children(of: program.pid).reduce(accountedNanoseconds(of: program.pid) + ended) {
            $0 + accountedNanoseconds(of: $1)
        }
    }
}

extension Server {
    /// What of it was the kernel's work.
    var kernelNanosecondsOfAll: Int64 {
        children(of: program.pid).reduce(kernelNanoseconds(of: program.pid)) {
            $0 + kernelNanoseconds(of: $1)
        }
    }
}

/// Starts a server that ends with this process, however that ends.
func mortal(_ words: [String], uid: UInt32? = nil) throws(Failure) -> Program {
    let wrapper = installed("setpriv").map { [$0, "--pdeathsig", "KILL"] } ?? []
    return try Program(wrapper + words, uid: uid)
}

/// A kind of server that may be installed here.
struct Peer: Sendable {
    let name: String
    /// Where it is found, and the package of Debian's that brings it.
    let program: String?
    let package: String
    /// Whether it can be asked for this.
    let canSync: Set<Syncing>
    let start: @Sendable (TemporaryFolder, Syncing) throws(Failure) -> Server
}

enum Peers {
    /// In the order of the table.
    static let all = [leased, redis, memcached, beanstalkd, etcd, Postgres.peer, floor, floorWithLeases]

    private static let leased = Peer(
        name: "leased", program: builtProgram("leased"), package: "", canSync: [.never, .always]
    ) { folder, syncing throws(Failure) in
        try Server(
            "leased", language: "leased", address: folder("leased"),
            mortal([
                builtProgram("leased"), "--socket=\(folder("leased"))", "--data=\(folder("leased.data"))",
                "--sync=\(syncing.rawValue)", "--log-level=error",
            ]))
    }

    private static let redis = Peer(
        name: "Redis", program: installed("redis-server"), package: "redis-server",
        canSync: [.never, .always]
    ) { folder, syncing throws(Failure) in
        try Server(
            "Redis", language: "redis", address: folder("redis"),
            mortal([
                installed("redis-server")!, "--port", "0", "--unixsocket", folder("redis"),
                "--dir", folder.path, "--save", "", "--appendonly", "yes",
                "--appendfsync", syncing == .always ? "always" : "no",
                "--auto-aof-rewrite-percentage", "0",
            ]))
    }

    private static let memcached = Peer(
        name: "memcached", program: installed("memcached"), package: "memcached", canSync: [.never]
    ) { folder, _ throws(Failure) in
        try Server(
            "memcached", language: "memcached", address: folder("memcached"),
            mortal([installed("memcached")!, "-u", "root", "-t", "1", "-s", folder("memcached")]))
    }

    private static let beanstalkd = Peer(
        name: "beanstalkd", program: installed("beanstalkd"), package: "beanstalkd",
        canSync: [.never, .always]
    ) { folder, syncing throws(Failure) in
        mkdir(folder("binlog"), 0o700)
        return try Server(
            "beanstalkd", language: "beanstalkd", address: folder("beanstalkd"),
            mortal(
                [installed("beanstalkd")!, "-l", "unix:\(folder("beanstalkd"))", "-b", folder("binlog")]
                    + (syncing == .always ? ["-f", "0"] : ["-F"])))
    }

    private static let floor = ownFloor("the floor", [])
    private static let floorWithLeases = ownFloor("the floor with leases", ["leases"])

    private static func ownFloor(_ name: String, _ words: [String]) -> Peer {
        Peer(
            name: name, program: builtProgram("bench-floor"), package: "", canSync: [.never, .always]
        ) { folder, syncing throws(Failure) in
            let (socket, log) = (folder("floor\(words.count)"), folder("floor\(words.count).log"))
            return try Server(
                name, language: "leased", address: socket,
                mortal([builtProgram("bench-floor"), socket, log, syncing.rawValue] + words))
        }
    }

    /// Over HTTP. It can't be asked not to sync.
    private static let etcd = Peer(
        name: "etcd", program: installed("etcd"), package: "etcd-server", canSync: [.always]
    ) { folder, _ throws(Failure) in
        let (port, other) = (try freePort(), try freePort())
        let url = "http://127.0.0.1:\(port)"
        return try Server(
            "etcd", language: "etcd", address: "\(port)",
            mortal([
                installed("etcd")!, "--data-dir", folder("etcd"), "--listen-client-urls", url,
                "--advertise-client-urls", url, "--listen-peer-urls", "http://127.0.0.1:\(other)",
                "--initial-advertise-peer-urls", "http://127.0.0.1:\(other)",
                "--initial-cluster", "default=http://127.0.0.1:\(other)", "--log-level", "error",
            ]))
    }
}

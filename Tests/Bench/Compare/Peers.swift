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

    init(_ name: String, language: String, address: String, _ program: Program) throws(Failure) {
        self.name = name
        self.language = language
        self.address = address
        self.program = program
        try waitUntilItListens(at: address, program)
        pin(program.pid, toCore: 0)
    }

    /// Of all its threads since its start.
    var processorNanoseconds: Int64 { accountedNanoseconds(of: program.pid) }
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
    static let all = [leased, redis, memcached, beanstalkd, floor]

    private static let leased = Peer(
        name: "leased", program: builtProgram("leased"), package: "", canSync: [.never, .always]
    ) { folder, syncing throws(Failure) in
        try Server(
            "leased", language: "leased", address: folder("leased"),
            Program([
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
            Program([
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
            Program([installed("memcached")!, "-u", "root", "-t", "1", "-s", folder("memcached")]))
    }

    private static let beanstalkd = Peer(
        name: "beanstalkd", program: installed("beanstalkd"), package: "beanstalkd",
        canSync: [.never, .always]
    ) { folder, syncing throws(Failure) in
        mkdir(folder("binlog"), 0o700)
        return try Server(
            "beanstalkd", language: "beanstalkd", address: folder("beanstalkd"),
            Program(
                [installed("beanstalkd")!, "-l", "unix:\(folder("beanstalkd"))", "-b", folder("binlog")]
                    + (syncing == .always ? ["-f", "0"] : ["-F"])))
    }

    private static let floor = Peer(
        name: "the floor", program: builtProgram("bench-floor"), package: "", canSync: [.never, .always]
    ) { folder, syncing throws(Failure) in
        try Server(
            "the floor", language: "leased", address: folder("floor"),
            Program([builtProgram("bench-floor"), folder("floor"), folder("floor.log"), syncing.rawValue]))
    }

    /// For reference, over HTTP.
    static let etcd = Peer(
        name: "etcd", program: installed("etcd"), package: "etcd-server", canSync: [.always]
    ) { folder, _ throws(Failure) in
        let (port, other) = (try freePort(), try freePort())
        let url = "http://127.0.0.1:\(port)"
        return try Server(
            "etcd", language: "etcd", address: "\(port)",
            Program([
                installed("etcd")!, "--data-dir", folder("etcd"), "--listen-client-urls", url,
                "--advertise-client-urls", url, "--listen-peer-urls", "http://127.0.0.1:\(other)",
                "--initial-advertise-peer-urls", "http://127.0.0.1:\(other)",
                "--initial-cluster", "default=http://127.0.0.1:\(other)", "--log-level", "error",
            ]))
    }
}

// The pure server with a log in an array and processes that are only names: no socket, no disk, no clock.

import LeaseCore
import LeaseModel
import LeaseServer

/// Processes as the kernel would show them.
struct SimulatedProcesses {
    private struct Entry {
        let uid: UInt32
        var isAlive = true
    }

    private var entries: [Int32: Entry] = [:]
    private var lastPID: Int32 = 3_000

    mutating func start(uid: UInt32) -> Int32 {
        lastPID += 1
        entries[lastPID] = Entry(uid: uid)
        return lastPID
    }

    mutating func end(_ pid: Int32) {
        entries[pid]?.isAlive = false
    }

    func report(_ pid: Int32) -> ProcessReport {
        guard let entry = entries[pid], entry.isAlive else { return .dead }
        return .alive(identity(pid), uid: entry.uid)
    }

    func identity(_ pid: Int32) -> ProcessIdentity {
        ProcessIdentity(pid: pid, startTicks: UInt64(pid) * 100)
    }
}

/// What outlives a daemon.
final class SimulatedDisk {
    var log: [UInt8] = []
    var numbers: Numbers?
    var processes = SimulatedProcesses()
}

final class SimulatedWorld: World {
    private struct Client {
        var id: UInt64
        var inbox: [UInt8] = []
        var isClosed = false
    }

    let uid: UInt32 = 0
    private let disk = SimulatedDisk()
    private var daemon: SimulatedDaemon?
    private var clients: [String: Client] = [:]
    private var processes: [String: Int32] = [:]
    /// The process at the other end of each connection; it stays the same if it connects again.
    private var peers: [String: Int32] = [:]
    private var isPaused = false
    /// What is to come to the daemon when it goes on.
    private var held: [SimulatedDaemon.News] = []

    func start(flags: [String], policy: [UInt8]?) throws(Stuck) {
        daemon = try SimulatedDaemon(disk, flags: flags, policy: policy)
        // Against a real daemon the runner has a connection of its own, which counts.
        _ = try connect("", uid: nil)
    }

    func stop() throws(Stuck) {
        daemon?.stop(held)
        collect()
        daemon = nil
        held = []
        isPaused = false
        for name in clients.keys {
            clients[name]?.isClosed = true
            // The next daemon counts its connections anew.
            clients[name]?.id = 0
        }
    }

    func write(policy: [UInt8]) throws(Stuck) { daemon?.policy = policy }

    func hangUpSignal() throws(Stuck) {
        daemon?.reload()
        collect()
    }

    func kill() throws(Stuck) {
        daemon = nil
        held = []
        isPaused = false
        clients = [:]
    }

    func pause() throws(Stuck) { isPaused = true }

    func resume() throws(Stuck) {
        isPaused = false
        let news = held
        held = []
        daemon?.take(news)
        collect()
    }

    func connect(_ name: String, uid: UInt32?) throws(Stuck) -> (pid: Int32, command: String) {
        guard let daemon else { throw Stuck("there is no daemon") }
        let uid = uid ?? self.uid
        let pid = peers[name] ?? disk.processes.start(uid: uid)
        peers[name] = pid
        let owner = Text("nc:\(pid)")
        let peer = Peer(uid: uid, pid: pid, defaultOwner: owner, isAdministrator: uid == 0)
        switch daemon.open(peer) {
        case .id(let id): clients[name] = Client(id: id)
        case .refused(let line): clients[name] = Client(id: 0, inbox: line, isClosed: true)
        }
        return (pid, "nc")
    }

    func send(_ name: String, _ bytes: [UInt8]) throws(Stuck) { try tell(name) { .received($0, bytes) } }
    func endInput(_ name: String) throws(Stuck) { try tell(name) { .inputEnded($0) } }

    func hangUp(_ name: String) throws(Stuck) {
        try tell(name) { .hungUp($0) }
        clients[name] = nil
    }

    private func tell(_ name: String, _ news: (UInt64) -> SimulatedDaemon.News) throws(Stuck) {
        guard let client = clients[name] else { throw Stuck("\(name) is not connected") }
        if client.isClosed { return }
        if isPaused {
            held.append(news(client.id))
        } else {
            daemon?.take([news(client.id)])
            collect()
        }
    }

    /// What the daemon has sent goes to its clients.
    private func collect() {
        guard let daemon else { return }
        for name in clients.keys {
            guard let id = clients[name]?.id, id != 0 else { continue }
            clients[name]?.inbox += daemon.sent.removeValue(forKey: id) ?? []
            if daemon.closed.contains(id) { clients[name]?.isClosed = true }
        }
    }

    func next(_ name: String) throws(Stuck) -> Arrival {
        guard var client = clients[name] else { throw Stuck("\(name) is not connected") }
        guard let end = client.inbox.firstIndex(of: UInt8(ascii: "\n")) else {
            return client.isClosed ? .closed : .nothing
        }
        let line = Array(client.inbox[..<end])
        client.inbox.removeFirst(end + 1)
        clients[name] = client
        return .line(line)
    }

    func settle() throws(Stuck) {}

    func unread(_ name: String) throws(Stuck) -> [UInt8] { clients[name]?.inbox ?? [] }

    func isClosed(_ name: String) throws(Stuck) -> Bool { clients[name]?.isClosed ?? true }

    func startProcess(_ name: String, uid: UInt32?) throws(Stuck) -> Int32 {
        let pid = disk.processes.start(uid: uid ?? self.uid)
        processes[name] = pid
        return pid
    }

    func endProcess(_ name: String) throws(Stuck) {
        guard let pid = processes[name] else { throw Stuck("there is no process \(name)") }
        disk.processes.end(pid)
        let news = SimulatedDaemon.News.processEnded(disk.processes.identity(pid))
        if isPaused {
            held.append(news)
        } else {
            daemon?.take([news])
            collect()
        }
    }
}

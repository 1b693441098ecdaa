// Processes as the kernel shows them: who is alive, and whose it is.

import LeaseModel

/// What the kernel knows of processes.
final class Processes {
    private var alive: [Int32: UInt32] = [:]
    private var lastPID: Int32 = 3_000

    func start(uid: UInt32) -> Int32 {
        lastPID += 1
        alive[lastPID] = uid
        everybody.append((lastPID, uid))
        return lastPID
    }

    /// Those that ever were, in order.
    var all: [(pid: Int32, uid: UInt32)] { everybody }
    private var everybody: [(pid: Int32, uid: UInt32)] = []

    func end(_ pid: Int32) { alive[pid] = nil }
    func endAll() { alive = [:] }
    func isAlive(_ pid: Int32) -> Bool { alive[pid] != nil }

    func identity(_ pid: Int32) -> ProcessIdentity {
        ProcessIdentity(pid: pid, startTicks: UInt64(pid) * 100)
    }

    func report(_ pid: Int32) -> ProcessReport {
        guard let uid = alive[pid] else { return .dead }
        return .alive(identity(pid), uid: uid)
    }
}

// The processes that leases and requests in line depend on: looked at, watched, and told of when they end.

import LeaseIO
import LeaseModel
import LeaseServer

/// A process that a lease or a waiter depends on.
final class WatchedProcess {
    let descriptor: Descriptor
    let tag: UInt64

    init(_ descriptor: consuming Descriptor, tag: UInt64) {
        self.descriptor = descriptor
        self.tag = tag
    }
}

extension Daemon {
    /// For a request that names it: what can't be looked at is as good as dead, since nothing depends on it
    /// yet.
    func report(on pid: Int32) -> ProcessReport {
        guard let handle = try? ProcessWatch.open(pid), let facts = ProcessWatch.inspect(pid),
            !facts.isZombie, (try? ProcessWatch.hasEnded(handle)) == false
        else { return .dead }
        return .alive(ProcessIdentity(pid: pid, startTicks: facts.startTicks), uid: facts.uid)
    }

    mutating func watch(_ process: ProcessIdentity, _ now: Instant) {
        let descriptor: Descriptor
        do throws(Errno) {
            descriptor = try ProcessWatch.open(process.pid)
        } catch {
            // That there is no descriptor, or no memory, ends nobody's lease.
            return error.isNoProcess ? server.processEnded(process) : lookLater(at: process, now)
        }
        guard let facts = ProcessWatch.inspect(process.pid) else {
            let hasEnded = (try? ProcessWatch.hasEnded(descriptor)) == true
            return hasEnded ? server.processEnded(process) : lookLater(at: process, now)
        }
        guard !facts.isZombie, facts.startTicks == process.startTicks else {
            return server.processEnded(process)
        }
        guard descriptor.raw < settings.descriptorsMax - Settings.keptDescriptors / 2 else {
            return lookLater(at: process, now)
        }
        lastProcessTag += 1
        let watched = WatchedProcess(descriptor, tag: lastProcessTag)
        do throws(Errno) {
            try poller.add(watched.descriptor.raw, tag: watched.tag, reads: true, writes: false)
        } catch {
            return lookLater(at: process, now)
        }
        processes[process] = watched
        processOfTag[watched.tag] = process
    }

    /// It can't be watched now, or not even be looked at.
    private mutating func lookLater(at process: ProcessIdentity, _ now: Instant) {
        if retries.processes == .never { retries.processes = now + .seconds(1) }
        unwatchable.insert(process)
    }

    mutating func unwatch(_ process: ProcessIdentity) {
        unwatchable.remove(process)
        guard let watched = processes.removeValue(forKey: process) else { return }
        processOfTag[watched.tag] = nil
        try? poller.remove(watched.descriptor.raw)
    }

    /// Looks at the processes that can't be watched, in the order of their pids: what they end has an order.
    mutating func lookAtUnwatchable(_ now: Instant) {
        let waiting = unwatchable.sorted { $0.pid < $1.pid }
        unwatchable.removeAll()
        waiting.forEach { watch($0, now) }
    }

    mutating func processHasEnded(_ tag: UInt64) {
        guard let process = processOfTag[tag] else { return }
        server.processEnded(process)
    }
}

// What the server wants done, and what comes of it: processes watched, space and numbers set aside, the log
// kept.

import Glibc
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
    func carryOut(_ now: Instant) {
        // One wish may lead to another, as space that is scarce leads to a compaction; the batch for its file
        // must not be written before that wish is carried out.
        while server.hasDirectives {
            server.takeDirectives(into: &directives)
            let wanted = directives
            for directive in wanted {
                carryOut(directive, now)
            }
        }
    }

    private func carryOut(_ directive: Directive, _ now: Instant) {
        switch directive {
        case .watch(let process): watch(process, now)
        case .unwatch(let process): unwatch(process)
        case .inspect(let pid, let ticket): server.inspected(ticket: ticket, report(on: pid))
        case .readPolicy: readPolicy()
        case .reserveSpace(let wanted, let least): reserve(wanted, least, now)
        case .reserveNumbers(let numbers): store?.reserveNumbers(numbers)
        case .close(let id): close(id)
        case .pauseReading(let id): watch(id, reads: false)
        case .resumeReading(let id): watch(id, reads: true)
        case .beginCompaction:
            compacting { store throws(Errno) in try store.beginCompaction() }
        case .syncCompaction(let size):
            compacting { store throws(Errno) in try store.syncCompaction(size: size) }
        case .installCompaction: store?.installCompaction()
        case .dropCompaction: store?.dropCompaction()
        }
    }

    /// A file that is wrong, or that can't be read, changes nothing.
    func readPolicy() {
        isReloadWanted = false
        do throws(PolicyFile.Problem) {
            let policy = try PolicyFile.load(settings.policyPath)
            server.policyRead(.success(policy))
            journal.info("the policy was read again")
        } catch {
            server.policyRead(.failure(error.refusal))
            journal.error("the policy stays as it is: \(error.complaint.sentence)")
        }
    }

    // Processes.

    private func report(on pid: Int32) -> ProcessReport {
        guard let handle = try? ProcessWatch.open(pid), let facts = ProcessWatch.inspect(pid),
            !facts.isZombie, (try? ProcessWatch.hasEnded(handle)) == false
        else { return .dead }
        return .alive(ProcessIdentity(pid: pid, startTicks: facts.startTicks), uid: facts.uid)
    }

    private func watch(_ process: ProcessIdentity, _ now: Instant) {
        let opened: Descriptor?
        do throws(Errno) {
            opened = try ProcessWatch.open(process.pid)
        } catch {
            opened = nil
        }
        guard case .alive(process, _) = report(on: process.pid) else {
            server.processEnded(process)
            return
        }
        guard let descriptor = opened, descriptor.raw < settings.descriptorsMax - Settings.keptDescriptors / 2
        else {
            if retries.processes == nil { retries.processes = now + .seconds(1) }
            unwatchable.insert(process)
            return
        }
        lastProcessTag += 1
        let watched = WatchedProcess(descriptor, tag: lastProcessTag)
        do throws(Errno) {
            try poller.add(watched.descriptor.raw, tag: watched.tag, reads: true, writes: false)
        } catch {
            journal.error("process \(process.pid) can't be watched: \(error)")
        }
        processes[process] = watched
        processOfTag[watched.tag] = process
    }

    private func unwatch(_ process: ProcessIdentity) {
        unwatchable.remove(process)
        guard let watched = processes.removeValue(forKey: process) else { return }
        processOfTag[watched.tag] = nil
        try? poller.remove(watched.descriptor.raw)
    }

    /// Looks at the processes that can't be watched, in the order of their pids: what they end has an order.
    private func lookAtUnwatchable(_ now: Instant) {
        let waiting = unwatchable.sorted { $0.pid < $1.pid }
        unwatchable.removeAll()
        waiting.forEach { watch($0, now) }
    }

    func processHasEnded(_ tag: UInt64) {
        guard let process = processOfTag[tag] else { return }
        server.processEnded(process)
    }

    // The log.

    func writeBatch(_ now: Instant) {
        guard let store else { return }
        let sequence = server.lastSequence
        if server.hasBatch, retries.write == nil {
            checkPlace(store, now)
            do throws(Errno) {
                try server.withBatch { batch throws(Errno) in try store.append(batch, upTo: sequence) }
                server.batchWritten()
            } catch {
                writeFailed(error, now)
            }
        }
        // The file for the bytes of a compaction that has just begun.
        carryOut(now)
        if !server.hasBatch, server.hasCompactionBatch { writeCompactionBatch(store, now) }
        let isHeldBack = store.isInstallingCompaction && server.hasCompactionBatch
        if store.acknowledgesOnWrite, !server.hasBatch, !isHeldBack {
            server.acknowledge(upTo: server.lastSequence, synced: false)
        }
        if let again = store.syncIfDue(at: now) { retries.sync = again }
    }

    private func writeCompactionBatch(_ store: LogStore, _ now: Instant) {
        do throws(Errno) {
            try server.withCompactionBatch { batch throws(Errno) in try store.appendToCompaction(batch) }
            server.compactionBatchWritten()
        } catch {
            // The new file is given up, unless it may be the log already: then it counts like the log.
            if store.isInstallingCompaction {
                writeFailed(error, now)
            } else {
                compactionFailed(error)
            }
        }
    }

    /// Space that was set aside can be missing all the same, where a file system or a quota does not keep its
    /// word: nothing of the batch is answered, and it is tried again. Whatever else fails ends the daemon.
    private func writeFailed(_ error: Errno, _ now: Instant) {
        guard error.isNoSpace else {
            fail("the log can't be written: \(error)")
            return
        }
        // Once, not with every try.
        if server.batchRefused() { journal.error("the log can't be written: \(error); trying again") }
        retries.write = now + .milliseconds(100)
    }

    /// Somebody may have taken the log away: then it is written anew. Where the directory is gone, or called
    /// something else, a restart would find nothing of what is acknowledged from now on.
    private func checkPlace(_ store: LogStore, _ now: Instant) {
        guard retries.place == nil else { return }
        retries.place = now + .seconds(1)
        guard store.folderIsInPlace else {
            fail("the data directory is gone")
            return
        }
        // A compaction under way puts a whole log there.
        guard !server.isCompacting, !store.isInPlace() else { return }
        journal.error("the log was taken away: it is written anew")
        server.rewriteLog()
    }

    private func reserve(_ wanted: Int, _ least: Int, _ now: Instant) {
        guard let store else { return }
        do throws(Errno) {
            let bytes = try store.reserve(wanted: wanted, least: least, spared: server.bytesToCompact)
            server.spaceReserved(bytes: bytes, wanted: wanted, least: least)
            noteSpace(now)
        } catch {
            fail("no space can be set aside in the log: \(error)")
        }
    }

    /// Says once that the disk is full, and has it asked again from time to time.
    private func noteSpace(_ now: Instant) {
        if server.isOutOfSpace {
            if retries.space == nil {
                journal.error("the disk is full: nothing is granted until there is room")
            }
            retries.space = now + .milliseconds(200)
        } else {
            retries.space = nil
        }
    }

    private func compacting(_ body: (LogStore) throws(Errno) -> Void) {
        guard let store else { return }
        do throws(Errno) {
            try body(store)
        } catch {
            compactionFailed(error)
        }
    }

    private func compactionFailed(_ error: Errno) {
        journal.error("the log can't be compacted: \(error)")
        store?.dropCompaction()
        server.compactionFailed(error.isNoSpace ? .noSpace : .compactionStopped)
    }

    func takeCompleted(_ now: Instant) throws(Errno) {
        guard let store else { return }
        var completed: [(what: Completed, took: Duration, error: Errno)] = []
        try store.takeCompleted { completed.append(($0, $1, $2)) }
        for one in completed {
            switch one.what {
            case .synced(let sequence):
                server.noteSync(took: one.took)
                server.acknowledge(upTo: sequence, synced: true)
            case .numbersReserved(let numbers):
                server.numbersReserved(numbers)
                noteSpace(now)
            case .numbersRefused:
                server.numbersRefused()
                noteSpace(now)
            case .compactionSynced: server.compactionSynced()
            case .compactionRenamed: break
            case .compactionInstalled:
                server.compactionInstalled()
                journal.debug("the log was compacted")
            case .compactionFailed: compactionFailed(one.error)
            case .failed(let what): fail("\(what): \(one.error)")
            }
        }
    }

    /// What was to be kept can't be: everybody is told, and the daemon ends. It never tries a failed sync
    /// again, since the kernel may have dropped what it could not write.
    func fail(_ reason: String) {
        guard exitCode == nil else { return }
        journal.error("\(reason): the daemon stops")
        server.storageFailed(reason)
        flushSendable()
        exitCode = 74
    }

    func takeRetries(_ now: Instant) {
        if let at = retries.space, at <= now {
            retries.space = now + .milliseconds(200)
            server.retrySpace()
        }
        if let at = retries.write, at <= now { retries.write = nil }
        if let at = retries.accept, at <= now {
            retries.accept = nil
            resumeListening()
        }
        if let at = retries.sync, at <= now { retries.sync = nil }
        if let at = retries.processes, at <= now {
            retries.processes = nil
            lookAtUnwatchable(now)
        }
        if let at = retries.place, at <= now {
            retries.place = nil
            if let store { checkPlaceOnce(store, now) }
        }
    }

    /// Once more after the last write, then not again until something is written.
    private func checkPlaceOnce(_ store: LogStore, _ now: Instant) {
        checkPlace(store, now)
        retries.place = nil
    }

    // Signals.

    func takeSignals() throws(Errno) {
        while let signal = try signals.next() {
            switch signal {
            case SIGTERM, SIGINT:
                if isStopWanted {
                    exitCode = 128 + signal
                    return
                }
                isStopWanted = true
            case SIGHUP: isReloadWanted = true
            case SIGCONT: presence.continued()
            default: break
            }
        }
    }

    func beginStopIfWanted(_ now: Instant) {
        guard isStopWanted, stopsAt == nil else { return }
        journal.info("stopping")
        // Who does not read its last answers is not waited for longer.
        stopsAt = now + .seconds(1)
        stopListening()
        server.beginStop()
    }

    /// Ends when everything is answered, or when it was waited for long enough.
    func tryToFinish(_ now: Instant, _ stopsAt: Instant) {
        // While the compacted log is put in place, nobody knows which file a restart will find.
        guard store?.isInstallingCompaction != true else {
            self.stopsAt = max(stopsAt, now + .milliseconds(50))
            return
        }
        guard server.isQuiet || stopsAt <= now else { return }
        server.finishStop()
        if let store {
            do throws(Errno) {
                let sequence = server.lastSequence
                try server.withBatch { batch throws(Errno) in try store.append(batch, upTo: sequence) }
                try store.syncNow()
                // Without it the next start leaves a gap in the numbers, and no more.
                store.noteNumbers(server.numbersUsed)
            } catch {
                fail("the log can't be closed: \(error)")
                return
            }
        }
        server.acknowledge(upTo: server.lastSequence, synced: true)
        flushSendable()
        exitCode = 0
    }
}

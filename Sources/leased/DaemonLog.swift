// The log kept: batches and compactions written, space set aside, and what comes of what waits for the disk.

import LeaseIO
import LeaseModel
import LeaseServer

extension Daemon {
    mutating func writeBatch(_ now: Instant) {
        guard let store else { return }
        let sequence = server.lastSequence
        if server.hasBatch, retries.write == .never {
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

    private mutating func writeCompactionBatch(_ store: LogStore, _ now: Instant) {
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
    private mutating func writeFailed(_ error: Errno, _ now: Instant) {
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
    private mutating func checkPlace(_ store: LogStore, _ now: Instant) {
        guard retries.place == .never else { return }
        retries.place = now + .seconds(1)
        guard store.folderIsInPlace else {
            fail("the data directory is gone")
            return
        }
        if store.leaveRingIfGone() { journal.error("the log's ring was taken away: the log goes without it") }
        // A compaction under way puts a whole log there.
        guard !server.isCompacting, !store.logIsInPlace else { return }
        journal.error("the log was taken away: it is written anew")
        server.rewriteLog()
    }

    mutating func reserve(_ wanted: Int, _ least: Int, _ now: Instant) {
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
    private mutating func noteSpace(_ now: Instant) {
        if server.isOutOfSpace {
            if retries.space == .never {
                journal.error("the disk is full: nothing is granted until there is room")
            }
            retries.space = now + .milliseconds(200)
        } else {
            retries.space = .never
        }
    }

    mutating func compacting(_ body: (LogStore) throws(Errno) -> Void) {
        guard let store else { return }
        do throws(Errno) {
            try body(store)
        } catch {
            compactionFailed(error)
        }
    }

    private mutating func compactionFailed(_ error: Errno) {
        journal.error("the log can't be compacted: \(error)")
        store?.dropCompaction()
        server.compactionFailed(error.isNoSpace ? .noSpace : .compactionStopped)
    }

    mutating func takeCompleted(_ now: Instant) throws(Errno) {
        guard let store else { return }
        var completed: [(what: Completed, took: Duration, error: Errno)] = []
        try store.takeCompleted(at: now) { completed.append(($0, $1, $2)) }
        for one in completed {
            switch one.what {
            case .synced(let sequence, let inLog):
                server.noteSync(took: one.took)
                server.acknowledge(upTo: sequence, synced: inLog)
            case .ringMade: break
            case .ringRefused: journal.debug("the log goes without its ring")
            case .numbersReserved(let numbers):
                server.numbersReserved(numbers)
                noteSpace(now)
            case .numbersRefused:
                server.numbersRefused()
                noteSpace(now)
            case .compactionSynced: server.compactionSynced()
            case .compactionRenamed, .nothing: break
            case .compactionInstalled:
                do throws(Errno) {
                    try store.complete(server.whatTheNewLogLacks)
                } catch {
                    fail("the log can't be written: \(error)")
                    return
                }
                server.compactionInstalled()
                journal.debug("the log was compacted")
            case .compactionFailed: compactionFailed(one.error)
            case .failed(let what): fail("\(what): \(one.error)")
            }
        }
    }

    /// Once more after the last write, then not again until something is written.
    mutating func checkPlaceOnce(_ store: LogStore, _ now: Instant) {
        checkPlace(store, now)
        retries.place = .never
    }

    /// What was to be kept can't be: everybody is told, and the daemon ends. It never tries a failed sync
    /// again, since the kernel may have dropped what it could not write.
    mutating func fail(_ reason: String) {
        guard exitCode == nil else { return }
        journal.error("\(reason): the daemon stops")
        server.storageFailed(reason)
        flushSendable()
        exitCode = 74
    }
}

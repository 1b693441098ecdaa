// Signals, and how the daemon stops in order.

import Glibc
import LeaseIO
import LeaseModel
import LeaseServer

extension Daemon {
    mutating func takeSignals() throws(Errno) {
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

    mutating func beginStopIfWanted(_ now: Instant) {
        guard isStopWanted, stopsAt == nil else { return }
        journal.info("stopping")
        // Who does not read its last answers is not waited for longer.
        stopsAt = now + .seconds(1)
        stopListening()
        server.beginStop()
    }

    /// Ends when everything is answered, or when it was waited for long enough.
    mutating func tryToFinish(_ now: Instant, _ stopsAt: Instant) {
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
                store.removeRing()
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

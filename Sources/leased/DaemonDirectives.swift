// What the server wants done, each wish passed on to who does it; and what is tried again after a while.

import LeaseIO
import LeaseModel
import LeaseServer

extension Daemon {
    mutating func carryOut(_ now: Instant) {
        // One wish may lead to another, as space that is scarce leads to a compaction; the batch for its file
        // must not be written before that wish is carried out.
        while server.hasDirectives {
            var wanted: [Directive] = []
            swap(&wanted, &directives)
            server.takeDirectives(into: &wanted)
            for directive in wanted {
                carryOut(directive, now)
            }
            directives = wanted
        }
    }

    private mutating func carryOut(_ directive: Directive, _ now: Instant) {
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
    mutating func readPolicy() {
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

    mutating func takeRetries(_ now: Instant) {
        if retries.space <= now {
            retries.space = now + .milliseconds(200)
            server.retrySpace()
        }
        if retries.write <= now { retries.write = .never }
        if retries.accept <= now {
            retries.accept = .never
            resumeListening()
        }
        if retries.sync <= now { retries.sync = .never }
        if retries.processes <= now {
            retries.processes = .never
            lookAtUnwatchable(now)
        }
        if retries.place <= now {
            retries.place = .never
            if let store { checkPlaceOnce(store, now) }
        }
    }
}

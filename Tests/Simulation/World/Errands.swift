// What the server wants done, on the simulated disk and processes.

import LeaseCore
import LeaseModel
import LeaseServer
import SimulationChecker

extension Life {
    static func policy(of rules: KindTable) -> Policy {
        guard let policy = try? PolicyReader.read(Array(Scenario.text(of: rules).utf8).span) else {
            preconditionFailure("the policy that was drawn is right")
        }
        return policy
    }

    func carryOut() throws(Ending) {
        while server.hasDirectives {
            var directives: [Directive] = []
            server.takeDirectives(into: &directives)
            for directive in directives { try carryOut(directive) }
        }
    }

    private func carryOut(_ directive: Directive) throws(Ending) {
        switch directive {
        case .watch(let process):
            if processes.isAlive(process.pid) {
                watched.insert(process)
            } else {
                server.processEnded(process)
            }
        case .unwatch(let process): watched.remove(process)
        case .inspect(let pid, let ticket): server.inspected(ticket: ticket, processes.report(pid))
        case .readPolicy: server.policyRead(.success(Life.policy(of: policy())))
        case .reserveSpace(let wanted, let least): try reserve(wanted, least)
        case .reserveNumbers(let numbers): store.reserveNumbers(numbers)
        case .close(let id): close(id)
        case .pauseReading(let id): wires[id]?.reads = false
        case .resumeReading(let id): if let wire = wires[id] { wire.reads = !wire.isEndSeen }
        case .beginCompaction: try compacting { store throws(DiskFailure) in try store.beginCompaction() }
        case .syncCompaction(let size):
            try compacting { store throws(DiskFailure) in try store.syncCompaction(size: size) }
        case .installCompaction: store.installCompaction()
        case .dropCompaction: try compacting { store throws(DiskFailure) in try store.dropCompaction() }
        }
    }

    private func reserve(_ wanted: Int, _ least: Int) throws(Ending) {
        do throws(DiskFailure) {
            let bytes = try store.reserve(wanted: wanted, least: least, spared: server.bytesToCompact)
            server.spaceReserved(bytes: bytes, wanted: wanted, least: least)
        } catch {
            if error == .killed { throw .killed }
            try fail("no space can be set aside")
        }
        noteSpace()
    }

    private func compacting(_ body: (Store) throws(DiskFailure) -> Void) throws(Ending) {
        do throws(DiskFailure) {
            try body(store)
        } catch {
            try compactionFailed(error)
        }
    }
}

// `reload` and `drain`: the rules change, or nothing is granted any more, while the service goes on.

internal import LeaseCore
package import LeaseModel

extension Server {
    /// Has the policy read again. What is behind it on its connection comes after it.
    mutating func reload(_ index: Int, _ tag: Span<UInt8>) {
        guard isAllowed(.reload, index, tag) else { return }
        let isWanted = others.contains { if case .policy = $0.kind { true } else { false } }
        waitFor(.policy, index, tag)
        connections[index].isInspecting = true
        // It is still to be read, once for all who ask.
        if !isWanted { directives.append(.readPolicy) }
    }

    /// The policy as it was read, by a wish of the server or because somebody else asked for it; where it is
    /// no good, the old one stays.
    package mutating func policyRead(_ found: Result<Policy, Refusal>) {
        let reply: Reply
        switch found {
        case .success(let policy):
            machine.reload(policy, into: &effects)
            counting.follow(policy)
            reply = .ok
        case .failure(let refusal):
            reply = .refused(refusal)
        }
        finishReloads(reply)
        settle()
    }

    private mutating func finishReloads(_ reply: Reply) {
        for other in takeOthers(where: { if case .policy = $0 { true } else { false } }) {
            finish(other, with: reply)
            if let index = index(other.pending.connection), !connections[index].isGone {
                connections[index].isInspecting = false
                yield(index)
            }
        }
    }

    /// Answers last, so that its `OK` means that everybody in line has been answered.
    mutating func drain(_ index: Int, _ tag: Span<UInt8>) {
        guard isAllowed(.drain, index, tag) else { return }
        machine.drain(into: &effects)
        settle()
        reply(index, tag, .ok)
    }
}

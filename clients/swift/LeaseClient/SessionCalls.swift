// The calls of a session: sent, answered, withdrawn, given up.

internal import LeaseModel
internal import LeaseWire

extension Session {
    mutating func ask(_ asked: Call, _ now: Moment) {
        var call = asked
        guard !call.handle.isCancelled else {
            finished.append((call.handle, .cancelled))
            return
        }
        call.giveUpAt = now.real + patience
        store(call)
        if case .release(let asked) = call.request, let lease = held.removeValue(forKey: asked.token),
            lease.renewalSentAt != nil
        {
            // A renewal is over before the release is sent.
            parked[asked.token] = call.tag
        } else {
            unsent.append(call.tag)
        }
        need(now)
    }

    mutating func flush(_ now: Moment) {
        guard phase == .ready, !unsent.isEmpty else { return }
        let tags = unsent
        unsent = []
        for tag in tags {
            guard var call = calls[tag] else { continue }
            if isDraining, call.isAcquire, !call.isWithdrawn {
                unsent.append(tag)
            } else {
                send(&call, now)
                store(call)
            }
        }
    }

    private mutating func send(_ call: inout Call, _ now: Moment) {
        call.sentAt = now.lease
        call.firstSentAt = call.firstSentAt ?? now.lease
        call.giveUpAt = now.real + patience
        if case .acquire(var asked) = call.request {
            if let waitEnd = call.waitEnd {
                asked.wait = waitEnd == .never ? .forever : max(.milliseconds(1), now.lease.until(waitEnd))
                // A manual clock may stand still for any time.
                call.giveUpAt = isManual ? .never : call.giveUpAt + asked.wait
            } else {
                asked.wait = .zero
            }
            if case .acquire(.some) = call.kind { asked.whilePID = ownPID }
            append(.acquire(asked), tag: call.tag)
        } else {
            append(call.request, tag: call.tag)
        }
    }

    /// The task was cancelled.
    mutating func withdraw(_ id: UInt64, _ now: Moment) {
        guard var call = calls["\(id)"] else { return }
        guard call.isAcquire, call.firstSentAt != nil else {
            end(call, .cancelled)
            return
        }
        call.isWithdrawn = true
        call.giveUpAt = now.real + patience
        if call.sentAt == nil {
            // Whether it was granted on the connection before, only asking again can tell.
            call.waitEnd = nil
        } else if call.waitEnd != nil {
            append(.cancel(Array(call.tag.utf8)), tag: "c\(call.tag)")
        }
        store(call)
    }

    mutating func callAnswered(_ call: Call, _ answer: Answer, _ now: Moment) {
        switch call.kind {
        case .acquire(let record): acquireAnswered(call, record, answer, now)
        case .repeatable, .single, .undoing:
            end(call, .answer(answer, countedFrom: call.sentAt ?? now.lease))
        }
    }

    private mutating func acquireAnswered(
        _ call: Call, _ record: LeaseRecord?, _ answer: Answer, _ now: Moment
    ) {
        switch answer.status {
        case .ok: granted(call, record, answer, now)
        case .busy where answer.first.value("why") == Array("draining".utf8) && !call.isWithdrawn:
            isDraining = true
            refusedToGrant(code: "draining", message: "it is stopping, or was told to grant nothing more")
            askAgain(call, now)
        case .gone where !call.isWithdrawn:
            // It was granted, and its end came before we heard of it.
            var fresh = call
            if case .acquire(var asked) = call.request {
                asked.request = RequestID.fresh()
                fresh.request = .acquire(asked)
            }
            fresh.firstSentAt = nil
            askAgain(fresh, now)
        case .err where isAboutOurProcess(answer) && !call.isWithdrawn:
            stopBinding()
            askAgain(call, now)
        case .err where answer.first.code == .waitTooLong && call.mayWaitLess && !call.isWithdrawn:
            var shorter = call
            shorter.mayWaitLess = false
            shorter.waitEnd = now.lease + Duration.milliseconds(answer.first.milliseconds("max") ?? 0)
            askAgain(shorter, now)
        case .busy, .gone, .err, .done:
            end(call, .answer(answer, countedFrom: call.sentAt ?? now.lease))
        }
    }

    private mutating func granted(_ call: Call, _ record: LeaseRecord?, _ answer: Answer, _ now: Moment) {
        let token = answer.first.number("token") ?? 0
        guard !call.isWithdrawn else {
            var undoing = call
            undoing.kind = .undoing
            undoing.request = .release(ReleaseRequest(token: token))
            askAgain(undoing, now)
            return
        }
        // It was granted after it was sent on this connection, and after it had waited since the first one.
        let waited = Duration.milliseconds(answer.first.milliseconds("waited") ?? 0)
        let sentAt = call.sentAt ?? now.lease
        let countedFrom = max((call.firstSentAt ?? sentAt) + waited, sentAt)
        if let record {
            let ttl = Duration.milliseconds(answer.first.milliseconds("ttl") ?? 0)
            record.grant(token, deadline: countedFrom + ttl)
            var lease = HeldLease(record, deadline: countedFrom + ttl, ttl: ttl, countedFrom: countedFrom)
            // Sent twice, it may have more time than we can be sure of: a renewal tells.
            if call.firstSentAt != call.sentAt { lease.renewAt = now.lease }
            held[token] = lease
            nextLease = min(nextLease, lease.renewAt, lease.deadline)
        }
        end(call, .answer(answer, countedFrom: countedFrom))
    }

    private mutating func askAgain(_ call: Call, _ now: Moment) {
        var again = call
        again.sentAt = nil
        again.giveUpAt = now.real + patience
        store(again)
        unsent.append(again.tag)
    }

    private func isAboutOurProcess(_ answer: Answer) -> Bool {
        guard let ownPID, let code = answer.first.code, code == .noProcess || code == .forbidden
        else { return false }
        return answer.first.number("pid") == UInt64(ownPID)
    }

    /// Gives up the calls to which the daemon has been silent for too long.
    mutating func giveUpDue(_ now: Moment) {
        guard now.real >= nextReal else { return }
        nextReal = .never
        for call in calls.values.sorted(by: Session.isEarlier) {
            guard call.giveUpAt <= now.real else {
                nextReal = min(nextReal, call.giveUpAt)
                continue
            }
            // What it was sent and did not look at, it drops with the connection: so nothing is granted to
            // somebody who has gone away.
            if call.isAcquire, call.sentAt != nil { mustHangUp = true }
            end(call, .unavailable(outage(of: call)))
        }
    }
}

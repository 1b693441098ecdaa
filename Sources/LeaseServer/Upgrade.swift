// A log of the format before is written anew, as a compaction would, before anything is appended to it.

internal import LeaseCore
internal import LeaseLog
internal import LeaseModel

extension Server {
    /// What this program writes.
    package static var logFormat: UInt64 { LogFormat.number }

    /// Whether the log that was read is of an older format: then `upgrade` comes before `begin`.
    package var needsUpgrade: Bool {
        guard let header = reader.header else { return false }
        return header.format < LogFormat.number
    }

    /// Hands over the log in this program's format, in pieces, in order. Nothing happens by it but its
    /// closing `compacted`: what a crash leaves is the old log or the new one, and both say the same.
    package mutating func upgrade<Failure: Error>(
        at moment: Moment, _ take: (Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        machine.finishRecovery(lastSequence: machine.sequence)
        // Begins with the last daemon's boot and the wall clock as it was at the log's last instant: over a
        // reboot, the time since then is told by it.
        var bytes = beginningOfCompacted(
            boot: reader.position?.boot ?? moment.boot,
            wallMilliseconds: reader.position?.wallMilliseconds ?? moment.wallMilliseconds)
        machine.beginSnapshot()
        var (lines, remembered): ([Change], [Change]) = ([], [])
        var count: UInt64 = 0
        var size = 0
        var isDrawn = false
        while !isDrawn {
            isDrawn = machine.drawSnapshot(count: 1_000)
            machine.takeSnapshotLines(into: &lines, remembered: &remembered)
            count += UInt64(lines.count + remembered.count)
            for line in remembered + lines {
                let record = Record(sequence: machine.sequence, at: machine.lastInstant, change: line)
                RecordEncoder.append(record, mark: nil, to: &bytes)
            }
            try take(bytes.span)
            size += bytes.count
            bytes.removeAll(keepingCapacity: true)
        }
        machine.noteCompaction(lines: count, into: &effects)
        for record in effects.records {
            RecordEncoder.append(record, mark: nil, to: &bytes)
        }
        effects.removeAll()
        try take(bytes.span)
        log.size = size + bytes.count
        log.sizeToGrowTo = 4 * log.size
        log.synced = machine.sequence
    }
}

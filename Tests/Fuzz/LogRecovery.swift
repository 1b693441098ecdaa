// Recovery from a fuzzed log: it ends in a verdict, and what was recovered says the same when it is written
// down and read again.

import LeaseCore
import LeaseLog
import LeaseModel
import LeaseServer

let fuzzedBoot = Text("4f1c-boot-now")
private let moment = Moment(
    boot: fuzzedBoot, now: Instant(nanoseconds: 90_000_000_000), wallMilliseconds: 5_000)

/// - Parameter end: what the reader alone says of it.
func recover(_ file: [UInt8], end: LogEnd) {
    var server = emptyServer(of: file)
    let verdict = recover(file, into: &server)
    switch (end, verdict) {
    case (.empty, .fresh), (.clean, .good), (.torn, .torn), (.newerFormat, .newerFormat): break
    case (.damaged(let line, let offset, _), .damaged(let found, let place, _)):
        // What can't follow may stand before what no log has.
        precondition(found <= line && place <= offset, "the damage is elsewhere")
    case (.clean, .damaged), (.torn, .damaged): break
    default: preconditionFailure("the verdict is another: \(verdict) of \(end)")
    }
    switch verdict {
    case .good: goOn(behind: file, &server)
    case .torn(let size, _, _): goOn(behind: Array(file.prefix(Int(size))), &server)
    case .fresh, .damaged, .newerFormat, .otherClock: break
    }
}

/// The records from one of them on stand in the ring alone, in frames of so many.
func recover(_ log: LogComposer, from first: Int, frames: Int) {
    let end = log.records[first].start
    var (ring, offset): ([UInt8], Int) = ([], 0)
    for start in stride(from: first, to: log.records.count, by: frames) {
        let behind = min(start + frames, log.records.count)
        let bytesEnd = behind < log.records.count ? log.records[behind].start : log.file.count
        var frame = RingFrame()
        frame.append(log.file.span.extracting(log.records[start].start..<bytesEnd))
        let write = RingWrite(
            first: log.records[start].sequence, last: log.records[behind - 1].sequence, offset: offset,
            synced: max(1, log.records[start].sequence) - 1)
        ring += frame.take(as: write)
        offset = ring.count
    }
    let file = Array(log.file[..<end])
    var server = emptyServer(of: file)
    guard case .good = recover(file, into: &server) else { return }
    guard case .behind(let records) = server.recover(ring: ring.span, isTorn: false) else { return }
    goOn(behind: file + records, &server)
}

private func emptyServer(of file: [UInt8]) -> Server {
    var reader = LogReader()
    let firstLine = file.prefix { $0 != UInt8(ascii: "\n") }.count
    reader.feed(file.span.extracting(0..<min(firstLine + 1, file.count))) { _, _ in }
    var options = ServerOptions()
    options.limits.eventsMax = 16
    options.hasManualClock = reader.header?.clock == .manual
    return Server(policy: .builtIn, options: options)
}

private func recover(_ file: [UInt8], into server: inout Server) -> LogVerdict {
    let middle = file.count / 2
    server.recover(file.span.extracting(0..<middle))
    server.recover(file.span.extracting(middle..<file.count))
    return server.endRecovery(at: moment)
}

/// A daemon that took this log serves, and leaves logs that the next one takes.
private func goOn(behind log: [UInt8], _ server: inout Server) {
    // Nobody counts so far that the next number is too great.
    let numbers = max(server.machine.sequence, server.machine.lastToken)
    guard server.hasRecords, numbers < LogFormat.numberMax - 1_000 else { return }
    expectTheSameWrittenAnew(log)
    if server.needsUpgrade { return }
    server.begin(at: moment, reserved: nil)
    var log = log + server.batch
    expectTheSame(log, as: server, at: moment.now)
    server.batchWritten()
    server.numbersReserved(server.numbersToBeginWith)
    server.acknowledge(upTo: server.lastSequence, synced: true)
    // Long after all deadlines but those that never come.
    let later = Instant(nanoseconds: 1 << 60)
    server.beginPass(now: later, wallMilliseconds: 6_000)
    server.advance(to: later)
    server.endPass()
    log += server.batch
    expectTheSame(log, as: server, at: later)
}

/// As a compaction would write it.
private func expectTheSameWrittenAnew(_ log: [UInt8]) {
    var server = emptyServer(of: log)
    _ = recover(log, into: &server)
    var bytes: [UInt8] = []
    server.upgrade(at: moment) { bytes += $0.copied() }
    expectTheSame(bytes, as: server, at: server.machine.lastInstant)
}

private func expectTheSame(_ log: [UInt8], as server: borrowing Server, at now: Instant) {
    var next = emptyServer(of: log)
    let verdict = recover(log, into: &next)
    precondition(verdict == .good, "what was written is not read: \(verdict)")
    let (found, wanted) = (next.machine.portrait(at: now), server.machine.portrait(at: now))
    precondition(inOrder(found) == inOrder(wanted), "what was written says something else")
}

/// A machine that does not serve yet has leases in the order of their lines.
private func inOrder(_ portrait: [Change]) -> [Change] {
    let leases = portrait.compactMap { if case .held(let lease) = $0 { lease } else { nil } }
    let others = portrait.filter { if case .held = $0 { false } else { true } }
    return others + leases.sorted { $0.grant.token < $1.grant.token }.map { .held($0) }
}

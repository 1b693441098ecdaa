// A connection with many requests under way, and those who use it, driven together by one thread.

import CTestSupport
import Glibc
import TestSupport

/// Lines out and lines in, without ever waiting.
final class Wire {
    private let client: Client
    var descriptor: Int32 { client.descriptor }
    var output: [UInt8] = []
    private var sent = 0
    private var begun: [UInt8] = []
    private(set) var isClosed = false

    init(_ path: String) throws(Failure) {
        client = try Client(path)
        guard fcntl(client.descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw Failure("a socket blocks") }
    }

    var hasOutput: Bool { sent < output.count }

    func flush() {
        while hasOutput {
            let count = output.withUnsafeBytes { bytes in
                Glibc.send(descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
        output.removeAll(keepingCapacity: true)
        sent = 0
    }

    /// Reads once, and hands over each line that came whole, without its end.
    func receive(_ take: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 256 << 10, alignment: 16) { receive(into: $0, take) }
    }

    private func receive(
        into room: UnsafeMutableRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void
    ) {
        let kept = begun.count
        begun.withUnsafeBytes { room.copyMemory(from: $0) }
        let count = recv(descriptor, room.baseAddress! + kept, room.count - kept, 0)
        guard count > 0 else {
            if count == 0 || errno != EAGAIN { isClosed = true }
            return
        }
        let all = UnsafeRawBufferPointer(rebasing: room[..<(kept + count)])
        var from = 0
        while from < all.count, let found = memchr(all.baseAddress! + from, 0x0A, all.count - from) {
            let end = UnsafeRawPointer(found) - all.baseAddress!
            take(UnsafeRawBufferPointer(rebasing: all[from..<end]))
            from = end + 1
        }
        begun.removeAll(keepingCapacity: true)
        begun.append(contentsOf: all[from...])
    }
}

/// Somebody who talks over a connection of its own.
class Part {
    let wire: Wire
    private(set) var failure: String?

    init(_ path: String) throws(Failure) { wire = try Wire(path) }

    /// What there is to be said at this moment.
    func turn(_ now: Int64) {}
    /// A line that came.
    func take(_ line: UnsafeRawBufferPointer, at now: Int64) {}

    func refuse(_ line: UnsafeRawBufferPointer) {
        failure = failure ?? String(decoding: line, as: UTF8.self)
    }
}

/// Lets them talk until it is done; throws where one is refused, or it takes too long.
func drive(
    _ parts: [Part], within seconds: Int = 60, pauseMicroseconds: Int = 1_000, until isDone: () -> Bool
) throws(Failure) {
    let deadline = nanoseconds() + Int64(seconds) * 1_000_000_000
    var looks = parts.map { pollfd(fd: $0.wire.descriptor, events: Int16(POLLIN), revents: 0) }
    while !isDone() {
        let now = nanoseconds()
        guard now < deadline else { throw Failure("not done within \(seconds) s") }
        for (index, part) in parts.enumerated() {
            part.turn(now)
            part.wire.flush()
            looks[index].events = Int16(part.wire.hasOutput ? POLLIN | POLLOUT : POLLIN)
        }
        let count = ctest_poll(&looks, looks.count, Int64(pauseMicroseconds) * 1_000)
        guard count >= 0 || errno == EINTR else { throw Failure("poll") }
        for (part, look) in zip(parts, looks) where look.revents & Int16(POLLIN | POLLHUP) != 0 {
            // As of now: what is read may have come after the poll, and would else seem to have come early.
            part.wire.receive { part.take($0, at: nanoseconds()) }
            if let refused = part.failure { throw Failure("refused: \(refused)") }
            if part.wire.isClosed { throw Failure("the daemon closed a connection") }
        }
    }
}

extension UnsafeRawBufferPointer {
    func begins(_ text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount && memcmp(baseAddress!, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    func number(at start: Int) -> UInt64 {
        var (at, number) = (start, 0 as UInt64)
        while at < count, self[at] &- 0x30 < 10 {
            number = number * 10 + UInt64(self[at] - 0x30)
            at += 1
        }
        return number
    }

    /// The number behind `name=`; nil where there is none.
    func field(_ name: StaticString) -> UInt64? {
        let length = name.utf8CodeUnitCount
        guard let found = ctest_find(baseAddress!, count, name.utf8Start, length) else { return nil }
        return number(at: found - baseAddress! + length)
    }
}

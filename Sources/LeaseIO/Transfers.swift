// Reads from many connections, or sends to many, one right after the other.

import CLinux
import Glibc

/// A list of sockets to read from or to send to: filled first, then carried out as a whole, then looked at.
package struct Transfers: ~Copyable {
    package static let countMax = Poller.eventsMax

    private let list = UnsafeMutablePointer<clinux_transfer>.allocate(capacity: Transfers.countMax)
    package private(set) var count = 0

    package init() {}

    deinit { list.deallocate() }

    package var isFull: Bool { count == Transfers.countMax }

    /// To be read from. The tag is the caller's, as in the poller.
    package mutating func add(_ fd: Int32, tag: UInt64) {
        add(clinux_transfer(tag: tag, fd: fd, result: 0, bytes: nil, count: 0))
    }

    /// To be sent these bytes, which have to stay where they are till then.
    package mutating func add(_ fd: Int32, tag: UInt64, _ bytes: UnsafeRawBufferPointer) {
        let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        add(clinux_transfer(tag: tag, fd: fd, result: 0, bytes: start, count: bytes.count))
    }

    private mutating func add(_ transfer: clinux_transfer) {
        precondition(!isFull, "a list is carried out before more is added")
        (list + count).initialize(to: transfer)
        count += 1
    }

    package mutating func removeAll() {
        count = 0
    }

    /// Reads once from each, from a place in the list on, as much as `bytesMax`, one behind the other into
    /// the buffer. Ends where there is less room than that.
    /// - Returns: the place of the first that was not read from.
    package mutating func receive(
        from first: Int, into buffer: UnsafeMutableRawBufferPointer, each bytesMax: Int
    ) -> Int {
        precondition(first <= count && bytesMax > 0 && bytesMax <= buffer.count, "there is room for one read")
        let rest = list + first
        return first
            + clinux_sockets_receive(rest, count - first, buffer.baseAddress, buffer.count, bytesMax)
    }

    /// Sends to each what it is to be sent, as much as the kernel takes.
    package mutating func send() {
        clinux_sockets_send(list, count)
    }

    package func tag(at place: Int) -> UInt64 {
        precondition(place >= 0 && place < count, "no such place in the list")
        return list[place].tag
    }

    package func received(at place: Int) -> ReadOutcome {
        let result = result(at: place)
        if result > 0 { return .bytes(result) }
        if result == 0 { return .end }
        return result == -Int(EAGAIN) ? .wouldBlock : .failed(Errno(code: Int32(-result)))
    }

    package func sent(at place: Int) -> SendOutcome {
        let result = result(at: place)
        if result >= 0 { return .bytes(result) }
        return result == -Int(EAGAIN) ? .wouldBlock : .failed(Errno(code: Int32(-result)))
    }

    private func result(at place: Int) -> Int {
        precondition(place >= 0 && place < count, "no such place in the list")
        return Int(list[place].result)
    }
}

// Waits for descriptors: epoll, level triggered, with a tag of the caller's beside each.

import CLinux
import Glibc

/// An epoll instance and its buffer of events. Waiting allocates nothing.
package struct Poller: ~Copyable {
    /// What was found on one descriptor.
    package struct Event: Equatable, Sendable {
        /// What was given with the descriptor. With a registration number in it, the caller can tell an event
        /// for a connection that it closed earlier in the same pass from one for that number's new user.
        package let tag: UInt64
        let flags: UInt32

        package var isReadable: Bool { flags & UInt32(CLINUX_READABLE) != 0 }
        package var isWritable: Bool { flags & UInt32(CLINUX_WRITABLE) != 0 }
        /// The connection is gone altogether, or failed. Reported whether it was asked for or not.
        package var isHungUp: Bool { flags & UInt32(CLINUX_HUNG_UP) != 0 }
        /// The peer has finished sending; unread bytes may stand before it. Only where reads are asked for.
        package var peerFinished: Bool { flags & UInt32(CLINUX_PEER_FINISHED) != 0 }
    }

    /// The most events that one wait gives; what is beyond comes with the next.
    package static let eventsMax = Int(CLINUX_EVENTS_MAX)

    private let epoll: Descriptor
    private let found: UnsafeMutablePointer<clinux_event>
    private var count = 0
    /// Of all that the last wait found.
    private var allFlags: UInt32 = 0
    /// `.max` where it found nothing.
    private var lowestTag = UInt64.max

    package init() throws(Errno) {
        epoll = Descriptor(owning: try check { clinux_epoll_create() })
        found = .allocate(capacity: Poller.eventsMax)
        found.initialize(repeating: clinux_event(), count: Poller.eventsMax)
    }

    deinit { found.deallocate() }

    /// Starts to look at a descriptor. With neither reads nor writes only a hang-up is reported, and that
    /// again with every wait until the descriptor is removed.
    package func add(_ fd: Int32, tag: UInt64, reads: Bool, writes: Bool) throws(Errno) {
        try check { clinux_epoll_add(epoll.raw, fd, tag, Poller.flags(reads, writes)) }
    }

    /// Changes what is looked for on a descriptor that was added, its tag too.
    package func change(_ fd: Int32, tag: UInt64, reads: Bool, writes: Bool) throws(Errno) {
        try check { clinux_epoll_change(epoll.raw, fd, tag, Poller.flags(reads, writes)) }
    }

    /// Looks at a descriptor no longer. To be called before it is closed: a copy of it in another process
    /// would keep it in here for ever.
    package func remove(_ fd: Int32) throws(Errno) {
        try check { clinux_epoll_remove(epoll.raw, fd) }
    }

    /// Waits until there is something, or the time is over; -1 waits for ever, 0 just looks.
    ///
    /// Returns how many events there are for `event(at:)`. None may come early too, where a signal cut the
    /// wait short: it is not begun again, since its time would then be counted from the start.
    package mutating func wait(timeoutMilliseconds: Int32) throws(Errno) -> Int {
        let answer = clinux_epoll_wait(epoll.raw, found, Int32(Poller.eventsMax), timeoutMilliseconds)
        count = max(0, Int(answer))
        (allFlags, lowestTag) = (0, .max)
        for index in 0..<count {
            allFlags |= found[index].flags
            lowestTag = min(lowestTag, found[index].tag)
        }
        if answer == -1 && Errno.last != .interrupted { throw Errno.last }
        return count
    }

    /// Waits until there is something, and does not sleep for the first so many nanoseconds. Others who want
    /// this core get it all the while.
    package mutating func wait(lookingFor nanoseconds: Int64) throws(Errno) -> Int {
        guard nanoseconds > 0 else { return try wait(timeoutMilliseconds: -1) }
        let end = Clocks.monotonicNanoseconds() + nanoseconds
        while Clocks.monotonicNanoseconds() < end {
            let count = try wait(timeoutMilliseconds: 0)
            if count > 0 { return count }
            sched_yield()
        }
        return try wait(timeoutMilliseconds: -1)
    }

    package var someAreHungUp: Bool { allFlags & UInt32(CLINUX_HUNG_UP) != 0 }
    package var someAreWritable: Bool { allFlags & UInt32(CLINUX_WRITABLE) != 0 }
    /// Whether the last wait found one with a tag below this.
    package func someAreBelow(_ tag: UInt64) -> Bool { lowestTag < tag }

    /// One event of the last wait, from 0 to its count.
    package func event(at index: Int) -> Event {
        precondition(index >= 0 && index < count, "no such event in the last wait")
        return Event(tag: found[index].tag, flags: found[index].flags)
    }

    private static func flags(_ reads: Bool, _ writes: Bool) -> UInt32 {
        (reads ? UInt32(CLINUX_READABLE) : 0) | (writes ? UInt32(CLINUX_WRITABLE) : 0)
    }
}

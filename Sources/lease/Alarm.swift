// Waits for whatever comes first: something from the daemon, a signal, or an instant.

import Glibc
import LeaseClient
import LeaseIO
import LeaseModel

/// The timer counts on the clock that runs on while the machine sleeps, so that no deadline is overslept.
struct Alarm: ~Copyable {
    private let timer: WakeTimer

    init() throws(Complaint) {
        do throws(Errno) {
            timer = try WakeTimer()
        } catch {
            throw Complaint(.fault, "a timer can't be had: \(error)")
        }
    }

    /// `look`: another descriptor, and what of it.
    func wait(
        for connection: Connection?, _ signals: borrowing Signals, until instant: Instant,
        _ look: pollfd? = nil
    ) {
        do throws(Errno) {
            if instant == .never {
                try timer.disarm()
            } else {
                try timer.arm(atNanoseconds: instant.nanoseconds)
            }
        } catch {
            // Without it, looking every second has to do.
        }
        var looks = [signals.descriptor, timer.raw, connection?.descriptor ?? -1].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        if let look { looks.append(look) }
        poll(&looks, nfds_t(looks.count), instant == .never ? -1 : 1_000)
        _ = try? timer.drain()
    }
}

// An open descriptor that is closed once: by whoever owns it.

import CLinux
import Glibc

/// An open descriptor, closed at the end of its owner's life.
package struct Descriptor: ~Copyable, Sendable {
    /// The number, to be lent to a call. It is valid only as long as this value lives.
    package let raw: Int32

    /// Takes over an open descriptor.
    package init(owning raw: Int32) { self.raw = raw }

    deinit { closeDescriptor(raw) }

    /// Hands the number to a new owner, who has to close it.
    package consuming func release() -> Int32 {
        let number = raw
        discard self
        return number
    }
}

/// Whether there is such a descriptor.
package func isOpenDescriptor(_ raw: Int32) -> Bool {
    fcntl(raw, F_GETFD) >= 0
}

/// Closes a descriptor that no `Descriptor` owns, such as an accepted peer's.
///
/// Errors are left aside, EINTR too: on Linux the number is free again whatever close(2) says, and a second
/// try could close what another thread has just opened. What has to be on the disk is synced, not closed.
package func closeDescriptor(_ raw: Int32) {
    _ = close(raw)
}

/// Lets this process have as many descriptors as it may: the usual limit is meant for programs that use
/// select(2). Returns how many.
package func raiseDescriptorLimit() throws(Errno) -> Int32 {
    Int32(try check { clinux_raise_descriptor_limit() })
}

/// Makes sure that descriptors 0, 1 and 2 are open, on /dev/null where they weren't.
///
/// To be called before anything is opened: started with stderr closed, a daemon's log would become
/// descriptor 2, and a message for stderr would land in the middle of it.
package func occupyStandardDescriptors() throws(Errno) {
    while true {
        let raw = try check { open("/dev/null", O_RDWR) }
        if raw > 2 { return closeDescriptor(raw) }
    }
}

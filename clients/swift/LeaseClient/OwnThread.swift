// A thread of one's own, beside those on which tasks run.

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

package enum OwnThread {
    /// Runs the body on a new thread, which ends with it. It takes no signals: those are the program's.
    /// - Returns: 0, or what the system says where it can't be.
    package static func start(_ body: @escaping @Sendable () -> Void) -> Int32 {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        let code = startMasked(Body(body))
        pthread_sigmask(SIG_SETMASK, &before, nil)
        return code
    }

    private static func startMasked(_ body: Body) -> Int32 {
        let retained = Unmanaged.passRetained(body)
        #if canImport(Glibc)
            var thread = pthread_t()
        #else
            var thread: pthread_t?
        #endif
        let code = pthread_create(&thread, nil, runBody, retained.toOpaque())
        guard code == 0 else {
            retained.release()
            return code
        }
        #if canImport(Glibc)
            pthread_detach(thread)
        #else
            if let thread { pthread_detach(thread) }
        #endif
        return 0
    }
}

private final class Body: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

#if canImport(Glibc)
    private func runBody(_ body: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let body { Unmanaged<Body>.fromOpaque(body).takeRetainedValue().run() }
        return nil
    }
#else
    private func runBody(_ body: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<Body>.fromOpaque(body).takeRetainedValue().run()
        return nil
    }
#endif

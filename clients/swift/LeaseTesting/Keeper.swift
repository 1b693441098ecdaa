// A thread that lives as long as its rig does: the daemon ends with the thread that started it.

internal import LeaseClient

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// Does one job after the other on its own thread, so that a job may block.
///
/// A daemon with `--exit-with-parent` ends with the thread that started it. The threads on which tasks run
/// come and go; this one goes when nobody holds the keeper any more, or with the process, however that ends.
final class Keeper: Sendable {
    typealias Job = @Sendable () -> Void

    /// What the thread shares with the keeper; it doesn't hold the keeper itself.
    private final class Queue: Sendable {
        let jobs = Guarded<[Job]>([])

        func takeAll() -> [Job] {
            jobs.withLock { jobs in
                defer { jobs = [] }
                return jobs
            }
        }
    }

    private let queue = Queue()
    private let waker: Int32

    init() throws(LeaseRigError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw LeaseRigError("there is no descriptor to spare") }
        ends.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
        waker = ends[1]
        let wakes = ends[0]
        let code = OwnThread.start { [queue] in
            var byte: UInt8 = 0
            // It ends when the other end is closed.
            while read(wakes, &byte, 1) == 1 {
                queue.takeAll().forEach { $0() }
            }
            queue.takeAll().forEach { $0() }
            close(wakes)
        }
        guard code == 0 else {
            ends.forEach { _ = close($0) }
            throw LeaseRigError("there is no thread to spare")
        }
    }

    deinit { close(waker) }

    /// To be done in its turn, without waiting for it.
    func begin(_ job: @escaping Job) {
        queue.jobs.withLock { $0.append(job) }
        var byte: UInt8 = 0
        write(waker, &byte, 1)
    }

    /// Does a job and waits for it.
    func run(_ job: @escaping @Sendable () throws(LeaseRigError) -> Void) async throws(LeaseRigError) {
        let result = await withCheckedContinuation { continuation in
            begin {
                do throws(LeaseRigError) {
                    try job()
                    continuation.resume(returning: Result<Void, LeaseRigError>.success(()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        try result.get()
    }
}

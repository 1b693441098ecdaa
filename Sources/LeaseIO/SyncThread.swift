// One thread beside the loop, for calls that wait for the disk.

import Glibc

/// Carries out jobs one after the other on a thread of its own, and says when each is done.
///
/// To be used from one thread. After a job that failed the next ones are carried out all the same: the
/// caller takes completions in order, and has to stop at the first failure.
package final class SyncThread {
    /// What came of a job: its ticket, 0 or the number of its error, and how long it took.
    package struct Completion: Equatable, Sendable {
        package let ticket: UInt64
        package let code: Int32
        package let nanoseconds: Int64
    }

    private let shared: Shared
    private var thread: pthread_t?

    /// Starts the thread. All signals are blocked in it, so that none of them interrupts a write to the log.
    package init() throws(Errno) {
        shared = try Shared()
        thread = try SyncThread.start(shared)
    }

    /// Dropped before it has finished, it waits for the job that is under way, and leaves those behind it:
    /// who goes at once does not wait for the disk longer than the system does.
    deinit { end(leavesJobs: true) }

    /// For the poller: readable when there are completions.
    package var raw: Int32 { shared.flag.raw }

    /// Hands over a job, to be carried out after those before it. The job answers 0 or an error's number;
    /// a descriptor in it must stay open until its completion is taken, if it is not the job's own.
    package func submit(ticket: UInt64, _ job: @escaping @Sendable () -> Int32) {
        precondition(thread != nil, "the thread has finished")
        shared.submit(Shared.Job(ticket: ticket, run: job))
    }

    /// The same for a job of whose end nobody wants to know.
    package func submit(_ job: @escaping @Sendable () -> Void) {
        precondition(thread != nil, "the thread has finished")
        shared.submit(
            Shared.Job(ticket: nil) {
                job()
                return 0
            })
    }

    /// Appends what was completed since the last call, in the order of the jobs, and quiets the descriptor.
    package func takeCompletions(into completions: inout [Completion]) throws(Errno) {
        // First the flag: raised between the two steps, it stands for something that is still to be taken.
        try shared.flag.drain()
        shared.take(into: &completions)
    }

    /// Waits until all jobs are carried out, and ends the thread. Completions can still be taken.
    package func finish() { end(leavesJobs: false) }

    private func end(leavesJobs: Bool) {
        guard let running = thread else { return }
        shared.stop(leavesJobs: leavesJobs)
        pthread_join(running, nil)
        thread = nil
    }

    private static func start(_ shared: Shared) throws(Errno) -> pthread_t {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 256 << 10)
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        // A thread begins with the mask of the one that starts it.
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread = pthread_t()
        let box = Unmanaged.passRetained(shared)
        let failure = pthread_create(&thread, &attributes, runShared, box.toOpaque())
        if failure == 0 { return thread }
        box.release()
        throw Errno(code: failure)
    }
}

private func runShared(_ box: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    Unmanaged<Shared>.fromOpaque(box!).takeRetainedValue().run()
    return nil
}

/// What both threads see, behind one mutex. (That is why it may be marked as Sendable.)
private final class Shared: @unchecked Sendable {
    struct Job {
        let ticket: UInt64?
        let run: @Sendable () -> Int32
    }

    let flag: WakeFlag
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [Job] = []
    private var completions: [SyncThread.Completion] = []
    private var isStopping = false

    init() throws(Errno) {
        flag = try WakeFlag()
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    func submit(_ job: Job) {
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_cond_signal(changed)
        pthread_mutex_unlock(mutex)
    }

    func stop(leavesJobs: Bool) {
        pthread_mutex_lock(mutex)
        isStopping = true
        if leavesJobs { jobs.removeAll() }
        pthread_cond_signal(changed)
        pthread_mutex_unlock(mutex)
    }

    func take(into taken: inout [SyncThread.Completion]) {
        pthread_mutex_lock(mutex)
        taken.append(contentsOf: completions)
        completions.removeAll(keepingCapacity: true)
        pthread_mutex_unlock(mutex)
    }

    /// The thread's whole life.
    func run() {
        while let job = nextJob() {
            let start = Clocks.monotonicNanoseconds()
            let code = job.run()
            let span = Clocks.monotonicNanoseconds() - start
            guard let ticket = job.ticket else { continue }
            complete(SyncThread.Completion(ticket: ticket, code: code, nanoseconds: span))
        }
    }

    /// nil when there are no jobs, and none will come.
    private func nextJob() -> Job? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while jobs.isEmpty && !isStopping { pthread_cond_wait(changed, mutex) }
        return jobs.isEmpty ? nil : jobs.removeFirst()
    }

    private func complete(_ completion: SyncThread.Completion) {
        pthread_mutex_lock(mutex)
        // Those before it have raised the flag. Under the mutex, so that it isn't raised for what is taken.
        if completions.isEmpty { flag.raise() }
        completions.append(completion)
        pthread_mutex_unlock(mutex)
    }
}

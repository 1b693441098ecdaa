// Timers, flags, signals, processes, the second thread: all that wakes the loop.

import Glibc
import LeaseIO
import Testing

extension Floor {
    @Suite struct Waiting {
        @Test func pollerTellsReadsWritesAndHangUps() throws {
            var poller = try Poller()
            let pair = SocketPair()
            try poller.add(pair.near.raw, tag: .max, reads: true, writes: true)
            #expect(try poller.wait(timeoutMilliseconds: 0) == 1)
            let idle = poller.event(at: 0)
            #expect(idle.tag == .max && idle.isWritable && !idle.isReadable && !idle.isHungUp)
            try poller.change(pair.near.raw, tag: 7, reads: true, writes: false)
            #expect(try poller.wait(timeoutMilliseconds: 0) == 0)
            shutdown(pair.far, Int32(SHUT_WR))
            #expect(try poller.wait(timeoutMilliseconds: 1_000) == 1)
            let half = poller.event(at: 0)
            #expect(half.tag == 7 && half.isReadable && half.peerFinished && !half.isHungUp)
            pair.hangUp()
            #expect(try poller.wait(timeoutMilliseconds: 1_000) == 1)
            #expect(poller.event(at: 0).isHungUp)
            try poller.remove(pair.near.raw)
            #expect(try poller.wait(timeoutMilliseconds: 0) == 0)
        }

        @Test func waitLooksWhereWhatCameLastCameSoon() {
            var busyPoll = BusyPoll()
            #expect(busyPoll.nanoseconds == 0)
            busyPoll.waited(BusyPoll.longest, found: 1)
            #expect(busyPoll.nanoseconds == BusyPoll.longest)
            busyPoll.waited(BusyPoll.longest + 1, found: 1)
            #expect(busyPoll.nanoseconds == 0, "it came late, or never")
            for count in [0, 2] {
                busyPoll.waited(1_000, found: 1)
                busyPoll.waited(1_000, found: count)
                #expect(busyPoll.nanoseconds == 0, "\(count) came at a time")
            }
        }

        @Test(arguments: [0, 1, Int64.max / 2]) func waitThatLooksFindsWhatCame(_ nanoseconds: Int64) throws {
            var poller = try Poller()
            let pair = SocketPair()
            try poller.add(pair.near.raw, tag: 7, reads: true, writes: false)
            let far = pair.far
            let thread = try SyncThread()
            thread.submit(ticket: 1) {
                usleep(2_000)
                return shutdown(far, Int32(SHUT_WR))
            }
            #expect(try poller.wait(lookingFor: nanoseconds) == 1)
            #expect(poller.event(at: 0).tag == 7)
        }

        @Test func timerGoesOffNoEarlier() throws {
            let timer = try WakeTimer()
            let instant = Clocks.bootNanoseconds() + 20_000_000
            try timer.arm(atNanoseconds: instant)
            #expect(try !value(timer.drain()))
            #expect(becomesReadable(timer.raw))
            #expect(Clocks.bootNanoseconds() >= instant)
            #expect(try value(timer.drain()))
            try timer.arm(atNanoseconds: -5)
            #expect(becomesReadable(timer.raw))
            try timer.disarm()
            #expect(!becomesReadable(timer.raw, withinMilliseconds: 0))
        }

        @Test func flagRaisedTwiceIsRaisedOnce() throws {
            let flag = try WakeFlag()
            #expect(try !value(flag.drain()))
            flag.raise()
            flag.raise()
            #expect(becomesReadable(flag.raw))
            #expect(try value(flag.drain()))
            #expect(try !value(flag.drain()))
        }

        @Test func signalWaitsInTheQueue() throws {
            // To this thread, since the others of the test run were there before the queue.
            let queue = try SignalQueue([SIGUSR1])
            #expect(try queue.next() == nil)
            pthread_kill(pthread_self(), SIGUSR1)
            #expect(try queue.next() == SIGUSR1)
            #expect(try queue.next() == nil)
        }

        @Test func zombieHasEnded() throws {
            let pid = startProgram(["sleep", "9"])
            let watch = try ProcessWatch.open(pid)
            #expect(try !value(ProcessWatch.hasEnded(watch)))
            let alive = try #require(ProcessWatch.inspect(pid))
            #expect(alive.uid == getuid() && !alive.isZombie && alive.startTicks > 0)
            kill(pid, SIGKILL)
            #expect(becomesReadable(watch.raw))
            #expect(try value(ProcessWatch.hasEnded(watch)))
            #expect(ProcessWatch.inspect(pid)?.isZombie == true)
            waitpid(pid, nil, 0)
            #expect(ProcessWatch.inspect(pid) == nil)
            #expect(throws: Errno(code: ESRCH)) { _ = try ProcessWatch.open(pid) }
        }

        @Test func hostileNameOfAProcessMisleadsNobody() throws {
            let folder = Folder()
            // A copy of sleep(1) whose name looks like the fields behind it.
            let name = "x) Z 1 (\nUid:\t9"
            #expect(runProgram(["cp", "/bin/sleep", folder(name)]))
            let pid = startProgram([folder(name), "9"])
            while ProcessWatch.name(of: pid) != Array(name.utf8) { usleep(1_000) }
            let facts = ProcessWatch.inspect(pid)
            #expect(facts?.isZombie == false)
            #expect(facts?.uid == getuid())
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            #expect(ProcessWatch.name(of: pid) == nil)
        }

        @Test(arguments: [-1, 0]) func noPidIsNoProcess(pid: Int32) {
            #expect(ProcessWatch.inspect(pid) == nil)
            #expect(ProcessWatch.name(of: pid) == nil)
            #expect(throws: Errno(code: EINVAL)) { _ = try ProcessWatch.open(pid) }
        }

        @Test func jobsAreDoneInTheirOrder() throws {
            let thread = try SyncThread()
            let count: UInt64 = 2_000
            for ticket in 0..<count { thread.submit(ticket: ticket) { ticket == 5 ? EIO : 0 } }
            var done: [SyncThread.Completion] = []
            while done.count < Int(count) {
                #expect(becomesReadable(thread.raw))
                try thread.takeCompletions(into: &done)
            }
            #expect(done.map(\.ticket) == Array(0..<count))
            #expect(done.filter { $0.code != 0 }.map(\.ticket) == [5])
            #expect(!becomesReadable(thread.raw, withinMilliseconds: 0))
        }

        @Test func finishingCarriesOutWhatWasSubmitted() throws {
            let thread = try SyncThread()
            for ticket in 0..<9 as Range<UInt64> {
                thread.submit(ticket: ticket) {
                    usleep(500)
                    return 0
                }
            }
            thread.finish()
            thread.finish()
            var done: [SyncThread.Completion] = []
            try thread.takeCompletions(into: &done)
            #expect(done.count == 9)
        }

        @Test func whatNobodyWantsToKnowIsDoneInTheSameRow() throws {
            let thread = try SyncThread()
            let pair = SocketPair()
            let far = pair.far
            thread.submit { _ = write(far, "x", 1) }
            thread.submit(ticket: 7) { write(far, "y", 1) == 1 ? 0 : 1 }
            thread.submit { _ = write(far, "z", 1) }
            thread.finish()
            var done: [SyncThread.Completion] = []
            try thread.takeCompletions(into: &done)
            #expect(done.map(\.ticket) == [7])
            var bytes = [UInt8](repeating: 0, count: 9)
            #expect(read(pair.near.raw, &bytes, 9) == 3 && bytes.starts(with: Array("xyz".utf8)))
        }

        @Test func droppedItLeavesWhatHasNotBegun() throws {
            nonisolated(unsafe) let carriedOut = UnsafeMutablePointer<Int>.allocate(capacity: 1)
            carriedOut.initialize(to: 0)
            defer { carriedOut.deallocate() }
            var thread: SyncThread? = try SyncThread()
            for ticket in 0..<1_000 as Range<UInt64> {
                thread?.submit(ticket: ticket) {
                    usleep(10_000)
                    carriedOut.pointee += 1
                    return 0
                }
            }
            thread = nil
            #expect(carriedOut.pointee < 1_000)
        }

        @Test func secondThreadTakesNoSignals() throws {
            let thread = try SyncThread()
            thread.submit(ticket: 1) {
                var mask = sigset_t()
                pthread_sigmask(SIG_SETMASK, nil, &mask)
                return sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGUSR2) == 1 ? 0 : 1
            }
            thread.finish()
            var done: [SyncThread.Completion] = []
            try thread.takeCompletions(into: &done)
            #expect(done.first?.code == 0)
        }

        @Test func bootHasANumber() throws {
            #expect(try Clocks.bootID().utf8.count == 36)
            #expect(Clocks.monotonicNanoseconds() <= Clocks.bootNanoseconds())
            #expect(Clocks.wallMilliseconds() > 1_700_000_000_000)
        }
    }
}

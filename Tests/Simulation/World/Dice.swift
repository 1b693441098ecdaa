// What goes wrong, and how it is put right again.

import LeaseModel
import SimulationChecker

extension World {
    /// One turn of the dice.
    func rollDice() {
        let faults = scenario.faults
        if draw.chance(faults.kill) { kill() }
        if draw.chance(faults.killInWrite), life != nil {
            // What ends the process may also end the machine.
            disk.fuse = 1 + draw.below(12)
        }
        if draw.chance(faults.powerCut) { cutPower() }
        if draw.chance(faults.stop) { stop() }
        // Nothing is granted any more, and that is enough of it.
        if life?.isDraining == true, draw.chance(20) { stop() }
        if draw.chance(faults.policyChanges) { changePolicy(to: draw.below(scenario.policies.count)) }
        if draw.chance(faults.sleep) { sleep() }
        if draw.chance(faults.stall) { stall() }
        if draw.chance(faults.wallJump) { moveWallClock() }
        if draw.chance(faults.diskFull) { fillDisk() }
        if draw.chance(faults.diskFails) { breakDisk() }
        if draw.chance(faults.processEnds) { endProcess() }
    }

    func stop() {
        note("the daemon is asked to stop")
        history.stops(at: low)
        life?.isStopWanted = true
    }

    /// Somebody writes another policy, and perhaps says so.
    func changePolicy(to number: Int) {
        guard number != policyNumber else { return }
        note("the policy becomes that of number \(number)")
        policyNumber = number
        history.policyWritten(scenario.policies[number], at: low)
        if draw.chance(50) { life?.isReloadWanted = true }
    }

    private func kill() {
        guard life != nil else { return }
        ended(.killed, wasServing: true)
    }

    /// Everything ends at once, and the clocks begin anew.
    private func cutPower() {
        note("the power goes")
        for number in wires.keys.sorted() { close(number) }
        for index in clients.indices { clients[index].disconnected() }
        if life != nil { ended(.killed, wasServing: true) }
        disk.cut()
        processes.endAll()
        let lost = draw.chance(80)
        clocks.now += lost ? draw.range(0...20 * second) : 0
        history.powerFailed(at: low, clockMoved: wallMovedSinceBoot && !scenario.isManual)
        for (pid, _) in allProcesses { history.processEnded(pid, at: low) }
        wallMovedSinceBoot = false
        clocks.boot += 1
        clocks.bootedAt = clocks.now - draw.range(0...second)
        clocks.slept = 0
        timerDueAt = nil
    }

    /// Everybody sleeps, and the clock of leases runs on.
    private func sleep() {
        let span = draw.range(50 * millisecond...30 * second)
        note("the machine sleeps for \(span)")
        clocks.now += span
        clocks.slept += span
        history.stoodStill(at: low)
    }

    /// The daemon is stopped, and goes on.
    private func stall() {
        guard life != nil, stalledUntil <= clocks.now else { return }
        let span = draw.range(100 * millisecond...5 * second)
        note("the daemon is stopped for \(span)")
        stalledUntil = clocks.now + span
        history.stoodStill(at: scenario.isManual ? low : stalledUntil)
        life?.isContinued = true
    }

    private func moveWallClock() {
        let span = draw.range(-3_600 * second...3_600 * second)
        note("the wall clock is moved by \(span)")
        clocks.wallOffset += span
        wallMovedSinceBoot = true
        if life == nil, !scenario.isManual { history.wallMoved() }
    }

    private func fillDisk() {
        note("the disk is full")
        history.diskTroubled(at: low)
        disk.capacity = disk.bytesTaken + draw.below(60 << 10)
        agenda.add(.healDisk, at: clocks.now + draw.range(0...5 * second))
    }

    private func breakDisk() {
        note("the disk fails")
        history.diskTroubled(at: low)
        disk.isBroken = true
        agenda.add(.healDisk, at: clocks.now + draw.range(0...3 * second))
    }

    func healDisk() {
        disk.capacity = 1 << 30
        disk.isBroken = false
    }

    private func endProcess() {
        let alive = allProcesses.filter { processes.isAlive($0.pid) }
        guard !alive.isEmpty else { return }
        let pid = draw.one(of: alive).pid
        note("process \(pid) ends")
        processes.end(pid)
        history.processEnded(pid, at: low)
    }

    private var allProcesses: [(pid: Int32, uid: UInt32)] { processes.all }
}

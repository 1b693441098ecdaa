// The machine, its daemon and its clients, and everything that goes wrong between them.

import LeaseModel
import LeaseServer
import SimulationChecker

final class World {
    var scenario: Scenario
    var draw: Draw
    var history: History
    var clocks = Clocks()
    var agenda = Agenda()
    let disk: Disk
    let processes = Processes()
    var life: Life?
    var clients: [Client] = []
    var wires: [Int: Wire] = [:]
    var lastWire = 0
    /// The daemon is not scheduled before.
    var stalledUntil: Int64 = 0
    var isPassDue = false
    var isThreadDue = false
    var isStartDue = false
    var timerDueAt: Int64?
    /// Nothing goes wrong any more.
    var isHealed = false
    /// The manual clock is moved no more.
    var isClockStill = false
    var wallMovedSinceBoot = false
    /// Passes at one instant: a daemon that never comes to rest is a fault, too.
    private var passesNow = 0
    private var lastPassAt: Int64 = 0
    /// Counts of what happened.
    var starts = 0
    /// Which of the texts the policy's file has.
    var policyNumber = 0
    /// A line for each thing that happens, where somebody wants to read them.
    var journal: ((String) -> Void)?

    init(seed: UInt64) {
        draw = Draw(seed: seed)
        scenario = Scenario(&draw)
        history = History(
            rules: scenario.policies[0], grace: scenario.grace, isSyncedFirst: scenario.sync == .always,
            latenessMax: scenario.isManual ? 0 : scenario.latenessMax, isSliced: scenario.isSliced,
            letsInSlowly: scenario.options.grantsPerPass < 100, remembersAll: scenario.remembersAll,
            mayStarve: scenario.mayStarve, isPrivate: scenario.options.isPrivate,
            keptMax: scenario.options.limits.keptMax,
            keptPerUserMax: scenario.options.limits.keptPerUserMax)
        disk = Disk(Draw(seed: draw.next()))
        disk.forgets = scenario.forgets
        for number in 0..<scenario.clients {
            let uid: UInt32 = [1_000, 1_000, 0, 1_001][number % 4]
            clients.append(Client(uid: uid, name: "c\(number)"))
        }
        if scenario.hasObserver { clients.append(Client(uid: 0, name: "observer", role: .observer)) }
        if scenario.isManual { clients.append(Client(uid: 0, name: "keeper", role: .clockKeeper)) }
    }

    /// Lease time, for what may have been later and for what may have been earlier: on the manual clock
    /// nobody knows it exactly.
    var low: Int64 { clock?.low ?? clocks.now }
    var high: Int64 { clock?.high ?? clocks.now }
    private var clock: ManualClock? { scenario.isManual ? lastClock : nil }
    private var lastClock = ManualClock()

    /// The keeper has asked for more, or has been told where the clock is.
    func followClock() {
        guard let keeper = clients.first(where: { $0.role == .clockKeeper }) else { return }
        lastClock = keeper.clock
        if lastClock.isWrong {
            history.violations.append(Violation("clock", "the manual clock shows what nobody asked for"))
        }
    }

    func note(_ what: @autoclosure () -> String) {
        journal?("\(clocks.now) \(what())")
    }

    // The daemon.

    func startDaemon() {
        guard life == nil else { return }
        starts += 1
        let lifeDraw = Draw(seed: draw.next())
        do throws(Ending) {
            let born = try Life(scenario, disk, processes, lifeDraw, clocks: { self.clocks },
                takesTime: { self.clocks.now += $0 }, policy: { self.scenario.policies[self.policyNumber] })
            history.daemonStarted(at: low, by: high)
            note("the daemon starts")
            life = born
            born.armTimer()
        } catch {
            note("the daemon does not start: \(error)")
            ended(error, wasServing: false)
        }
    }

    func ended(_ ending: Ending, wasServing: Bool) {
        note("the daemon ends: \(ending)")
        if case .exited(let code, let why) = ending { judgeExit(code, why) }
        life = nil
        disk.fuse = nil
        stalledUntil = 0
        if wasServing { history.daemonEnded(at: low, by: high) }
        for wire in wires.values where !wire.isClosedByDaemon {
            wire.isClosedByDaemon = true
        }
        for index in clients.indices { scheduleReading(index) }
        if !isStartDue {
            isStartDue = true
            agenda.add(.startDaemon, at: clocks.now + draw.range(0...2 * second))
        }
    }

    private func judgeExit(_ code: Int32, _ why: String) {
        let isTroubled = history.hasDiskTrouble
        if code != 0, !(code == 74 && isTroubled) {
            history.violations.append(Violation("service", "the daemon ended with \(code): \(why)"))
        }
    }

    func runPass() {
        isPassDue = false
        guard let life, clocks.now >= stalledUntil else { return }
        if lastPassAt != clocks.now { passesNow = 0 }
        lastPassAt = clocks.now
        passesNow += 1
        if passesNow == 20_000 {
            history.violations.append(Violation("progress", "the daemon does not come to rest"))
        }
        do throws(Ending) {
            try life.pass()
        } catch {
            ended(error, wasServing: true)
        }
        for index in clients.indices { scheduleReading(index) }
    }

    func runThread() {
        isThreadDue = false
        guard let life else { return }
        do throws(DiskFailure) {
            try life.store.goOn()
        } catch {
            ended(.killed, wasServing: true)
        }
    }

    /// Wakes the daemon where there is something for it, and its thread.
    func schedule() {
        guard let life else { return }
        if !isThreadDue, life.store.isThreadBusy {
            isThreadDue = true
            agenda.add(.thread, at: clocks.now + draw.range(0...scenario.diskMax))
        }
        guard !isPassDue else { return }
        if life.isReady {
            isPassDue = true
            agenda.add(.daemon, at: max(stalledUntil, clocks.now + draw.range(scenario.isDelivered)))
        } else if let next = life.timerArmedAt {
            let at = max(clocks.now, next.nanoseconds + clocks.bootedAt)
            if let timerDueAt, timerDueAt > clocks.now, timerDueAt <= at { return }
            timerDueAt = at
            agenda.add(.timer, at: at)
        }
    }

    // Connections.

    func connect(_ index: Int) {
        guard life != nil, life?.stopsAt == nil else { return }
        if clients[index].pid == 0 || !processes.isAlive(clients[index].pid) {
            clients[index].pid = processes.start(uid: clients[index].uid)
        }
        lastWire += 1
        let wire = Wire(
            number: lastWire, uid: clients[index].uid, pid: clients[index].pid,
            capacity: scenario.socketBytes)
        wires[wire.number] = wire
        clients[index].disconnected()
        clients[index].wire = wire
        life?.newcomers.append(wire)
        history.opened(wire.number, uid: wire.uid, pid: wire.pid, at: low)
        note("\(clients[index].name) connects as \(wire.number)")
    }

    func hangUp(_ index: Int) {
        guard let wire = clients[index].wire else { return }
        close(wire.number)
        clients[index].disconnected()
    }

    func close(_ number: Int) {
        guard let wire = wires.removeValue(forKey: number) else { return }
        note("connection \(number) is hung up")
        wire.isClosedByClient = true
        history.closed(number, at: low, by: high)
    }

    private func abandon(_ index: Int) {
        guard let wire = clients[index].wire else { return }
        note("\(clients[index].name) abandons \(wire.number)")
        agenda.add(.closes(wire.number), at: clocks.now + draw.range(0...3 * scenario.pause))
        clients[index].disconnected()
        if draw.chance(70) { connect(index) }
    }

    func carryOut(_ wishes: [Wish], _ index: Int) {
        if clients[index].role == .clockKeeper { followClock() }
        for wish in wishes {
            guard let wire = clients[index].wire else { return }
            switch wish {
            case .send(let bytes):
                // A connection that the other end has closed takes nothing.
                guard !wire.isClosedByDaemon else { return }
                note("\(clients[index].name) > \(String(decoding: bytes.prefix(300), as: UTF8.self))")
                wire.toDaemon += bytes
                history.sent(wire.number, bytes, at: low)
            case .endInput:
                note("\(clients[index].name) ends its input")
                wire.hasInputEnded = true
                history.endedInput(wire.number, at: low)
            case .hangUp: hangUp(index)
            case .abandon: abandon(index)
            }
        }
    }

    func scheduleReading(_ index: Int) {
        guard let wire = clients[index].wire, !wire.toClient.isEmpty || wire.isClosedByDaemon else { return }
        let at = max(clients[index].readsAgainAt, clocks.now + draw.range(scenario.isDelivered))
        agenda.add(.clientReads(index), at: at)
    }

    func clientReads(_ index: Int) {
        guard let wire = clients[index].wire, clients[index].readsAgainAt <= clocks.now else { return }
        if !wire.toClient.isEmpty {
            let bytes = wire.toClient
            wire.toClient = []
            note("\(clients[index].name) < \(String(decoding: bytes.prefix(300), as: UTF8.self))")
            history.received(wire.number, bytes, at: high)
            clients[index].hear(bytes)
            if clients[index].role == .clockKeeper { followClock() }
        }
        if wire.isClosedByDaemon {
            note("\(clients[index].name) sees the end of \(wire.number)")
            let isGone = life == nil || !(life?.wasBornBefore(wire) ?? false)
            history.sawEnd(wire.number, at: low, by: high, daemonIsGone: isGone)
            wires[wire.number] = nil
            clients[index].disconnected()
        }
    }
}

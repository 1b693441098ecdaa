// One run from one seed: first everything goes wrong, then nothing does, and then everybody must be served.

import LeaseModel
package import SimulationChecker

/// What came of a run.
package struct Outcome {
    package let seed: UInt64
    package let violations: [Violation]
    package let nanoseconds: Int64
    package let requests: Int
    package let grants: Int
    package let starts: Int
    package let cuts: Int
}

package enum Episode {
    /// - Parameter journal: is told of everything that happens.
    package static func run(
        seed: UInt64, planted: Plant? = nil, journal: ((String) -> Void)? = nil
    ) -> Outcome {
        let world = World(seed: seed)
        world.journal = journal
        planted?.put(world)
        let began = world.clocks.now
        world.live()
        world.heal()
        world.audit()
        return Outcome(
            seed: seed, violations: world.history.judge(), nanoseconds: world.clocks.now - began,
            requests: world.history.askCount, grants: world.history.grantCount, starts: world.starts,
            cuts: world.clocks.boot - 1)
    }
}

/// A fault that no daemon can make up for, or one of the daemon's own: the checker must notice it.
package enum Plant: CaseIterable, Sendable {
    /// The disk says that it has synced, and has not.
    case lyingDisk
    /// The kernel takes for clean what it could not write, and a start builds on what it shows.
    case believedKernel

    func put(_ world: World) {
        switch self {
        case .lyingDisk: world.disk.lies = true
        case .believedKernel:
            world.disk.forgets = true
            world.disk.isBelieved = true
            world.scenario.faults.diskFails = 15
            world.scenario.faults.powerCut = 15
        }
    }
}

extension World {
    /// The clients and the dice do as they like.
    func live() {
        startDaemon()
        for index in clients.indices {
            agenda.add(.client(index), at: clocks.now + draw.range(0...scenario.pause))
        }
        agenda.add(.dice, at: clocks.now + scenario.pause)
        run(until: clocks.now + scenario.length)
    }

    /// Nothing goes wrong any more: everybody reads, gives back what it has, and is answered.
    func heal() {
        note("all is healed")
        isHealed = true
        disk.fuse = nil
        healDisk()
        stalledUntil = 0
        let ours = Set(clients.compactMap { $0.wire?.number })
        for number in wires.keys.sorted() where !ours.contains(number) { close(number) }
        for index in clients.indices {
            clients[index].readsAgainAt = 0
            scheduleReading(index)
        }
        changePolicy(to: 0)
        if life?.isDraining == true { stop() }
        let longest = scenario.longest
        for _ in 0..<200 {
            run(until: clocks.now + longest)
            if life?.isDraining == true { stop() }
            if clients.allSatisfy({ $0.wire == nil || !history.isOwed($0.wire!.number) }) { break }
        }
        run(until: clocks.now + longest)
        isClockStill = true
        // What was asked last may stand behind all that the disk has to do.
        run(until: clocks.now + longest)
    }

    /// A last client finds every key free.
    func audit() {
        history.demandAnswers()
        history.isQuiet(at: low)
        clocks.now += 1
        for index in clients.indices { hangUp(index) }
        run(until: clocks.now + second)
        history.auditBegins(at: low)
        clients = [Client(uid: 0, name: "auditor", role: .auditor)]
        connect(0)
        carryOut([.send(Array("reload\n".utf8))], 0)
        var last = (0...).lazy.map { $0 + 1 }.makeIterator()
        for line in ["list", "list waiting"] + scenario.keys.map({ "acquire \($0) owner=auditor" }) {
            carryOut([.send(Array("#\(last.next()!) \(line)\n".utf8))], 0)
        }
        run(until: clocks.now + 5 * second)
        history.demandAnswers()
    }

    private func run(until end: Int64) {
        schedule()
        while let (time, event) = agenda.next() {
            // What lies behind the end comes again in the next stretch.
            if time > end {
                agenda.add(event, at: time)
                break
            }
            clocks.now = max(clocks.now, time)
            happen(event)
            schedule()
            if !history.violations.isEmpty { return }
        }
        clocks.now = max(clocks.now, end)
    }

    private func happen(_ event: Event) {
        switch event {
        case .client(let index): clientActs(index)
        case .clientReads(let index): if index < clients.count { clientReads(index) }
        case .closes(let number): close(number)
        case .daemon: runPass()
        case .thread: runThread()
        case .timer: timerDueAt = nil
        case .startDaemon:
            isStartDue = false
            startDaemon()
        case .dice:
            guard !isHealed else { return }
            rollDice()
            agenda.add(.dice, at: clocks.now + scenario.pause)
        case .healDisk: healDisk()
        }
    }

    private func clientActs(_ index: Int) {
        guard index < clients.count, clients[index].role != .auditor else { return }
        // There is little to do for them then.
        let pause = isHealed ? max(scenario.pause, second / 2) : scenario.pause
        agenda.add(.client(index), at: clocks.now + draw.range(0...2 * pause))
        let isKeeper = clients[index].role == .clockKeeper
        if isHealed, !isKeeper {
            carryOut(clients[index].giveUp(), index)
        } else if isHealed, clients[index].wire != nil, !isClockStill {
            carryOut(clients[index].keepClock(scenario, &draw, isHealed: true), index)
        } else if clients[index].wire == nil, !isClockStill {
            connect(index)
        } else if !isHealed {
            if clients[index].role == .user, draw.chance(scenario.habits.stopsReading / 8) {
                clients[index].readsAgainAt = clocks.now + draw.range(0...5 * second)
            }
            carryOut(clients[index].act(scenario, processes, &draw), index)
        }
        scheduleReading(index)
    }
}

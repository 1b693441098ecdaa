// Drives the daemon in closed loops from one thread, and counts what comes of it.

import Glibc
import LeaseClient
import LeaseIO
import LeaseModel
import LeaseWire

/// What a bench came to.
struct BenchOutcome {
    var granted: UInt64 = 0
    var busy: UInt64 = 0
    var renewed: UInt64 = 0
    var released: UInt64 = 0
    /// Grants to those in line.
    var handedOver: UInt64 = 0
    var nanoseconds: Int64 = 1
    /// Of every answer but the grants to those in line.
    var latencies = Latencies()
    /// How long those stood there.
    var waits = Latencies()
    /// What ended it early.
    var signal: Signals.Signal?

    var requests: UInt64 { granted + busy + renewed + released }
    func perSecond(_ count: UInt64) -> Int64 { Int64(Double(count) / (Double(nanoseconds) / 1e9)) }
}

struct BenchLoad: ~Copyable {
    private let plan: BenchPlan
    private let search: SocketSearch
    private var poller: Poller
    private var lines: [BenchLine] = []
    private var loops: [BenchLoop] = []
    private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    private let acquire: [UInt8]
    private let ending: [UInt8]
    private let waiting: [UInt8]
    /// Draws contended keys; which ones doesn't matter, as long as it is quick.
    private var dice: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var outcome = BenchOutcome()
    /// Nobody begins anew: what is held is given back, and what waits is waited for.
    private var isEnding = false
    private var underWay = 0
    private var lastAnswerAt: Int64 = 0
    private var failure: Complaint?
    /// What came with one read.
    private var taken: [BenchAnswer] = []

    /// `stem` is how the keys begin.
    init(_ plan: BenchPlan, stem: String, _ search: SocketSearch, _ poller: consuming Poller) {
        self.plan = plan
        self.search = search
        self.poller = poller
        acquire = Array("acquire \(stem)".utf8)
        let ttl = " ttl=\(plan.ttl.wholeMilliseconds)ms"
        ending = Array("\(ttl)\n".utf8)
        waiting = Array("w\(ttl) wait=forever\n".utf8)
        for loop in 0..<plan.loops {
            loops.append(BenchLoop(line: loop % plan.connections, isWaiter: false))
        }
        for _ in 0..<plan.waiters { loops.append(BenchLoop(line: plan.connections, isWaiter: true)) }
    }

    mutating func connect() throws(Complaint) {
        // Where there are too few all the same, connecting says so.
        _ = try? raiseDescriptorLimit()
        for line in 0..<plan.connections + (plan.waiters > 0 ? 1 : 0) {
            let talk = try Talk(search, until: BootClock.now() + Talk.patience)
            lines.append(BenchLine(talk.connection))
            try look(at: line, writes: false, isNew: true)
        }
    }

    deinit { room.deallocate() }

    /// Runs as long as it is to, or until a signal comes, and gives back what it took.
    mutating func run(_ signals: borrowing Signals) throws(Complaint) -> BenchOutcome {
        let signalTag = UInt64(lines.count)
        do throws(Errno) {
            try poller.add(signals.descriptor, tag: signalTag, reads: true, writes: false)
        } catch {
            throw Complaint(.fault, "epoll: \(error)")
        }
        let start = BenchLoad.now()
        let end = start + plan.duration.nanoseconds
        lastAnswerAt = start
        for loop in loops.indices { begin(loop, at: start) }
        for line in lines.indices { try flush(line) }
        while underWay > 0 {
            let left = isEnding ? 1_000 : max(0, (end - BenchLoad.now()) / 1_000_000 + 1)
            let count = try wait(milliseconds: Int32(clamping: min(1_000, left)))
            for index in 0..<count {
                let tag = poller.event(at: index).tag
                if tag == signalTag { take(signals) } else { try serve(Int(tag)) }
            }
            try lookAtClock(start: start, end: end)
        }
        if let failure { throw failure }
        return outcome
    }

    private mutating func lookAtClock(start: Int64, end: Int64) throws(Complaint) {
        let now = BenchLoad.now()
        if !isEnding, now >= end || failure != nil || outcome.signal != nil {
            isEnding = true
            lastAnswerAt = now
            outcome.nanoseconds = max(1, now - start)
        }
        if now - lastAnswerAt > Talk.patience.nanoseconds {
            throw failure ?? Complaint(.timeout, search)
        }
    }

    private mutating func take(_ signals: borrowing Signals) {
        while let signal = signals.next() {
            if !Signals.isHarmless(signal.number), outcome.signal == nil { outcome.signal = signal }
        }
    }

    private static func now() -> Int64 { BootClock.now().nanoseconds }
}

// MARK: requests

extension BenchLoad {
    private mutating func begin(_ number: Int, at now: Int64) {
        let isWaiter = loops[number].isWaiter
        let line = loops[number].line
        loops[number].step = .acquiring
        loops[number].renewalsLeft = plan.renewals
        tag(number)
        lines[line].append(acquire)
        if isWaiter {
            lines[line].append(waiting)
        } else {
            appendKey(of: number, to: line)
            lines[line].append(ending)
        }
        expect(number, at: now)
    }

    /// A contended one, or the next of its own: every loop has other ones.
    private mutating func appendKey(of number: Int, to line: Int) {
        loops[number].isContended = plan.contendedPercent > 0 && draw(100) < plan.contendedPercent
        if loops[number].isContended {
            lines[line].append([UInt8(ascii: "c")])
            lines[line].append(UInt64(draw(plan.contendedKeys)))
        } else {
            lines[line].append(UInt64(number + loops[number].key * plan.loops))
            loops[number].key += 1
            if loops[number].key == plan.keys / plan.loops { loops[number].key = 0 }
        }
    }

    private mutating func draw(_ count: Int) -> Int {
        dice ^= dice << 13
        dice ^= dice >> 7
        dice ^= dice << 17
        return Int(truncatingIfNeeded: dice >> 33) % count
    }

    private static let renewWord = Array("renew ".utf8)
    private static let releaseWord = Array("release ".utf8)
    private static let newline = Array("\n".utf8)

    private mutating func goOn(_ number: Int, at now: Int64) {
        let line = loops[number].line
        let renews = loops[number].renewalsLeft > 0 && !isEnding
        if renews { loops[number].renewalsLeft -= 1 }
        loops[number].step = renews ? .renewing : .releasing
        tag(number)
        lines[line].append(renews ? BenchLoad.renewWord : BenchLoad.releaseWord)
        lines[line].append(loops[number].token)
        lines[line].append(BenchLoad.newline)
        expect(number, at: now)
    }

    private mutating func tag(_ number: Int) {
        guard loops[number].isWaiter else { return }
        lines[loops[number].line].append([UInt8(ascii: "#")])
        lines[loops[number].line].append(UInt64(number))
        lines[loops[number].line].append([UInt8(ascii: " ")])
    }

    private mutating func expect(_ number: Int, at now: Int64) {
        loops[number].sentAt = now
        underWay += 1
        if !loops[number].isWaiter { lines[loops[number].line].expectAnswer(for: number) }
    }
}

// MARK: answers

extension BenchLoad {
    private mutating func serve(_ index: Int) throws(Complaint) {
        let now = BenchLoad.now()
        lastAnswerAt = now
        taken.removeAll(keepingCapacity: true)
        lines[index].receive(into: room, &taken)
        for place in taken.indices { take(taken[place], at: now) }
        if lines[index].isClosed { try lose(index) }
        try flush(index)
    }

    private mutating func take(_ answer: BenchAnswer, at now: Int64) {
        let number = answer.loop
        guard loops.indices.contains(number) else { return refuse(answer) }
        let isRefused = answer.status == .busy && !loops[number].isContended
        if answer.status == .other || isRefused { refuse(answer) }
        let step = loops[number].step
        loops[number].step = .idle
        underWay -= 1
        if !isEnding { count(answer, step, of: number, after: now - loops[number].sentAt) }
        switch (step, answer.status) {
        case (.acquiring, .ok):
            loops[number].token = answer.token
            goOn(number, at: now)
        case (.renewing, .ok): goOn(number, at: now)
        case (.acquiring, _), (.renewing, _), (.releasing, _):
            if !isEnding, failure == nil { begin(number, at: now) }
        case (.idle, _): break
        }
    }

    private mutating func count(
        _ answer: BenchAnswer, _ step: BenchLoop.Step, of number: Int, after time: Int64
    ) {
        switch (step, answer.status) {
        case (.acquiring, .ok): outcome.granted += 1
        case (.acquiring, .busy): outcome.busy += 1
        case (.renewing, .ok): outcome.renewed += 1
        case (.releasing, .ok): outcome.released += 1
        default: return
        }
        guard loops[number].isWaiter, step == .acquiring else { return outcome.latencies.add(time) }
        outcome.handedOver += 1
        outcome.waits.add(time)
    }

    /// An answer that ends the run: it is given to whoever asked for it.
    private mutating func refuse(_ answer: BenchAnswer) {
        let line = Array(room[answer.range].dropLast())
        guard failure == nil else { return }
        guard let read = ReplyLine(line.span), case .reply(let status) = read.kind else {
            return failure = Complaint(.garbled(line), search)
        }
        failure = Complaint(read, status)
    }

    /// Nothing more comes from there, and what it held ends with its time.
    private mutating func lose(_ index: Int) throws(Complaint) {
        failure = failure ?? Complaint(.closed, search)
        _ = try? poller.remove(lines[index].descriptor)
        for loop in loops.indices where loops[loop].line == index && loops[loop].step != .idle {
            loops[loop].step = .idle
            underWay -= 1
        }
    }

    private mutating func flush(_ index: Int) throws(Complaint) {
        let wasBlocked = lines[index].isBlocked
        lines[index].flush()
        guard lines[index].isBlocked != wasBlocked, !lines[index].isClosed else { return }
        try look(at: index, writes: !wasBlocked, isNew: false)
    }

    private mutating func look(at index: Int, writes: Bool, isNew: Bool) throws(Complaint) {
        let (descriptor, tag) = (lines[index].descriptor, UInt64(index))
        do throws(Errno) {
            if isNew {
                try poller.add(descriptor, tag: tag, reads: true, writes: writes)
            } else {
                try poller.change(descriptor, tag: tag, reads: true, writes: writes)
            }
        } catch {
            throw Complaint(.fault, "epoll: \(error)")
        }
    }

    private mutating func wait(milliseconds: Int32) throws(Complaint) -> Int {
        do throws(Errno) {
            return try poller.wait(timeoutMilliseconds: milliseconds)
        } catch {
            throw Complaint(.fault, "epoll: \(error)")
        }
    }
}

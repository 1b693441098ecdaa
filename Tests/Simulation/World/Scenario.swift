// The options of one run: each is drawn from its seed before anything happens.

import LeaseModel
import LeaseServer
import SimulationChecker

let millisecond: Int64 = 1_000_000
let second: Int64 = 1_000_000_000

/// What may go wrong, each so many times in a hundred turns of the world's dice.
struct Faults {
    var kill = 0
    var killInWrite = 0
    var powerCut = 0
    var stop = 0
    var sleep = 0
    var stall = 0
    var wallJump = 0
    var diskFull = 0
    var diskFails = 0
    var processEnds = 0
    var policyChanges = 0
}

struct Scenario {
    var options = ServerOptions()
    var sync = SyncPolicy.always
    var grace: Int64 = 0
    /// What the policy's file says at the beginning, and what may be written there later.
    var policies: [KindTable] = []
    /// The clock stands still but for what one of the clients makes of it.
    var isManual = false
    /// A client that watches everything, comes back to it, and reads at once.
    var hasObserver = false
    /// Names of keys: few, so that clients meet.
    var keys: [String] = []
    var clients = 0
    /// How long clients do as they like, and how often each does something.
    var length: Int64 = 0
    var pause: Int64 = 0
    /// The longest ttl and wait that are asked for.
    var ttlMax: Int64 = 0
    var waitMax: Int64 = 0
    var diskMax: Int64 = 0
    var isDelivered: ClosedRange<Int64> = 0...0
    /// How long the daemon takes at most to read from one connection.
    var readTakes: Int64 = 0
    var socketBytes = 0
    /// The room of the log's ring, so small that it is full again and again; 0 where there is none.
    var ringBytes = 0
    var faults = Faults()
    /// Whether the kernel takes for clean what it could not write.
    var forgets = false
    var habits = Habits()

    init(_ draw: inout Draw) {
        clients = 2 + draw.below(7)
        length = draw.range(2 * second...60 * second)
        pause = draw.one(of: [10, 50, 200, 1_000].map { $0 * millisecond })
        length = min(length, pause * 60)
        ttlMax = draw.one(of: [50, 500, 3_000, 20_000].map { $0 * millisecond })
        waitMax = draw.one(of: [20, 400, 5_000, 30_000].map { $0 * millisecond })
        diskMax = draw.one(of: [0, 0, 1, 5, 40, 300].map { $0 * millisecond })
        isDelivered = 0...draw.one(of: [0, 0, 0, 1, 20].map { $0 * millisecond })
        readTakes = draw.one(of: [0, 0, 0, 1, 10].map { $0 * millisecond })
        socketBytes = draw.one(of: [40, 300, 4_096, 100_000])
        sync = draw.one(of: [.always, .always, .always, .never, .every(.milliseconds(50))])
        grace = draw.one(of: [0, 50, 1_000, 5_000].map { $0 * millisecond })
        drawPolicies(&draw)
        options.grace = Duration(nanoseconds: grace)
        options.seed = draw.next()
        options.compactionBytesMin = draw.one(of: [600, 4_000, 30_000, 32 << 20])
        options.leasesPerPass = draw.one(of: [1, 3, 1_000])
        options.deadlinesPerPass = draw.one(of: [1, 2, 2_000])
        options.grantsPerPass = draw.one(of: [1, 2, 1_000, 1_000])
        options.looksPerPass = draw.one(of: [1, 3, 1_000])
        options.workPerPass = draw.one(of: [1, 5, 4_096])
        options.linesAlways = draw.one(of: [1, 3, 32])
        options.numbersAhead = draw.one(of: [32, 64, 1 << 16])
        options.spaceAhead = draw.one(of: [40 << 10, 4 << 20])
        options.limits.eventsMax = draw.one(of: [1 << 15, 1 << 15, 200, 24])
        options.isPrivate = draw.chance(20)
        options.limits.keptMax = draw.one(of: [100_000, 100_000, 3, 1])
        options.limits.keptPerUserMax = min(options.limits.keptMax, draw.one(of: [50_000, 2, 1]))
        options.limits.outputBytesMax = draw.one(of: [2 << 20, 2 << 20, 3_000])
        // What was not synced may be lost, and nobody would know then what the clock shows.
        isManual = sync == .always && draw.chance(20)
        hasObserver = draw.chance(60)
        drawFaults(&draw)
        forgets = draw.chance(50)
        habits = Habits(&draw)
        ringBytes = draw.one(of: [0, 900, 4_000, 30_000])
    }

    private mutating func drawPolicies(_ draw: inout Draw) {
        let rules = 20 * draw.below(3)
        policies.append(drawRules(&draw, rules))
        while draw.chance(25), policies.count < 3 {
            var next = drawRules(&draw, rules)
            if draw.chance(20) { next["room"] = nil }
            policies.append(next)
        }
        let count = 1 + draw.below(4)
        for name in policies[0].keys.sorted() {
            for number in 0..<count where draw.chance(70) { keys.append("\(name)/\(number)") }
        }
        if keys.isEmpty { keys = ["user/0"] }
    }

    /// - Parameter percent: how often a rule is said that need not be.
    private func drawRules(_ draw: inout Draw, _ percent: Int) -> KindTable {
        var kinds: KindTable = [:]
        for name in ["user", "pool", "room"] {
            let ttl = draw.range(20...20_000) * millisecond
            var rules = KindRules(limit: name == "pool" ? 2 + draw.below(3) : 1, ttl: ttl)
            if draw.chance(30) { rules.queue = draw.below(4) }
            if draw.chance(20) { rules.maxTTL = max(ttl, ttlMax) }
            if draw.chance(percent) { rules.maxHold = draw.range(20...4_000) * millisecond }
            if draw.chance(percent / 2) {
                rules.maxWait = draw.range(10...2 * waitMax / millisecond) * millisecond
            }
            if draw.chance(percent / 2) { rules.maxPriority = draw.range(0...9) }
            if draw.chance(percent) { rules.keep = draw.range(20...4_000) * millisecond }
            if draw.chance(percent) { rules.lockDelay = draw.range(5...3_000) * millisecond }
            if draw.chance(percent) {
                rules.rate = (1 + draw.below(4), draw.range(20...3_000) * millisecond)
            }
            rules.dropsOldest = rules.queue != nil && draw.chance(percent)
            kinds[name] = rules
        }
        return kinds
    }

    /// Some runs know no faults, most know a few of them, often.
    private mutating func drawFaults(_ draw: inout Draw) {
        if draw.chance(15) { return }
        let each = [
            \Faults.kill, \.killInWrite, \.powerCut, \.stop, \.sleep, \.stall, \.wallJump, \.diskFull,
            \.diskFails, \.processEnds, \.policyChanges,
        ]
        for path in each where draw.chance(30) { faults[keyPath: path] = draw.one(of: [2, 5, 15]) }
    }

    /// The policy's text.
    static func text(of kinds: KindTable) -> String {
        kinds.keys.sorted().map { name in
            let rules = kinds[name]!
            var line = "kind \(name) id limit=\(rules.limit) ttl=\(rules.ttl / millisecond)ms"
            let spans = [
                ("max-ttl", rules.maxTTL), ("max-hold", rules.maxHold), ("max-wait", rules.maxWait),
                ("keep", rules.keep), ("lock-delay", rules.lockDelay),
            ]
            for case (let name, let span?) in spans { line += " \(name)=\(span / millisecond)ms" }
            if let most = rules.maxPriority { line += " max-priority=\(most)" }
            if let queue = rules.queue { line += " queue=\(queue)" }
            if rules.dropsOldest { line += " overflow=drop-oldest" }
            if let rate = rules.rate { line += " rate=\(rate.grants)/\(rate.window / millisecond)ms" }
            return line
        }.joined(separator: "\n") + "\n"
    }

    /// Whether nothing that happened is ever forgotten.
    var remembersAll: Bool {
        options.limits.eventsMax == 1 << 15 && options.compactionBytesMin == 32 << 20 && habits.compacts == 0
    }

    /// Whether a grant may have to wait for numbers or space. (The manual clock waits with it.)
    var mayStarve: Bool {
        !isManual && (options.numbersAhead < 1 << 16 || options.spaceAhead < 4 << 20)
    }

    /// Whether requests are answered while something is due: much of it, or within a pass that takes long.
    var isSliced: Bool { options.deadlinesPerPass < 100 || readTakes > 0 }

    /// By how much the daemon may be late: it isn't scheduled at once, and a pass takes its time.
    var latenessMax: Int64 { isDelivered.upperBound + readTakes * Int64(clients + 2) }

    /// How long it takes until nothing of what was asked, kept or counted is left.
    var longest: Int64 { max(ttlMax, 20 * second) + grace + waitMax }
}

/// What clients tend to do, in hundred.
struct Habits {
    var tags = 0
    var retries = 0
    var shared = 0
    var several = 0
    var waits = 0
    var priorities = 0
    var ephemeral = 0
    var processes = 0
    var forgets = 0
    var hangsUp = 0
    var abandons = 0
    var halfCloses = 0
    var stopsReading = 0
    var pipelines = 0
    var splits = 0
    var looks = 0
    var nonsense = 0
    var compacts = 0
    var evicts = 0
    var joins = 0
    var results = 0
    var notifies = 0
    var watches = 0
    var reloads = 0
    var drains = 0

    init() {}

    init(_ draw: inout Draw) {
        let each = [
            \Habits.tags, \.retries, \.shared, \.several, \.waits, \.priorities, \.ephemeral, \.processes,
            \.forgets, \.hangsUp, \.abandons, \.halfCloses, \.stopsReading, \.pipelines, \.splits, \.looks,
            \.nonsense, \.compacts, \.evicts, \.joins, \.results, \.notifies, \.watches, \.reloads, \.drains,
        ]
        for path in each where draw.chance(60) { self[keyPath: path] = draw.one(of: [5, 20, 60]) }
    }
}

// Who else was at work on the machine while it was measured.

import Glibc

/// Counts from its making on what processors have done, and what of it was the bench's.
struct Bystanders {
    private struct Account {
        /// All processors', but for what they were idle.
        var busy: Double
        /// What the machine under this one gave to others.
        var stolen: Double
        /// This process's and its children's, those aside that have not ended yet.
        var own: Double
        var wall: Double
    }

    private let begin = Bystanders.account()

    /// Say it when all servers have ended: what they used is known by then.
    var sentence: String {
        let now = Self.account()
        let wall = max(1e-3, now.wall - begin.wall)
        let others = max(0, now.busy - begin.busy - (now.own - begin.own)) / wall * 100
        let stolen = (now.stolen - begin.stolen) / wall * 100
        return "Others at work all the while, the kernel's own threads among them: \(Report.fixed(others)) % "
            + "of a core; taken away by the machine below: \(Report.fixed(stolen)) %"
    }

    private static func account() -> Account {
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        let counts = (textOf("/proc/stat").split(separator: "\n").first ?? "").split(separator: " ")
            .dropFirst().map { (Double($0) ?? 0) / ticks }
        // user nice system idle iowait irq softirq steal
        let all = counts + Array(repeating: 0, count: max(0, 8 - counts.count))
        return Account(
            busy: all[0] + all[1] + all[2] + all[5] + all[6], stolen: all[7],
            own: used(RUSAGE_SELF.rawValue) + used(RUSAGE_CHILDREN.rawValue),
            wall: Double(nanoseconds()) / 1e9)
    }

    private static func used(_ whose: __rusage_who_t) -> Double {
        var usage = rusage()
        getrusage(whose, &usage)
        let times = [usage.ru_utime, usage.ru_stime]
        return times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }
}

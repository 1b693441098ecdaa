// How long answers took: counted in buckets whose width grows with them, so each is known to two per cent.

struct Latencies {
    private var counts = [UInt64](repeating: 0, count: 64 * 64)
    private(set) var total: UInt64 = 0
    /// In nanoseconds.
    private(set) var longest: Int64 = 0

    mutating func add(_ nanoseconds: Int64) {
        let value = max(0, nanoseconds)
        counts[Latencies.bucket(UInt64(value))] += 1
        total += 1
        longest = max(longest, value)
    }

    /// What a share of them, as 0.99, did not exceed, in nanoseconds.
    func nanoseconds(at share: Double) -> Int64 {
        let wanted = UInt64(share * Double(total))
        var seen: UInt64 = 0
        for bucket in counts.indices {
            seen += counts[bucket]
            if seen > wanted { return min(Latencies.end(of: bucket), longest) }
        }
        return longest
    }

    struct Row: Equatable {
        /// In nanoseconds, and not among them.
        let upTo: Int64
        let count: UInt64
    }

    /// Ten for every power of ten, from the first to the last in which there is something.
    var rows: [Row] {
        var rows: [Row] = []
        var bucket = 0
        for power in 1...10 {
            for step: Int64 in [10, 12, 15, 20, 25, 30, 40, 50, 60, 80] {
                let upTo = step * Latencies.powers[power - 1]
                var count: UInt64 = 0
                while bucket < counts.count, Latencies.end(of: bucket) <= upTo {
                    count += counts[bucket]
                    bucket += 1
                }
                if count > 0 || !rows.isEmpty { rows.append(Row(upTo: upTo, count: count)) }
            }
        }
        let rest = counts[bucket...].reduce(0, +)
        if rest > 0 { rows.append(Row(upTo: min(longest, .max - 1) + 1, count: rest)) }
        return Array(rows.prefix((rows.lastIndex { $0.count > 0 } ?? -1) + 1))
    }

    private static let powers: [Int64] = (0..<10).map { (0..<$0).reduce(Int64(1)) { sum, _ in sum * 10 } }

    private static func bucket(_ value: UInt64) -> Int {
        if value < 64 { return Int(value) }
        let power = 63 - value.leadingZeroBitCount
        return (power - 5) * 64 + Int(value >> UInt64(power - 6) & 63)
    }

    /// Where the bucket's values end.
    private static func end(of bucket: Int) -> Int64 {
        if bucket < 64 { return Int64(bucket) + 1 }
        let power = bucket / 64 + 5
        let (end, shift) = (UInt64(bucket % 64 + 65), power - 6)
        return end.leadingZeroBitCount > shift ? Int64(clamping: end << UInt64(shift)) : .max
    }
}

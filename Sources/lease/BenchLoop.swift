// One loop of a bench, which always has one request under way: take a key, renew the lease, give it back.

struct BenchLoop {
    enum Step {
        case idle, acquiring, renewing, releasing
    }

    var step = Step.idle
    /// Of the lease that it has, or had.
    var token: UInt64 = 0
    var renewalsLeft = 0
    /// The one that it takes next, among its own.
    var key = 0
    /// Whether others want the key, too: then BUSY is an answer as good as any.
    var isContended = false
    /// When the request was sent.
    var sentAt: Int64 = 0
    let line: Int
    /// Whether it stands in line, where answers come in another order: its requests bear its number as tag.
    let isWaiter: Bool

    init(line: Int, isWaiter: Bool) {
        self.line = line
        self.isWaiter = isWaiter
    }
}

/// An answer, as far as a bench looks at it.
struct BenchAnswer {
    enum Status {
        case ok, busy, other
    }

    let status: Status
    /// Whom it is for: at first what its tag says; -1 where it has none.
    var loop = -1
    /// 0 where the line has none in its usual place.
    let token: UInt64
    /// Its line, with its end, in the bytes that were read.
    let range: Range<Int>

    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.range = range
        var at = range.lowerBound
        if bytes[at] == UInt8(ascii: "#") {
            at += 1
            loop = Int(truncatingIfNeeded: BenchAnswer.number(bytes, &at))
            at += 1
        }
        let rest = range.upperBound - at
        if rest > 2, bytes[at] == UInt8(ascii: "O"), bytes[at + 1] == UInt8(ascii: "K") {
            status = .ok
            // As in `OK token=17`.
            at += 9
            token = rest > 9 ? BenchAnswer.number(bytes, &at) : 0
        } else {
            let isBusy = rest > 2 && bytes[at] == UInt8(ascii: "B") && bytes[at + 1] == UInt8(ascii: "U")
            status = isBusy ? .busy : .other
            token = 0
        }
    }

    /// Stops at the end of the line at the latest.
    private static func number(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> UInt64 {
        var number: UInt64 = 0
        while bytes[at] &- 0x30 < 10 {
            number = number &* 10 &+ UInt64(bytes[at] &- 0x30)
            at += 1
        }
        return number
    }
}

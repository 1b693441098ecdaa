// A small log to damage, and what a reader makes of it.

import LeaseLog
import LeaseModel

let thisBoot = Text("4f1c-boot-now")
let otherBoot = Text("0000-boot-other")

/// Builds a file line by line.
struct SampleLog {
    private(set) var bytes: [UInt8] = []
    /// Where each line begins.
    private(set) var starts: [Int] = []
    private(set) var records: [Record] = []
    private(set) var sequence: Sequence64 = 0
    private(set) var time = Instant(nanoseconds: 1_000_000_000)

    init(sequence: Sequence64 = 0, isCompacted: Bool = false) {
        self.sequence = sequence
        starts.append(0)
        let header = LogHeader(sequence: sequence, at: time, clock: .system, isCompacted: isCompacted)
        RecordEncoder.append(header, to: &bytes)
    }

    /// Appends the next change. `synced` makes it the first of a batch.
    mutating func add(_ change: Change, synced: Sequence64? = nil, step: UInt64 = 1, later: Int64 = 1_000) {
        sequence += step
        time = Instant(nanoseconds: time.nanoseconds + later)
        put(Record(sequence: sequence, at: time, change: change), synced: synced)
    }

    mutating func put(_ record: Record, synced: Sequence64? = nil) {
        starts.append(bytes.count)
        records.append(record)
        let mark = synced.map { BatchMark(synced: $0, wallMilliseconds: 1_700_000_000_000) }
        RecordEncoder.append(record, mark: mark, to: &bytes)
    }

    /// The bytes of line `line` (from 1), LF included.
    func range(ofLine line: Int) -> Range<Int> {
        starts[line - 1]..<(line < starts.count ? starts[line] : bytes.count)
    }

    static func start(boot: Text = thisBoot, shift: Int64 = 0, lastToken: Token = 0) -> Change {
        .started(Start(boot: boot, shift: shift, lastToken: lastToken))
    }

    static func grant(_ token: Token) -> Change {
        .granted(
            Grant(
                token: token, keys: Keys(Key(printed: Array("user/\(token)".utf8))),
                owner: Text("tab-\(token)"),
                uid: 1000, pid: 3312, ttl: .seconds(30)))
    }

    static func release(_ token: Token) -> Change {
        .ended(Ending(token: token, reason: .released))
    }

    /// Header, `started` and `count` more changes, each a batch of its own that was synced before the next.
    static func of(_ count: Int) -> SampleLog {
        var log = SampleLog()
        log.add(start(), synced: 0)
        for index in 1...count {
            let token = Token((index + 1) / 2)
            log.add(index % 2 == 1 ? grant(token) : release(token), synced: log.sequence)
        }
        return log
    }
}

/// What came out of a file.
struct ReadLog: Equatable {
    var records: [Record] = []
    var end: LogEnd
    var position: LogPosition?
    var summary: LogSummary

    /// Reads `bytes` in chunks of `chunk` bytes; 0 is all at once.
    init(_ bytes: [UInt8], boot: Text? = thisBoot, chunk: Int = 0) {
        var reader = LogReader()
        var records: [Record] = []
        var start = 0
        while start < bytes.count {
            let end = chunk == 0 ? bytes.count : min(bytes.count, start + chunk)
            reader.feed(bytes.span.extracting(start..<end)) { record, _ in records.append(record) }
            start = end
        }
        self.records = records
        end = reader.finish(currentBoot: boot)
        position = reader.position
        summary = reader.summary(of: end)
    }

    var isTorn: Bool {
        if case .torn = end { true } else { false }
    }

    var damagedLine: Int? {
        if case .damaged(let line, _, _) = end { line } else { nil }
    }

    var damage: String? {
        if case .damaged(_, _, let what) = end { what } else { nil }
    }
}

/// The line with its right checksum in front, and an LF behind.
func sealed(_ rest: String) -> [UInt8] {
    let crc = String(Crc32C.bitByBit(Array(rest.utf8)), radix: 16)
    return Array((String(repeating: "0", count: 8 - crc.count) + crc + " " + rest + "\n").utf8)
}

/// CRC-32C as the definition says it, one bit at a time: it shares nothing with the one under test.
enum Crc32C {
    static func bitByBit(_ bytes: [UInt8]) -> UInt32 {
        var crc = ~UInt32(0)
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 {
                crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1
            }
        }
        return ~crc
    }
}

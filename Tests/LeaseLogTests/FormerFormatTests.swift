// Logs that a released daemon has written: every later one must read them, whatever its own format is.

import LeaseModel
import Testing

@testable import LeaseLog

@Suite struct FormerFormatTests {
    private static let plain = """
        95e5d15f 0 911.204000118 log format=1 clock=system compacted=no
        10bee415 1 911.204000118 started boot=6f0a9f3e-52c1-4a7e-9d0b-1c2f7f4f5a11 shift=0ns \
        last-token=0 synced=0 wall=1767268800000
        ceeb4abc 2 915.730442907 granted token=1 key=user/42 owner=tab-A uid=1000 pid=3312 \
        ttl=30000ms synced=1 wall=1767268804526
        727c2bd1 3 915.730442907 granted token=2 key=conversation/c9,species/31/video owner=worker \
        uid=1000 pid=4100 ttl=600000ms while=4100:88123 request=job-7 note=nightly%20run
        0dd259ce 4 935.021600340 renewed token=1 ttl=30000ms synced=3 wall=1767268823817
        c1463bd3 5 940.118020001 released token=1 synced=4 wall=1767268828914
        b0a3e27d 6 941.500000000 process-ended token=2 synced=5 wall=1767268830296
        caf81ee1 7 950.000000250 stopped synced=6 wall=1767268838796
        """

    private static let compacted = """
        c7da3253 20 1204.000000000 log format=1 clock=system compacted=yes
        1fa172fb 20 1204.000000000 started boot=6f0a9f3e-52c1-4a7e-9d0b-1c2f7f4f5a11 shift=0ns \
        last-token=5 synced=20 wall=1767269092796
        701637ea 20 1204.000000000 held token=5 key=user/42 owner=tab-B uid=1000 pid=5120 \
        ttl=30000ms since=1190.500000000 own-until=1220.500000000 until=1220.500000000
        b9626bc7 21 1204.010300777 released token=5
        2744d10f 21 1204.010300777 remembered token=4 why=expired at=1190.499000000 key=user/42 \
        uid=1000 request=job-9 newest=4
        881c63fd 22 1204.012000000 compacted lines=2
        20e5da2f 23 1300.000000000 granted token=6 key=user/42 owner=tab-B uid=1000 pid=5120 \
        ttl=30000ms synced=22 wall=1767269188796
        """

    @Test(arguments: [plain, compacted])
    func formatOneIsRead(text: String) throws {
        let bytes = Array((text + "\n").utf8)
        var reader = LogReader()
        var records: [(Record, BatchMark?)] = []
        reader.feed(bytes.span) { record, mark in records.append((record, mark)) }
        #expect(reader.finish(currentBoot: nil) == .clean(size: Int64(bytes.count)))
        let header = try #require(reader.header)
        #expect(header.format == 1)
        var written: [UInt8] = []
        RecordEncoder.append(header, to: &written)
        for (record, mark) in records {
            RecordEncoder.append(record, mark: mark, to: &written)
        }
        #expect(written == bytes)
    }

    /// A file has one format: what a later one added stands in none of this.
    @Test func formatOneHoldsNothingOfLaterOnes() {
        let grant = Grant(
            token: 9, keys: Keys(Key(printed: Array("a/b".utf8))), owner: Text("o"), uid: 1, pid: 1,
            ttl: .zero, maxHold: .seconds(1))
        let later: [Change] = [
            .granted(grant), .ended(Ending(token: 1, reason: .expired, rests: [.seconds(1)])),
        ]
        for change in later {
            var bytes = Array((FormerFormatTests.plain + "\n").utf8)
            // Without its last line, which is `stopped`.
            bytes.removeLast()
            bytes.removeSubrange((bytes.lastIndex(of: UInt8(ascii: "\n"))! + 1)...)
            let at = Instant(nanoseconds: 960_000_000_000)
            RecordEncoder.append(Record(sequence: 7, at: at, change: change), mark: nil, to: &bytes)
            #expect(ReadLog(bytes).damage?.contains("belongs to format 2") == true)
        }
    }
}

// The reply to `stats`: lines of counts, in which what is not there is 0.

import LeaseModel

enum StatisticsWriter {
    static func append(_ view: StatisticsView, to output: inout [UInt8]) {
        var body = Body()
        body.addLine { appendLog(view, to: &$0) }
        body.addLine { line in
            line.append("syncs")
            appendSpans(view.syncs, to: &line)
        }
        if !view.errors.isEmpty {
            body.addLine { appendErrors(view.errors, to: &$0) }
        }
        add(view.all, of: nil, to: &body)
        for kind in view.kinds {
            add(kind.counts, of: kind.name, to: &body)
        }
        body.appendFirstLine(hasMore: false, to: &output) { first in
            first.append(" uptime=", view.uptime)
            first.append(" started=", number: view.startedMilliseconds)
            first.append(" leases=", number: view.leases)
            first.append(" waiting=", number: view.waiters)
            first.append(" kept=", number: view.kept)
            first.append(" watches=", number: view.watches)
            first.append(" connections=", number: view.connections)
            first.append(" opened=", number: view.connectionsOpened)
        }
    }

    private static func appendLog(_ view: StatisticsView, to line: inout [UInt8]) {
        line.append("log bytes=", number: view.logBytes)
        line.append(" reserved=", number: view.logBytesReserved)
        line.append(" compactions=", number: view.compactions)
    }

    private static func appendErrors(_ errors: [StatisticsView.Error], to line: inout [UInt8]) {
        line.append("errors")
        for error in errors {
            line.append(ASCII.space)
            line.append(contentsOf: error.code.utf8)
            line.append("=", number: error.count)
        }
    }

    /// Up to four lines: the counts, and each histogram that has something in it.
    private static func add(_ counts: KindCounts, of kind: [UInt8]?, to body: inout Body) {
        body.addLine { line in
            begin("counts", kind, &line)
            appendCounts(counts, to: &line)
        }
        if counts.waits.count > 0 {
            body.addLine { line in
                begin("waits", kind, &line)
                appendSpans(counts.waits, to: &line)
            }
        }
        if counts.holds.count > 0 {
            body.addLine { line in
                begin("holds", kind, &line)
                appendSpans(counts.holds, to: &line)
            }
        }
        if counts.shares.count > 0 {
            body.addLine { line in
                begin("renewals", kind, &line)
                appendShares(counts.shares, to: &line)
            }
        }
    }

    private static func begin(_ word: StaticString, _ kind: [UInt8]?, _ line: inout [UInt8]) {
        line.append(word)
        guard let kind else { return }
        line.append(" kind=")
        line.append(contentsOf: kind)
    }

    private static func appendCounts(_ counts: KindCounts, to line: inout [UInt8]) {
        appendCount(" granted=", counts.granted, to: &line)
        appendCount(" waited=", counts.waited, to: &line)
        appendCount(" again=", counts.again, to: &line)
        appendCount(" done=", counts.done, to: &line)
        appendCount(" queued=", counts.queued, to: &line)
        appendCount(" left=", counts.left, to: &line)
        appendCount(" renewed=", counts.renewed, to: &line)
        appendCount(" kept=", counts.kept, to: &line)
        appendCount(" forgotten=", counts.forgotten, to: &line)
        for reason in EndReason.allCases {
            appendCount(" ", reason.word, "=", counts.count(reason), to: &line)
        }
        appendCount(" busy=", counts.busy, to: &line)
        for reason in BusyReason.allCases {
            appendCount(" busy-", reason.word, "=", counts.count(reason), to: &line)
        }
    }

    private static func appendCount(_ name: StaticString, _ count: UInt64, to line: inout [UInt8]) {
        if count > 0 { line.append(name, number: count) }
    }

    private static func appendCount(
        _ beginning: StaticString, _ word: StaticString, _ end: StaticString, _ count: UInt64,
        to line: inout [UInt8]
    ) {
        guard count > 0 else { return }
        line.append(beginning)
        line.append(word)
        line.append(end, number: count)
    }

    /// `HistogramBounds.spans`, as people write them.
    private static let spanNames: [StaticString] = [
        "1ms", "10ms", "100ms", "1s", "10s", "1m", "10m", "1h", "1d",
    ]

    private static func appendSpans(_ histogram: Histogram, to line: inout [UInt8]) {
        line.append(" count=", number: histogram.count)
        line.append(" sum=", number: histogram.sum / 1_000_000)
        line.append("ms")
        for place in histogram.bounds.indices {
            line.append(" le-")
            line.append(spanNames[place])
            line.append("=", number: histogram.count(upTo: place))
        }
    }

    private static func appendShares(_ histogram: Histogram, to line: inout [UInt8]) {
        line.append(" count=", number: histogram.count)
        line.append(" sum=", number: histogram.sum)
        for place in histogram.bounds.indices {
            line.append(" le-", number: histogram.bounds[place])
            line.append("=", number: histogram.count(upTo: place))
        }
    }
}

// Who talks while something grows: one sends many requests, one asks all the while, one listens.

import Glibc
import TestSupport

/// Sends a number of requests, so many at a time, and knows how long each answer took.
final class Sender: Part {
    private let count: Int
    private let window: Int
    /// Over what time they are spread; zero: as fast as they are answered.
    private let span: Int64
    private var startedAt: Int64?
    private let request: (_ number: Int, _ line: inout [UInt8]) -> Void
    private var sentAt: [Int64]
    private var begun = 0
    private(set) var done = 0
    private(set) var longest: Int64 = 0
    /// Told of each answer, with when its request was sent.
    var onAnswer: ((_ number: Int, _ line: UnsafeRawBufferPointer, _ sentAt: Int64) -> Void)?

    init(
        _ path: String, count: Int, window: Int, over span: Int64 = 0,
        _ request: @escaping (_ number: Int, _ line: inout [UInt8]) -> Void
    ) throws(Failure) {
        (self.count, self.window, self.span, self.request) = (count, window, span, request)
        sentAt = Array(repeating: 0, count: window)
        try super.init(path)
    }

    var isDone: Bool { done == count }

    override func turn(_ now: Int64) {
        let start = startedAt ?? now
        startedAt = start
        while begun < count, begun - done < window, now - start >= span * Int64(begun) / Int64(count) {
            sentAt[begun % window] = now
            request(begun, &wire.output)
            begun += 1
        }
    }

    override func take(_ line: UnsafeRawBufferPointer, at now: Int64) {
        guard line.begins("OK") else { return refuse(line) }
        let sent = sentAt[done % window]
        longest = max(longest, now - sent)
        onAnswer?(done, line, sent)
        done += 1
    }
}

/// Takes and gives back a key of its own once a millisecond, all the while.
final class Probe: Part {
    private let key: String
    private var token: UInt64?
    private var sentAt: Int64 = 0
    private var isWaiting = false
    private(set) var longest: Int64 = 0
    /// Whether it holds nothing, and asks for nothing.
    var isFree: Bool { token == nil && !isWaiting }

    init(_ path: String, key: String = "conversation/probe") throws(Failure) {
        self.key = key
        try super.init(path)
    }

    override func turn(_ now: Int64) {
        guard !isWaiting, now - sentAt >= 1_000_000 else { return }
        let line = token.map { "release \($0)\n" } ?? "acquire \(key) ttl=1h\n"
        wire.output.append(contentsOf: line.utf8)
        (sentAt, isWaiting) = (now, true)
    }

    override func take(_ line: UnsafeRawBufferPointer, at now: Int64) {
        guard line.begins("OK token=") else { return refuse(line) }
        longest = max(longest, now - sentAt)
        token = token == nil ? line.number(at: 9) : nil
        isWaiting = false
    }
}

/// Asks one question, and is told each line that comes.
final class Listener: Part {
    private let onLine: (_ line: UnsafeRawBufferPointer, _ now: Int64) -> Void

    init(
        _ path: String, _ question: String,
        _ onLine: @escaping (_ line: UnsafeRawBufferPointer, _ now: Int64) -> Void
    ) throws(Failure) {
        self.onLine = onLine
        try super.init(path)
        wire.output.append(contentsOf: (question + "\n").utf8)
    }

    override func take(_ line: UnsafeRawBufferPointer, at now: Int64) {
        if line.begins("ERR") { return refuse(line) }
        onLine(line, now)
    }
}

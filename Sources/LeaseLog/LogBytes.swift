// The bytes that are to be written to a log next, in room that is used again.

/// A row of bytes that grows at its end. Lines are written straight into it: an array would have each
/// wrapped in three calls.
package struct LogBytes: ~Copyable {
    private var start: UnsafeMutableRawPointer
    private var capacity = 2 * LineOutput.room
    package private(set) var count = 0

    package init() {
        start = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        start.deallocate()
    }

    package var isEmpty: Bool { count == 0 }

    package func withSpan<Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        let bytes = UnsafeRawBufferPointer(start: start, count: count)
        try body(Span(_unsafeBytes: bytes))
    }

    /// Those up to an offset, for whoever wants them in an array.
    package func copied(upTo end: Int? = nil) -> [UInt8] {
        let end = end ?? count
        precondition(end >= 0 && end <= count, "there are no more")
        return Array(UnsafeRawBufferPointer(start: start, count: end))
    }

    /// Appends those of others from an offset on.
    package mutating func append(_ others: borrowing LogBytes, from offset: Int = 0) {
        precondition(offset >= 0 && offset <= others.count, "there are no more")
        append(UnsafeRawBufferPointer(start: others.start + offset, count: others.count - offset))
    }

    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let first = bytes.baseAddress else { return }
        while capacity - count < bytes.count { grow() }
        (start + count).copyMemory(from: first, byteCount: bytes.count)
        count += bytes.count
    }

    package mutating func removeAll() {
        count = 0
    }

    /// A line that is to be taken when it is written.
    @inline(__always)
    mutating func line() -> LineOutput {
        if capacity &- count < LineOutput.room { grow() }
        return LineOutput(start: start + count)
    }

    mutating func take(_ line: borrowing LineOutput) {
        count += line.count
    }

    @inline(never)
    private mutating func grow() {
        capacity *= 2
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        larger.copyMemory(from: start, byteCount: count)
        start.deallocate()
        start = larger
    }
}

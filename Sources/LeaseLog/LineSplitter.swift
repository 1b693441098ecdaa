// Chunks of any size to lines: the same lines wherever the chunks were cut, in memory of a few lines.

/// One line as it stands in the file.
struct LinePlace {
    /// Where it begins, from the beginning of the file.
    var offset: Int64
    /// Its length in the file, LF included.
    var length: Int
    var hasEnd: Bool

    var isTooLong: Bool { length > LogFormat.lineBytesMax }
}

/// Cuts the input at its LFs. Of a line that is too long only the last `lineBytesMax` bytes are kept, so that
/// a gigabyte without an LF costs no memory.
struct LineSplitter {
    /// What has come of the line that has no end yet.
    private var begun: [UInt8] = []
    /// How much of its beginning was let go.
    private var droppedBytes = 0
    /// Where the next line begins.
    private(set) var offset: Int64

    /// `offset`: where in the file the bytes begin that are fed.
    init(at offset: Int64 = 0) { self.offset = offset }

    /// All bytes so far.
    var bytesFed: Int64 { offset + Int64(droppedBytes + begun.count) }

    /// Hands out each line that ends in this chunk, without its LF.
    mutating func feed(_ chunk: Span<UInt8>, each: (Span<UInt8>, LinePlace) -> Void) {
        var start = 0
        if droppedBytes + begun.count > 0 {
            guard let end = LineSplitter.nextEnd(in: chunk, from: 0) else { return keep(chunk) }
            keep(chunk.extracting(0..<end))
            handOutBegun(end: 1, each)
            start = end + 1
        }
        while let end = LineSplitter.nextEnd(in: chunk, from: start) {
            handOut(chunk.extracting(start..<end), bytes: end - start, end: 1, each)
            start = end + 1
        }
        keep(chunk.extracting(start..<chunk.count))
    }

    /// Hands out what stands behind the last LF, if anything does.
    mutating func finish(each: (Span<UInt8>, LinePlace) -> Void) {
        guard droppedBytes + begun.count > 0 else { return }
        handOutBegun(end: 0, each)
    }

    private mutating func handOutBegun(end: Int, _ each: (Span<UInt8>, LinePlace) -> Void) {
        var line: [UInt8] = []
        swap(&line, &begun)
        let bytes = droppedBytes + line.count
        droppedBytes = 0
        handOut(line.span, bytes: bytes, end: end, each)
        swap(&line, &begun)
        begun.removeAll(keepingCapacity: true)
    }

    private mutating func handOut(
        _ line: Span<UInt8>, bytes: Int, end: Int, _ each: (Span<UInt8>, LinePlace) -> Void
    ) {
        let place = LinePlace(offset: offset, length: bytes + end, hasEnd: end == 1)
        offset += Int64(place.length)
        each(line.extracting(last: LogFormat.lineBytesMax), place)
    }

    private mutating func keep(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { begun.append(contentsOf: $0) }
        // Only now and then, so that no byte is moved often.
        guard begun.count > 2 * LogFormat.lineBytesMax else { return }
        let excess = begun.count - LogFormat.lineBytesMax
        begun.removeFirst(excess)
        droppedBytes += excess
    }

    /// Where the next LF stands, eight bytes at a time.
    static func nextEnd(in chunk: Span<UInt8>, from start: Int) -> Int? {
        chunk.withUnsafeBytes { bytes in
            var index = start
            while index + 8 <= bytes.count {
                let eight = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                // A byte of `x` is 0 where an LF is; the lowest bit set below belongs to the first of them.
                let x = eight ^ 0x0A0A_0A0A_0A0A_0A0A
                let found = (x &- 0x0101_0101_0101_0101) & ~x & 0x8080_8080_8080_8080
                if found != 0 { return index + found.trailingZeroBitCount / 8 }
                index += 8
            }
            while index < bytes.count {
                if bytes[index] == UInt8(ascii: "\n") { return index }
                index += 1
            }
            return nil
        }
    }
}

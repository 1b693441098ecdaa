// What the reader keeps from line to line: it saves work, and changes nothing of what is read.

import LeaseModel

/// Requests by the line that asked for them, and the names in them. A client that wants the same again asks
/// in the same words, which need not be read again. Only `acquire` stands here, which has the most of them.
/// All is bounded: a line drives out another that has its place. The seed is drawn by who starts the daemon,
/// so that no client can choose which.
package struct ReaderMemory: ~Copyable {
    /// Longer lines are rare, and would make this large.
    private static let bytesMax = 96

    /// The line's bytes stand in the object itself: where many are kept, each further place to look at is not
    /// in the processor's cache.
    private final class Kept {
        private let bytes: InlineArray<96, UInt8>
        private let count: Int
        let request: AcquireRequest

        init(_ line: Span<UInt8>, _ request: AcquireRequest) {
            bytes = InlineArray { $0 < line.count ? line[$0] : 0 }
            count = line.count
            self.request = request
        }

        func isOf(_ line: Span<UInt8>) -> Bool {
            count == line.count && areSame(bytes.span.extracting(..<count), line)
        }
    }

    var names: RecentNames
    /// A line stands at its place or beside it.
    private var kept: [Kept?]
    private var missed: UInt = 0
    private let hash: LineHash

    /// - Parameter count: of requests and of keys that are kept, a power of two, and two at least.
    package init(seed: UInt64, count: Int = 4_096) {
        precondition(count > 1 && count & (count - 1) == 0, "places are found by the low bits of a hash")
        hash = LineHash(seed: seed)
        names = RecentNames(hash: hash, count: count)
        kept = Array(repeating: nil, count: count)
    }

    /// What `line` has asked for lately.
    func request(_ line: Span<UInt8>) -> AcquireRequest? {
        guard line.count <= ReaderMemory.bytesMax else { return nil }
        let place = place(line)
        if let first = kept[place], first.isOf(line) { return first.request }
        if let second = kept[place ^ 1], second.isOf(line) { return second.request }
        return nil
    }

    /// Keeps every fourth that was not found: so lines that never come again cost little, and those that do
    /// are soon here. Which of its two places it gets changes, or three in turn would drive each other out
    /// for ever.
    mutating func note(_ request: AcquireRequest, writtenAs line: Span<UInt8>) {
        missed &+= 1
        guard missed & 3 == 0, line.count <= ReaderMemory.bytesMax else { return }
        let place = place(line)
        kept[missed & 4 == 0 ? place : place ^ 1] = Kept(line, request)
    }

    private func place(_ line: Span<UInt8>) -> Int {
        Int(truncatingIfNeeded: hash(line)) & (kept.count - 1)
    }
}

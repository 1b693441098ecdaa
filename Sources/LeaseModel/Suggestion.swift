// "Did you mean …?": the known word that is nearest to an unknown one.

/// Finds the word that was probably meant.
package enum Suggestion {
    /// Longer words are never matched, so that a look-up costs at most this squared for each candidate.
    static let wordBytesMax = 64

    /// The candidate that the fewest single mistakes (a letter more, less, other, or two swapped) part from
    /// `word`, the case of letters aside; the first of several. nil: none is near enough to have been meant.
    /// With `completing`, the first that the word (of two letters at least) begins goes before all others.
    package static func nearest(
        to word: [UInt8], among candidates: [[UInt8]], completing: Bool = false
    ) -> [UInt8]? {
        guard !word.isEmpty, word.count <= wordBytesMax else { return nil }
        let wanted = lowercased(word)
        if completing, wanted.count >= 2, let begun = candidates.first(where: { $0.starts(with: wanted) }) {
            return begun
        }
        var best: [UInt8]?
        var bestDistance = Int.max
        for candidate in candidates where !candidate.isEmpty && candidate.count <= wordBytesMax {
            let allowed = min(mistakesAllowed(max(word.count, candidate.count)), bestDistance - 1)
            guard allowed >= 0, abs(word.count - candidate.count) <= allowed else { continue }
            guard let distance = distance(wanted, lowercased(candidate), atMost: allowed) else { continue }
            if distance < max(word.count, candidate.count) {
                best = candidate
                bestDistance = distance
            }
        }
        return best
    }

    /// One mistake in a short word, at most three in a long one.
    private static func mistakesAllowed(_ longerCount: Int) -> Int {
        min(3, max(1, (longerCount + 1) / 3))
    }

    /// The edit distance with neighbours swapped as one edit (optimal string alignment), over three rows; nil
    /// where it is more than `most`. So far from the diagonal nothing is near enough, and is not looked at.
    private static func distance(_ left: [UInt8], _ right: [UInt8], atMost most: Int) -> Int? {
        let far = most + 1
        var beforeLast = [Int](repeating: far, count: right.count + 1)
        var last = (0...right.count).map { min($0, far) }
        var current = beforeLast
        for row in left.indices {
            let columns = max(0, row - most)..<min(right.count, row + most + 1)
            current[columns.lowerBound] = columns.lowerBound == 0 ? min(row + 1, far) : far
            var least = current[columns.lowerBound]
            for column in columns {
                let isSame = left[row] == right[column]
                var steps = min(last[column + 1] + 1, current[column] + 1, last[column] + (isSame ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    steps = min(steps, beforeLast[column - 1] + 1)
                }
                current[column + 1] = min(steps, far)
                least = min(least, steps)
            }
            if least >= far { return nil }
            if columns.upperBound < right.count { current[columns.upperBound + 1] = far }
            swap(&beforeLast, &last)
            swap(&last, &current)
        }
        return last[right.count] < far ? last[right.count] : nil
    }

    private static func lowercased(_ word: [UInt8]) -> [UInt8] {
        word.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
    }
}

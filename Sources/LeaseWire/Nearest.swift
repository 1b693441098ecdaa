// Which of a few names was probably meant by a word that is none of them.

enum Nearest {
    /// Longer words are not compared at all: no name is as long, and the work stays bounded whatever comes.
    private static let wordBytesMax = 24

    /// The index of the first candidate that the word begins, or else of the nearest one within a small edit
    /// distance; nil where nothing is near. Capital letters count as small ones.
    static func index(of word: Span<UInt8>, in candidates: [String]) -> Int? {
        guard word.count > 0, word.count <= wordBytesMax else { return nil }
        let written = word.indices.map { ASCII.lowercased(word[$0]) }
        if written.count >= 2, let begun = candidates.firstIndex(where: { $0.utf8.starts(with: written) }) {
            return begun
        }
        var best: (index: Int, distance: Int)?
        for (index, candidate) in candidates.enumerated() {
            let name = Array(candidate.utf8)
            let allowed = min(written.count, name.count) <= 4 ? 1 : 2
            let distance = distance(written, name)
            if distance <= allowed, distance < best?.distance ?? .max {
                best = (index, distance)
            }
        }
        return best?.index
    }

    /// Insertions, deletions, replacements and swaps of neighbours that make one of the other
    /// (the optimal string alignment distance).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
                var cheapest = min(replaced, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cheapest = min(cheapest, beforeLast[column - 1] + 1)
                }
                current.append(cheapest)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}

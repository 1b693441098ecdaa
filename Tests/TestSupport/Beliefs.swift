// What processes believed to hold, and when: the checker of the tests in which they contend.

import Glibc

/// What one client process wrote down about one lease.
package struct Belief {
    package var keys: [String]
    package var token: UInt64
    package var asked: Int64
    /// When it was believed held: after the answer came, and before the client's own deadline.
    package var from: Int64
    package var until: Int64
}

package struct Beliefs {
    package private(set) var all: [Belief] = []
    package private(set) var faults: [String] = []

    package init() {}

    /// A last line may be cut short: its writer was killed.
    package mutating func read(_ path: String) {
        var open: [UInt64: Int] = [:]
        for line in lines(of: path) {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 6, words[0] == "held", let token = UInt64(words[2]),
                let asked = Int64(words[3]), let from = Int64(words[4]), let until = Int64(words[5])
            {
                // A renewal that came in time goes on where the last one stood.
                if let last = open[token], from <= all[last].until {
                    all[last].until = until
                    continue
                }
                open[token] = all.count
                let keys = words[1].split(separator: ",").map(String.init)
                all.append(Belief(keys: keys, token: token, asked: asked, from: from, until: until))
            } else if words.count >= 3, words[0] == "left", let token = UInt64(words[1]),
                let instant = Int64(words[2]), let last = open[token]
            {
                all[last].until = min(all[last].until, instant)
            } else if words.first == "lost" {
                faults.append("taken away before its deadline: \(line)")
            }
        }
    }

    /// No key was believed held by two at once.
    package mutating func checkExclusion() {
        for key in Set(all.flatMap(\.keys)).sorted() {
            var last: Belief?
            let ofKey = all.filter { $0.keys.contains(key) && $0.from < $0.until }
            for belief in ofKey.sorted(by: { $0.from < $1.from }) {
                if let last, belief.from < last.until, belief.token != last.token {
                    faults.append("\(key) was held by \(last.token) and \(belief.token) at once")
                }
                if belief.until > last?.until ?? 0 { last = belief }
            }
        }
    }

    /// A grant that was asked for after another was answered has the greater token, and no token came twice.
    package mutating func checkTokens() {
        var first: [UInt64: Belief] = [:]
        for belief in all where belief.from < first[belief.token]?.from ?? .max {
            if let other = first[belief.token], other.keys != belief.keys {
                faults.append("token \(belief.token) was given twice")
            }
            first[belief.token] = belief
        }
        let answered = first.values.sorted { $0.from < $1.from }
        var greatest: UInt64 = 0
        var next = 0
        for belief in first.values.sorted(by: { $0.asked < $1.asked }) {
            while next < answered.count, answered[next].from < belief.asked {
                greatest = max(greatest, answered[next].token)
                next += 1
            }
            if belief.token < greatest { faults.append("token \(belief.token) came after \(greatest)") }
        }
    }
}

/// The lines of a file that are whole; none where there is no file.
package func lines(of path: String) -> [String] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
        bytes += chunk[..<count]
    }
    return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        .map { String(decoding: $0, as: UTF8.self) }
}

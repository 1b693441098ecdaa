// Names that were read lately, so that one which comes again needs no memory of its own.

import LeaseModel

/// Keys and owners by their spelling. Clients name the same few again and again: what stands here is given to
/// all of them, which saves an allocation for each, and lets the same names be found equal by their place.
/// It holds no more than its entries, each of at most `bytesMax` bytes; a name drives out another that has
/// its place.
package struct RecentNames: ~Copyable {
    private var keys: Shelf
    private var owners: Shelf

    /// - Parameter count: of keys that are kept, a power of two, and two at least.
    /// - Parameter seed: drawn by who starts the daemon, so that no client can choose which names drive out
    ///   each other.
    package init(seed: UInt64, count: Int = 4_096) {
        keys = Shelf(seed: seed, count: count)
        owners = Shelf(seed: seed, count: min(count, 256))
    }

    /// The key that is written so, if it came lately.
    func key(_ word: Span<UInt8>) -> Key? {
        keys.find(word).map { Key(printed: $0) }
    }

    func owner(_ word: Span<UInt8>) -> Text? {
        owners.find(word).map { Text(printed: $0) }
    }

    /// Kept where it stands in its one spelling already: else it would not be found again.
    mutating func noteKey(_ key: Key, writtenAs word: Span<UInt8>) {
        keys.note(key.bytes, writtenAs: word)
    }

    mutating func noteOwner(_ owner: Text, writtenAs word: Span<UInt8>) {
        owners.note(owner.bytes, writtenAs: word)
    }
}

/// Names, each at one of the two places where it can stand, which lie side by side.
private struct Shelf: ~Copyable {
    /// Longer ones are rare, and would make this large.
    private static let bytesMax = 64

    private struct Name {
        let print: WordPrint
        let bytes: [UInt8]
    }

    private var names: [Name]
    private let seed: UInt64

    init(seed: UInt64, count: Int) {
        precondition(count > 1 && count & (count - 1) == 0, "places are found by the low bits of a hash")
        self.seed = seed
        names = Array(repeating: Name(print: WordPrint(), bytes: []), count: count)
    }

    @inline(__always)
    func find(_ word: Span<UInt8>) -> [UInt8]? {
        guard word.count > 0 else { return nil }
        let print = WordPrint(word)
        var place = place(print)
        if names[place].print != print {
            place ^= 1
            guard names[place].print == print else { return nil }
        }
        // The name itself is mostly far away in memory: a short one is known without a look at it.
        guard word.count <= WordPrint.wholeBytesMax || areSame(names[place].bytes, word) else { return nil }
        return names[place].bytes
    }

    /// Who comes to a place that is taken gets the one beside it.
    mutating func note(_ bytes: [UInt8], writtenAs word: Span<UInt8>) {
        guard word.count > 0, word.count <= Shelf.bytesMax, areSame(bytes, word) else { return }
        let print = WordPrint(word)
        let place = place(print)
        names[names[place].bytes.isEmpty ? place : place ^ 1] = Name(print: print, bytes: bytes)
    }

    private func areSame(_ bytes: [UInt8], _ word: Span<UInt8>) -> Bool {
        guard bytes.count == word.count else { return false }
        for index in word.indices where bytes[index] != word[index] { return false }
        return true
    }

    private func place(_ print: WordPrint) -> Int {
        let hash = mixed(mixed(seed ^ print.head ^ UInt64(print.count)) ^ print.tail)
        return Int(truncatingIfNeeded: hash >> 16) & (names.count - 1)
    }

    private func mixed(_ state: UInt64) -> UInt64 {
        let product = state.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
    }
}

/// How a word begins and ends, and how long it is: of a short one that is all there is to know.
private struct WordPrint: Equatable {
    static let wholeBytesMax = 16

    private(set) var head: UInt64 = 0
    /// Of a word of more than eight bytes: the last eight.
    private(set) var tail: UInt64 = 0
    private(set) var count = 0

    /// Of no word.
    init() {}

    @inline(__always)
    init(_ word: Span<UInt8>) {
        count = word.count
        head = word.eight(from: 0)
        tail = count > 8 ? word.eight(from: count &- 8) : 0
    }
}

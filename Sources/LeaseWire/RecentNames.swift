// What was read lately, so that what comes again is not read anew and needs no memory of its own.

import LeaseModel

/// Keys, owners, and all that stands behind the key of an `acquire`, by their spelling. Clients name the same
/// few again and again, and ask in the same words for each of their keys: what stands here is given to all of
/// them, which saves the reading and an allocation for each, and lets the same names be found equal by their
/// place. It holds no more than its entries, each of at most `bytesMax` bytes; what comes drives out what has
/// its place.
package struct RecentNames: ~Copyable {
    private var keys: Shelf<Key>
    private var owners: Shelf<Text>
    private var terms: Shelf<WrittenTerms>
    /// Those that were asked for last. A client asks for much in the same words, and its lines come together.
    private var lastTerms = WrittenTerms(SharedTerms(Terms()), bytes: [])

    /// - Parameter count: of keys that are kept, a power of two, and two at least.
    /// - Parameter seed: drawn by who starts the daemon, so that no client can choose which names drive out
    ///   each other.
    package init(seed: UInt64, count: Int = 4_096) {
        keys = Shelf(seed: seed, count: count)
        owners = Shelf(seed: seed, count: min(count, 256))
        terms = Shelf(seed: seed, count: min(count, 256))
    }

    /// The key that is written so in a part of the line, if it came lately.
    func key(_ line: Span<UInt8>, _ range: Range<Int>) -> Key? {
        keys.find(line, range)
    }

    func owner(_ line: Span<UInt8>, _ range: Range<Int>) -> Text? {
        owners.find(line, range)
    }

    /// What is asked for, where the words behind the key came lately: what they mean does not depend on the
    /// key. nil also where what stands in the key's place is none.
    @inline(__always)
    mutating func request(_ line: Span<UInt8>, key: Range<Int>, words: Range<Int>) -> AcquireRequest? {
        guard line.isSame(words, as: lastTerms.bytes) || findTerms(line, words) else { return nil }
        let place = keys.place(of: line, key)
        guard let key = place.map({ keys.entries[$0].value }) ?? newKey(line, key) else { return nil }
        return AcquireRequest(keys: Keys(key), on: lastTerms.shared)
    }

    @inline(never)
    private mutating func findTerms(_ line: Span<UInt8>, _ words: Range<Int>) -> Bool {
        guard let found = terms.find(line, words) else { return false }
        lastTerms = found
        return true
    }

    @inline(never)
    private mutating func newKey(_ line: Span<UInt8>, _ range: Range<Int>) -> Key? {
        let word = line.extracting(range)
        guard let key = try? Key.read(word) else { return nil }
        noteKey(key, writtenAs: word)
        return key
    }

    /// Kept where it stands in its one spelling already: else it would not be found again.
    mutating func noteKey(_ key: Key, writtenAs word: Span<UInt8>) {
        keys.note(key, writtenAs: word)
    }

    mutating func noteOwner(_ owner: Text, writtenAs word: Span<UInt8>) {
        owners.note(owner, writtenAs: word)
    }

    /// A request that was read from a line in which its only key came first, and then these words. Not kept
    /// where it asks for what is another each time.
    mutating func noteTerms(of request: AcquireRequest, writtenAs words: Span<UInt8>) {
        guard request.keys.others.isEmpty, !request.shared.hasRarities,
            words.count <= Shelf<WrittenTerms>.bytesMax
        else { return }
        terms.note(WrittenTerms(request.shared, bytes: words.copied()), writtenAs: words)
    }
}

/// What a request asks for besides its key, and how that was written. (An object: of a value with more than
/// one reference, all are counted where one is taken out.)
private final class WrittenTerms {
    let shared: SharedTerms
    let bytes: [UInt8]

    init(_ shared: SharedTerms, bytes: [UInt8]) {
        self.shared = shared
        self.bytes = bytes
    }
}

private protocol Spelled {
    var bytes: [UInt8] { get }
}

extension Key: Spelled {}
extension Text: Spelled {}
extension WrittenTerms: Spelled {}

/// What was read from words, each at one of the two places where it can stand, which lie side by side.
private struct Shelf<Value: Spelled>: ~Copyable {
    /// Longer ones are rare, and would make this large.
    static var bytesMax: Int { 64 }

    struct Entry {
        let print: WordPrint
        let value: Value?
    }

    private(set) var entries: [Entry]
    private let seed: UInt64

    init(seed: UInt64, count: Int) {
        precondition(count > 1 && count & (count - 1) == 0, "places are found by the low bits of a hash")
        self.seed = seed
        entries = Array(repeating: Entry(print: WordPrint(), value: nil), count: count)
    }

    @inline(__always)
    func find(_ line: Span<UInt8>, _ range: Range<Int>) -> Value? {
        guard let place = place(of: line, range) else { return nil }
        return entries[place].value
    }

    /// Where the value stands that was written so.
    @inline(__always)
    func place(of line: Span<UInt8>, _ range: Range<Int>) -> Int? {
        let print = WordPrint(line, range)
        var place = place(print)
        if entries[place].print != print {
            place ^= 1
            guard entries[place].print == print else { return nil }
        }
        // The name itself is mostly far away in memory: a short one is known without a look at it.
        guard range.count <= WordPrint.wholeBytesMax || isSpelled(place, line, range) else { return nil }
        return place
    }

    /// Who comes to a place that is taken gets the one beside it.
    mutating func note(_ value: Value, writtenAs word: Span<UInt8>) {
        guard word.count <= Shelf.bytesMax, isSame(value.bytes, word) else { return }
        let print = WordPrint(word, 0..<word.count)
        let place = place(print)
        entries[entries[place].value == nil ? place : place ^ 1] = Entry(print: print, value: value)
    }

    private func isSame(_ bytes: [UInt8], _ word: Span<UInt8>) -> Bool {
        guard bytes.count == word.count else { return false }
        for index in word.indices where bytes[index] != word[index] { return false }
        return true
    }

    /// Whether the word, which is not short, is that of the entry.
    @inline(never)
    private func isSpelled(_ place: Int, _ line: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard let value = entries[place].value else { return false }
        return line.isSame(range, as: value.bytes)
    }

    @inline(__always)
    private func place(_ print: WordPrint) -> Int {
        let left = print.head ^ seed
        let right = print.tail ^ UInt64(truncatingIfNeeded: print.count) ^ 0xA076_1D64_78BD_642F
        let product = left.multipliedFullWidth(by: right)
        return Int(truncatingIfNeeded: product.high ^ product.low) & (entries.count &- 1)
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
    init(_ line: Span<UInt8>, _ range: Range<Int>) {
        count = range.count
        head = EightBytes.first(count, of: line.eight(from: range.lowerBound))
        tail = count > 8 ? line.eight(from: range.upperBound &- 8) : 0
    }
}

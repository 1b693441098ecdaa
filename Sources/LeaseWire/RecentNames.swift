// Names that were read lately, so that one which comes again needs no memory of its own.

import LeaseModel

/// Keys and owners by their spelling. Clients name the same few again and again: what stands here is given to
/// all of them, which saves an allocation for each, and lets the same names be found equal by their place.
/// It holds no more than its entries, each of at most `bytesMax` bytes; a name drives out another that has
/// its place.
struct RecentNames: ~Copyable {
    /// Longer ones are rare, and would make this large.
    private static let bytesMax = 64

    private var keys: [[UInt8]]
    private var owners: [[UInt8]]
    private let hash: LineHash

    /// - Parameter count: of keys that are kept, a power of two.
    init(hash: LineHash, count: Int) {
        self.hash = hash
        keys = Array(repeating: [], count: count)
        owners = Array(repeating: [], count: min(count, 256))
    }

    /// The key that is written so, if it came lately.
    func key(_ word: Span<UInt8>) -> Key? {
        guard let place = place(word, of: keys.count) else { return nil }
        let name = keys[place]
        return areSame(name.span, word) ? Key(printed: name) : nil
    }

    func owner(_ word: Span<UInt8>) -> Text? {
        guard let place = place(word, of: owners.count) else { return nil }
        let name = owners[place]
        return areSame(name.span, word) ? Text(printed: name) : nil
    }

    /// Kept where it stands in its one spelling already: else it would not be found again.
    mutating func noteKey(_ key: Key, writtenAs word: Span<UInt8>) {
        guard let place = place(word, of: keys.count), areSame(key.bytes.span, word) else { return }
        keys[place] = key.bytes
    }

    mutating func noteOwner(_ owner: Text, writtenAs word: Span<UInt8>) {
        guard let place = place(word, of: owners.count), areSame(owner.bytes.span, word) else { return }
        owners[place] = owner.bytes
    }

    private func place(_ word: Span<UInt8>, of count: Int) -> Int? {
        guard word.count > 0, word.count <= RecentNames.bytesMax else { return nil }
        return Int(truncatingIfNeeded: hash(word)) & (count - 1)
    }
}

/// Where what is written so has its place.
struct LineHash {
    let seed: UInt64

    func callAsFunction(_ bytes: Span<UInt8>) -> UInt64 {
        bytes.withUnsafeBytes { raw in
            var state = seed
            var index = 0
            while index + 8 <= raw.count {
                state = mixed(state ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                index += 8
            }
            var rest = UInt64(raw.count)
            while index < raw.count {
                rest = rest << 8 | UInt64(raw[index])
                index += 1
            }
            return mixed(state ^ rest) >> 16
        }
    }

    private func mixed(_ state: UInt64) -> UInt64 {
        let product = state.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
    }
}

/// Whether the bytes are the same, looked at eight at a time.
func areSame(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    return left.withUnsafeBytes { left in
        right.withUnsafeBytes { right in
            var index = 0
            while index + 8 <= left.count {
                let ours = left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let theirs = right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                guard ours == theirs else { return false }
                index += 8
            }
            while index < left.count {
                guard left[index] == right[index] else { return false }
                index += 1
            }
            return true
        }
    }
}

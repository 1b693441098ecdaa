// Finds leases by their tokens: those of late in a ring that stays in the processor's cache, older ones in a
// hash table.

internal import LeaseModel

/// Most leases are short, and among a million long ones each look into the table is a cache miss. So a lease
/// enters the table only when its token is so old that its place in the ring is wanted for another's.
struct TokenIndex: ~Copyable {
    private let inPlace = InPlace()

    /// By the end of the token; `.none` where that lease has ended. Its token is not repeated here: whoever
    /// finds a lease looks at it next. No array: of that each change would ask whether somebody else has it,
    /// too.
    private let ring: UnsafeMutablePointer<Slot>
    /// The bits of a token that are its end.
    private let end: Token
    private var older = SlotIndex()
    private let hasher: Hasher32

    /// - Parameter late: how many tokens count as late; a power of two.
    init(_ hasher: Hasher32, late: Int) {
        precondition(late.nonzeroBitCount == 1, "places are told by the bits of a token")
        self.hasher = hasher
        ring = .allocate(capacity: late)
        ring.initialize(repeating: .none, count: late)
        end = Token(late - 1)
    }

    deinit {
        ring.deallocate()
    }

    /// The lease's slot, or `.none`. `tokenOf` tells the token of a lease that is in here.
    @inline(__always)
    func find(_ token: Token, tokenOf: (Slot) -> Token) -> Slot {
        let late = ring[place(of: token)]
        if late != .none, tokenOf(late) == token { return late }
        return findOlder(token, tokenOf: tokenOf)
    }

    @inline(never)
    private func findOlder(_ token: Token, tokenOf: (Slot) -> Token) -> Slot {
        older.find(hasher.hash(inOrder: token)) { tokenOf($0) == token }
    }

    /// - Returns: whose place that was, or `.none`: it is to be put in again by `insertOlder`.
    @inline(__always)
    mutating func insert(_ slot: Slot, _ token: Token) -> Slot {
        let place = place(of: token)
        let before = ring[place]
        ring[place] = slot
        return before
    }

    @inline(never)
    mutating func insertOlder(_ slot: Slot, _ token: Token) {
        older.insert(slot, hash: hasher.hash(inOrder: token))
    }

    /// The lease is in here, with this token.
    @inline(__always)
    mutating func remove(_ slot: Slot, _ token: Token) {
        let place = place(of: token)
        if ring[place] == slot {
            ring[place] = .none
        } else {
            removeOlder(slot, token)
        }
    }

    @inline(never)
    private mutating func removeOlder(_ slot: Slot, _ token: Token) {
        older.remove(slot, hash: hasher.hash(inOrder: token))
    }

    @inline(__always)
    private func place(of token: Token) -> Int { Int(token & end) }
}

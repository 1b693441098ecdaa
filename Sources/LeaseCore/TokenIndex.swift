// Finds leases by their tokens: those of late in a ring that stays in the processor's cache, older ones in a
// hash table.

internal import LeaseModel

/// Most leases are short, and among a million long ones each look into the table is a cache miss. So a lease
/// enters the table only when its token is so old that its place in the ring is wanted for another's.
struct TokenIndex: ~Copyable {
    private struct Late {
        var token: Token = 0
        /// `.none` where that lease has ended.
        var slot = Slot.none
    }

    /// By the end of the token. No array: of that each change would ask whether somebody else has it, too.
    private let ring: UnsafeMutablePointer<Late>
    /// The bits of a token that are its end.
    private let end: Token
    private var older = SlotIndex()
    private let hasher: Hasher32

    /// - Parameter late: how many tokens count as late; a power of two.
    init(_ hasher: Hasher32, late: Int) {
        precondition(late.nonzeroBitCount == 1, "places are told by the bits of a token")
        self.hasher = hasher
        ring = .allocate(capacity: late)
        ring.initialize(repeating: Late(), count: late)
        end = Token(late - 1)
    }

    deinit {
        ring.deallocate()
    }

    /// The lease's slot, or `.none`. `tokenOf` tells the token of a lease that is in here.
    func find(_ token: Token, tokenOf: (Slot) -> Token) -> Slot {
        let late = ring[place(of: token)]
        if late.token == token { return late.slot }
        return older.find(hasher.hash(inOrder: token)) { tokenOf($0) == token }
    }

    mutating func insert(_ slot: Slot, _ token: Token) {
        let place = place(of: token)
        let before = ring[place]
        if before.slot != .none { older.insert(before.slot, hash: hasher.hash(inOrder: before.token)) }
        ring[place] = Late(token: token, slot: slot)
    }

    /// The lease is in here, with this token.
    mutating func remove(_ slot: Slot, _ token: Token) {
        let place = place(of: token)
        if ring[place].token == token {
            ring[place].slot = .none
        } else {
            older.remove(slot, hash: hasher.hash(inOrder: token))
        }
    }

    private func place(of token: Token) -> Int { Int(token & end) }
}

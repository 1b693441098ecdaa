// Lines and holders in order: balanced trees that also know how many stand before.

/// The place of an element in an order: first by instant, then by number.
struct Order: Comparable {
    var instant: Int64
    var number: UInt64

    static func < (left: Order, right: Order) -> Bool {
        left.instant != right.instant ? left.instant < right.instant : left.number < right.number
    }
}

/// Many ordered trees with one store of nodes; a tree is the slot of its root. Each is a treap: a search tree
/// by order that is a heap by a hash of the number, so that it stays flat without being rebalanced. The hash
/// is seeded: who knew it could choose deadlines that make the tree a list, too deep for the stack. Every
/// node counts what is below it, so a rank costs as little as a look-up.
struct OrderTrees: ~Copyable {
    struct Node {
        var order: Order
        var item: Slot
        var left: Slot = .none
        var right: Slot = .none
        var count: UInt32 = 1
        var exclusiveCount: UInt32
        var isExclusive: Bool
        /// Whether it takes one of the places that are counted.
        var takesPlace: Bool
        /// The smallest number in it and below it, of those that take a place.
        var oldest: UInt64
    }

    /// How many stand before a place.
    struct Before {
        var all = 0
        var exclusive = 0
        var shared: Int { all - exclusive }
    }

    private var nodes = Slab<Node>()
    private let seed: UInt64

    init(seed: UInt64) {
        self.seed = seed
    }

    func count(_ root: Slot) -> Int {
        root == .none ? 0 : Int(nodes[root].count)
    }

    func exclusiveCount(_ root: Slot) -> Int {
        root == .none ? 0 : Int(nodes[root].exclusiveCount)
    }

    /// The item with so many before it.
    func item(_ root: Slot, at rank: Int) -> Slot {
        var node = root
        var rank = rank
        while true {
            let before = count(nodes[node].left)
            if rank == before { return nodes[node].item }
            if rank < before {
                node = nodes[node].left
            } else {
                rank -= before + 1
                node = nodes[node].right
            }
        }
    }

    /// The item with the smallest number of those that take a place: the one that came first, whatever its
    /// order. There must be one.
    func oldest(_ root: Slot) -> Slot {
        var node = root
        let number = nodes[root].oldest
        while nodes[node].order.number != number || !nodes[node].takesPlace {
            let left = nodes[node].left
            node = left != .none && nodes[left].oldest == number ? left : nodes[node].right
        }
        return nodes[node].item
    }

    /// How many of the tree come before this order, whether or not it stands in the tree itself.
    func before(_ root: Slot, _ order: Order) -> Before {
        var before = Before()
        var node = root
        while node != .none {
            if nodes[node].order < order {
                before.all += 1 + count(nodes[node].left)
                before.exclusive += exclusiveCount(nodes[node].left) + (nodes[node].isExclusive ? 1 : 0)
                node = nodes[node].right
            } else {
                node = nodes[node].left
            }
        }
        return before
    }

    /// How many at the head are exclusive before the first shared one, or the other way round.
    func headRun(_ root: Slot, exclusive: Bool) -> Int {
        var run = 0
        var node = root
        while node != .none {
            let left = nodes[node].left
            let leftRun = exclusive ? exclusiveCount(left) : count(left) - exclusiveCount(left)
            if leftRun < count(left) {
                node = left
            } else {
                run += leftRun
                guard nodes[node].isExclusive == exclusive else { return run }
                run += 1
                node = nodes[node].right
            }
        }
        return run
    }

    mutating func insert(
        _ item: Slot, order: Order, isExclusive: Bool, takesPlace: Bool = true, into root: inout Slot
    ) {
        let node = nodes.insert(
            Node(
                order: order, item: item, exclusiveCount: isExclusive ? 1 : 0, isExclusive: isExclusive,
                takesPlace: takesPlace, oldest: takesPlace ? order.number : .max))
        root = inserted(node, below: root)
    }

    mutating func remove(order: Order, from root: inout Slot) {
        root = removed(order, below: root)
    }

    /// The heap's order: the number well mixed (the finaliser of SplitMix64), since numbers come in a row.
    private func weight(_ order: Order) -> UInt64 {
        let number = order.number &+ seed
        var mixed = (number ^ number >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    private mutating func inserted(_ node: Slot, below root: Slot) -> Slot {
        guard root != .none else { return node }
        if weight(nodes[node].order) > weight(nodes[root].order) {
            let (left, right) = divided(root, at: nodes[node].order)
            nodes[node].left = left
            nodes[node].right = right
            recount(node)
            return node
        }
        if nodes[node].order < nodes[root].order {
            nodes[root].left = inserted(node, below: nodes[root].left)
        } else {
            nodes[root].right = inserted(node, below: nodes[root].right)
        }
        recount(root)
        return root
    }

    private mutating func removed(_ order: Order, below root: Slot) -> Slot {
        precondition(root != .none, "only what stands in the tree can be taken out")
        if nodes[root].order == order {
            let rest = joined(nodes[root].left, nodes[root].right)
            let emptied = Node(
                order: order, item: .none, exclusiveCount: 0, isExclusive: false, takesPlace: false,
                oldest: .max)
            nodes.remove(root, leaving: emptied)
            return rest
        }
        if order < nodes[root].order {
            nodes[root].left = removed(order, below: nodes[root].left)
        } else {
            nodes[root].right = removed(order, below: nodes[root].right)
        }
        recount(root)
        return root
    }

    /// Two trees: what comes before the order, and the rest.
    private mutating func divided(_ root: Slot, at order: Order) -> (Slot, Slot) {
        guard root != .none else { return (.none, .none) }
        if nodes[root].order < order {
            let (left, right) = divided(nodes[root].right, at: order)
            nodes[root].right = left
            recount(root)
            return (root, right)
        }
        let (left, right) = divided(nodes[root].left, at: order)
        nodes[root].left = right
        recount(root)
        return (left, root)
    }

    private mutating func joined(_ left: Slot, _ right: Slot) -> Slot {
        if left == .none { return right }
        if right == .none { return left }
        if weight(nodes[left].order) > weight(nodes[right].order) {
            nodes[left].right = joined(nodes[left].right, right)
            recount(left)
            return left
        }
        nodes[right].left = joined(left, nodes[right].left)
        recount(right)
        return right
    }

    private mutating func recount(_ node: Slot) {
        let (left, right) = (nodes[node].left, nodes[node].right)
        nodes[node].count = UInt32(1 + count(left) + count(right))
        let own = nodes[node].isExclusive ? 1 : 0
        nodes[node].exclusiveCount = UInt32(own + exclusiveCount(left) + exclusiveCount(right))
        let number = nodes[node].takesPlace ? nodes[node].order.number : .max
        nodes[node].oldest = min(number, oldestNumber(left), oldestNumber(right))
    }

    private func oldestNumber(_ root: Slot) -> UInt64 {
        root == .none ? .max : nodes[root].oldest
    }
}

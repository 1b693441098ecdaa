// Keys, and who holds them.

internal import LeaseModel

extension Ledger {
    @inline(__always)
    mutating func addHolder(_ slot: Slot, to key: Slot) {
        let (entry, lease) = (keys.address(of: key), leases.address(of: slot))
        if entry.pointee.holderCount == 0 {
            entry.pointee.holder = slot
        } else {
            addToHolders(slot, of: key)
        }
        if lease.pointee.isShared {
            entry.pointee.sharedHolders += 1
        } else {
            entry.pointee.exclusiveHolders += 1
        }
        entry.pointee.references += 1
        entry.pointee.newestToken = max(entry.pointee.newestToken, lease.pointee.token)
    }

    @inline(never)
    private mutating func addToHolders(_ slot: Slot, of key: Slot) {
        if keys[key].holders == .none {
            // The second one: from now on they stand in a tree.
            insertIntoTree(keys[key].holder, of: key)
            keys[key].holder = .none
        }
        insertIntoTree(slot, of: key)
    }

    @inline(__always)
    mutating func removeHolder(_ slot: Slot, from key: Slot) {
        let entry = keys.address(of: key)
        if entry.pointee.holders == .none {
            entry.pointee.holder = .none
        } else {
            removeFromHolders(slot, of: key)
        }
        if leases.address(of: slot).pointee.isShared {
            entry.pointee.sharedHolders -= 1
        } else {
            entry.pointee.exclusiveHolders -= 1
        }
        // The reference goes on to the remembered lease, and is let go with it.
    }

    @inline(never)
    private mutating func removeFromHolders(_ slot: Slot, of key: Slot) {
        holderTrees.remove(order: leases[slot].order, from: &keys[key].holders)
        if holderTrees.count(keys[key].holders) == 1 {
            let last = holderTrees.item(keys[key].holders, at: 0)
            holderTrees.remove(order: leases[last].order, from: &keys[key].holders)
            keys[key].holder = last
        }
    }

    mutating func insertIntoTree(_ slot: Slot, of key: Slot) {
        holderTrees.insert(
            slot, order: leases[slot].order, isExclusive: !leases[slot].isShared, into: &keys[key].holders)
    }

    /// The holder of a key that ends first, or `.none`.
    func firstToEnd(_ key: Slot) -> Slot {
        keys[key].holders == .none ? keys[key].holder : holderTrees.item(keys[key].holders, at: 0)
    }

    /// The holder with so many before it in the order of their ends.
    func holder(_ key: Slot, at rank: Int) -> Slot {
        keys[key].holders == .none ? keys[key].holder : holderTrees.item(keys[key].holders, at: rank)
    }

    func keySlot(_ name: Key) -> Slot {
        let bytes = name.bytes.inPlace
        return keyIndex.find(hasher.hash(bytes, 0)) {
            keys.address(of: $0).pointee.name.bytes.inPlace.equals(bytes)
        }
    }

    /// The key's slot, made where there is none. A key that the policy no longer knows gets the plain rules.
    mutating func keySlotMade(_ name: Key) -> Slot {
        let found = keySlot(name)
        guard found == .none else { return found }
        let rules = rulesOrPlain(name)
        let slot = insertKey(name, rules: rules.found)
        keys[slot].isKnown = rules.isKnown
        return slot
    }

    /// The rules of a key; the plain ones where the policy does not know it.
    func rulesOrPlain(_ name: Key) -> (found: Rules, isKnown: Bool) {
        guard let found = policy.rulesIfKnown(for: name) else { return (Rules(), false) }
        return (found, true)
    }

    func kind(of name: Key) -> Int32 {
        policy.placeOfKind(of: name).map { Int32($0) } ?? EventEntry.unknownKind
    }

    /// Makes a key's entry. Until something refers to it, `forgetIfUnused` takes it away again.
    mutating func insertKey(_ name: Key, rules: Rules) -> Slot {
        let slot = keys.insert(KeyEntry(name: name, rules: .none, kind: kind(of: name)))
        setRules(of: slot, to: rules)
        keyIndex.insert(slot, hash: hasher.hash(name.bytes))
        return slot
    }

    @inline(__always)
    mutating func dropReference(_ key: Slot) {
        let entry = keys.address(of: key)
        entry.pointee.references -= 1
        if entry.pointee.references == 0 { forget(key: key) }
    }

    @inline(__always)
    mutating func forgetIfUnused(_ key: Slot) {
        if keys.address(of: key).pointee.references == 0 { forget(key: key) }
    }

    @inline(never)
    private mutating func forget(key: Slot) {
        keyIndex.remove(key, hash: hasher.hash(keys[key].name.bytes))
        keys.remove(key, leaving: KeyEntry(name: Key(printed: []), rules: 0))
    }

    mutating func setRules(of key: Slot, to wanted: Rules) {
        keys[key].rules = ruleSlot(wanted)
        keys[key].marks = RuleMarks(of: wanted)
    }

    /// Different rules are mostly few: then to compare them is quicker than to hash one. They may be as many
    /// as the policy has ways to combine its lines.
    private mutating func ruleSlot(_ wanted: Rules) -> Slot {
        if let index = rules.prefix(8).firstIndex(of: wanted) { return Slot(index) }
        if let slot = furtherRules[wanted] { return slot }
        let slot = Slot(rules.count)
        rules.append(wanted)
        if slot >= 8 { furtherRules[wanted] = slot }
        return slot
    }

    /// No key refers to any rules any more.
    mutating func forgetRules() {
        rules.removeAll()
        furtherRules.removeAll()
    }

    /// Inlined, since rules are large and one of them is asked for.
    @inline(__always)
    func rules(of key: Slot) -> Rules {
        rules[Int(keys[key].rules)]
    }

    /// Where the user's counts are; they are few, and the last one is asked for most.
    @inline(__always)
    mutating func user(_ uid: UInt32) -> UnsafeMutablePointer<UserCount> {
        if let lastUser, lastUser.pointee.uid == uid { return lastUser }
        return otherUser(uid)
    }

    @inline(never)
    private mutating func otherUser(_ uid: UInt32) -> UnsafeMutablePointer<UserCount> {
        var place: Slot = 0
        while place < users.count, users[place].uid != uid {
            place += 1
        }
        if place == users.count { users.append(UserCount(uid: uid)) }
        let user = users.address(of: place)
        lastUser = user
        return user
    }
}

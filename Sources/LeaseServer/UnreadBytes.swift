// What clients have yet to read, of all and of each user: many connections that each keep to their own bound
// could still fill the memory.

internal import LeaseCore
internal import LeaseModel

/// The sum of what stands in the outputs, and who waits for it to become less.
struct UnreadBytes {
    private(set) var total = 0
    private var ofUser: [UInt32: Int] = [:]
    /// Whether anybody's requests are held up for it: most of the time there is nothing else to ask.
    private(set) var isPressing = false
    private var usersOver: Set<UInt32> = []
    /// Connections with requests that are held up.
    var held: [ConnectionID] = []

    func of(_ uid: UInt32) -> Int { ofUser[uid] ?? 0 }

    /// Of whoever has read all, nobody else's bytes hold up a request.
    func isOver(_ uid: UInt32, totalMax: Int) -> Bool {
        isPressing && (total >= totalMax && of(uid) > 0 || usersOver.contains(uid))
    }

    /// Whether this user's clients have less to read than so much, and than they leave of what there may be
    /// in all: however many users don't read, there is room for one more.
    func isBelow(_ bytes: Int, of uid: UInt32, totalMax: Int) -> Bool {
        let most = min(bytes, totalMax - total)
        // (Most of the time there is so little that the user need not be looked for.)
        return total < most || of(uid) < most
    }

    /// - Returns: whether it presses less than before, or no longer on this user.
    mutating func add(_ bytes: Int, of uid: UInt32, perUserMax: Int, totalMax: Int) -> Bool {
        let before = (usersOver.count, total >= totalMax)
        total += bytes
        let sum = of(uid) + bytes
        ofUser[uid] = sum == 0 ? nil : sum
        if sum >= perUserMax { usersOver.insert(uid) } else { usersOver.remove(uid) }
        isPressing = total >= totalMax || !usersOver.isEmpty
        return usersOver.count < before.0 || before.1 && (total < totalMax || sum == 0)
    }
}

extension Server {
    /// Small amounts are as many as there are connections, which are bounded.
    static var uncountedBytes: Int { 4_096 }
    /// A watch that has no more to be read is sent one thing more, which seldom makes it count.
    private static var fewBytes: Int { uncountedBytes / 2 }

    /// Counts anew what this connection has yet to read.
    mutating func countUnread(_ index: Int) {
        let unsent = connections[index].unsentCount
        countUnread(index, unsent > Server.uncountedBytes ? unsent : 0)
    }

    mutating func countUnread(_ index: Int, _ bytes: Int) {
        let change = bytes - connections[index].countedUnread
        guard change != 0 else { return }
        connections[index].countedUnread = bytes
        let eases = unread.add(
            change, of: connections[index].caller.peer.uid, perUserMax: limits.outputBytesPerUserMax,
            totalMax: limits.outputBytesInAllMax)
        guard eases else { return }
        let held = unread.held
        unread.held = []
        for id in held {
            guard let index = self.index(id) else { continue }
            connections[index].isHeldByUnread = false
            makeReady(index)
        }
    }

    /// Its requests wait until those of its user, or all, have read more: then they are looked at again.
    mutating func holdIfUnread(_ index: Int) {
        guard isHeldByUnread(index), !connections[index].isHeldByUnread else { return }
        connections[index].isHeldByUnread = true
        unread.held.append(connections[index].id)
    }

    /// Whether its watch may be sent more. One that reads is sent a little, whatever the others of its user,
    /// and all, have yet to read.
    func hasRoomForWatch(_ index: Int) -> Bool {
        connections[index].unsentCount <= Server.fewBytes || hasRoomForWatches(index)
    }

    /// Watches get half of what their user may have, so that its requests are never held up for them.
    func hasRoomForWatches(_ index: Int) -> Bool {
        unread.isBelow(
            limits.outputBytesPerUserMax / 2, of: connections[index].caller.peer.uid,
            totalMax: limits.outputBytesInAllMax)
    }

    /// A little more is for what can't be told later.
    func hasRoomForWhatChanges(_ index: Int) -> Bool {
        connections[index].unsentCount <= Server.fewBytes
            || unread.isBelow(
                limits.outputBytesPerUserMax / 4 * 3, of: connections[index].caller.peer.uid,
                totalMax: limits.outputBytesInAllMax)
    }

    func isHeldByUnread(_ index: Int) -> Bool {
        unread.isPressing
            && unread.isOver(connections[index].caller.peer.uid, totalMax: limits.outputBytesInAllMax)
    }
}

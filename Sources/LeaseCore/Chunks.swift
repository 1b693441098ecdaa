// Storage that grows without moving what it holds, so that no table stalls the loop while it grows.

/// The number of an element in a `Chunks`.
package typealias Slot = UInt32

extension Slot {
    /// No element: the end of a list, the root of an empty tree.
    package static let none = Slot.max
}

/// A growing row of elements in chunks of fixed size. An array that doubles copies everything at once: at a
/// million leases that is a pause of many milliseconds. Here growth is one more chunk.
struct Chunks<Element>: ~Copyable {
    private static var shift: Int { 10 }
    private static var chunkCount: Int { 1 << shift }

    /// Where each chunk is. A table of its own: every access would look twice whether an array has it.
    private var chunks = UnsafeMutablePointer<UnsafeMutablePointer<Element>>.allocate(capacity: 8)
    private var chunksRoom = 8
    private var chunksMade = 0
    private(set) var count = 0

    init() {}

    deinit {
        for index in 0..<count {
            (chunks[index >> Self.shift] + (index & (Self.chunkCount - 1))).deinitialize(count: 1)
        }
        for index in 0..<chunksMade {
            UnsafeMutableRawPointer(chunks[index]).deallocate()
        }
        chunks.deallocate()
    }

    subscript(slot: Slot) -> Element {
        unsafeAddress { UnsafePointer(address(of: slot)) }
        unsafeMutableAddress { address(of: slot) }
    }

    /// Where the element is, and stays as long as it is here: for whoever has much to do with it.
    @inline(__always)
    func address(of slot: Slot) -> UnsafeMutablePointer<Element> {
        let index = Int(slot)
        precondition(index < count, "a slot that was never filled")
        return chunks[index >> Self.shift] + (index & (Self.chunkCount - 1))
    }

    @discardableResult
    mutating func append(_ element: consuming Element) -> Slot {
        if count == chunksMade << Self.shift { addChunk() }
        (chunks[count >> Self.shift] + (count & (Self.chunkCount - 1))).initialize(to: element)
        count += 1
        return Slot(count - 1)
    }

    /// Room for one more at the end. It is to be filled before anything else happens, since it counts as an
    /// element already; what is made where it stays is not copied on its way there.
    @inline(__always)
    mutating func addRoom() -> UnsafeMutablePointer<Element> {
        if count == chunksMade << Self.shift { addChunk() }
        count += 1
        return chunks[(count - 1) >> Self.shift] + ((count - 1) & (Self.chunkCount - 1))
    }

    @inline(never)
    private mutating func addChunk() {
        if chunksMade == chunksRoom {
            chunksRoom *= 2
            let larger = UnsafeMutablePointer<UnsafeMutablePointer<Element>>.allocate(capacity: chunksRoom)
            larger.moveInitialize(from: chunks, count: chunksMade)
            chunks.deallocate()
            chunks = larger
        }
        let size = Self.chunkCount * MemoryLayout<Element>.stride
        // At the beginning of a cache line: elements that fill one don't lie in two.
        let raw = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        (chunks + chunksMade).initialize(to: raw.bindMemory(to: Element.self, capacity: Self.chunkCount))
        chunksMade += 1
    }

    mutating func removeLast() -> Element {
        precondition(count > 0, "nothing to remove")
        count -= 1
        return (chunks[count >> Self.shift] + (count & (Self.chunkCount - 1))).move()
    }
}

/// Elements with a slot of their own, whose slots are used again when they are gone.
struct Slab<Element>: ~Copyable {
    private var elements = Chunks<Element>()
    private var vacant = Chunks<Slot>()

    init() {}

    var count: Int { elements.count - vacant.count }
    /// All slots, the vacant ones too: what walks must know a vacant element by its content.
    var slotCount: Int { elements.count }

    subscript(slot: Slot) -> Element {
        unsafeAddress { UnsafePointer(elements.address(of: slot)) }
        unsafeMutableAddress { elements.address(of: slot) }
    }

    mutating func insert(_ element: consuming Element) -> Slot {
        guard vacant.count > 0 else { return elements.append(element) }
        let slot = vacant.removeLast()
        elements[slot] = element
        return slot
    }

    /// Gives the slot back. `emptied` takes the element's place, so that what it referred to is let go.
    mutating func remove(_ slot: Slot, leaving emptied: consuming Element) {
        elements[slot] = emptied
        vacant.append(slot)
    }

    /// Gives a slot back whose element was emptied where it stands: what takes its place next need not let
    /// go of anything.
    @inline(__always)
    mutating func vacate(_ slot: Slot) {
        vacant.addRoom().initialize(to: slot)
    }

    /// A slot whose element is to be made at once, where all slots are given back by `vacate`.
    @inline(__always)
    mutating func occupy() -> Slot {
        if vacant.count > 0 { return vacant.removeLast() }
        _ = elements.addRoom()
        return Slot(elements.count - 1)
    }

    /// Where the element is, and stays: for whoever has much to do with it.
    @inline(__always)
    func address(of slot: Slot) -> UnsafeMutablePointer<Element> {
        elements.address(of: slot)
    }
}

// Lines that were read and are not decided yet: of one connection or of several, in their order.

package import LeaseCore
internal import LeaseModel

/// Bytes that came of a connection.
package struct Arrival {
    package let id: ConnectionID
    package let bytes: UnsafeRawBufferPointer

    package init(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) {
        self.id = id
        self.bytes = bytes
    }
}

/// A line by its place among the bytes of its part.
struct LineAhead {
    let part: Int
    let start: Int
    /// Where its LF stands.
    let end: Int
    /// Within the line.
    var tag = 0..<0
}

/// What a line turned out to be. It is moved, never copied.
enum LineContent: ~Copyable {
    case nothing
    case tooLong
    /// The end of a line that was over the limit, and was answered.
    case restOfLongLine
    /// No request: its answer. (A refusal itself is larger than any request.)
    case refused(Reply)
    case request(Request)

    /// Whether what stands behind it may have to wait for it, and would be read in vain.
    var mayHoldUp: Bool {
        switch self {
        case .request(let request): request.mayHoldUp
        default: false
        }
    }
}

extension Request {
    fileprivate var mayHoldUp: Bool {
        switch self {
        case .acquire(let acquire): acquire.wait > .zero || acquire.whilePID != nil || acquire.joins
        case .renew(let renew): renew.whilePID != nil
        case .release: false
        default: true
        }
    }
}

/// What one connection has sent, how far it is read, and how far it is carried out.
struct PartAhead {
    let id: ConnectionID
    /// The connection's place.
    let index: Int
    let bytes: UnsafeRawBufferPointer
    /// It came just now; else it stood in the connection's input.
    let isArrival: Bool
    var read = 0
    var done = 0
    /// Of the lines that are carried out: of an ordinary one 1.
    var cost = 0
    /// Something holds up what stands behind `done`: it is read again when that is over.
    var isHeld = false
    /// What stands behind `read` has its turn later.
    var isReadLater = false
}

/// Filled line by line, then decided line by line, then empty.
struct LinesAhead: ~Copyable {
    private static let linesMax = 32
    /// More than lines: of some there is but the beginning of one.
    private static let partsMax = 64

    private let lines = UnsafeMutablePointer<LineAhead>.allocate(capacity: linesMax)
    private let contents = UnsafeMutablePointer<LineContent>.allocate(capacity: linesMax)
    private let parts = UnsafeMutablePointer<PartAhead>.allocate(capacity: partsMax)
    private var next = 0
    private var end = 0
    private(set) var partCount = 0
    /// How much was used of the part that was no arrival.
    var usedOfInput = 0

    deinit {
        (contents + next).deinitialize(count: end - next)
        contents.deallocate()
        lines.deallocate()
        parts.deallocate()
    }

    var isFull: Bool { end == LinesAhead.linesMax }
    var hasRoomForPart: Bool { partCount < LinesAhead.partsMax }

    subscript(part: Int) -> PartAhead {
        unsafeAddress { UnsafePointer(address(of: part)) }
        unsafeMutableAddress { address(of: part) }
    }

    private func address(of part: Int) -> UnsafeMutablePointer<PartAhead> {
        precondition(part >= 0 && part < partCount, "no such part was added")
        return parts + part
    }

    mutating func add(_ part: PartAhead) {
        precondition(hasRoomForPart, "what was read is decided first")
        (parts + partCount).initialize(to: part)
        partCount += 1
    }

    @inline(__always)
    mutating func add(_ line: LineAhead, _ content: consuming LineContent) {
        precondition(!isFull, "what was read is decided first")
        (lines + end).initialize(to: line)
        (contents + end).initialize(to: content)
        end += 1
    }

    /// The next line to be decided; nil: there is none. Its content is to be taken, whatever becomes of it.
    var nextLine: LineAhead? { next < end ? lines[next] : nil }

    @inline(__always)
    mutating func takeContent() -> LineContent {
        precondition(next < end, "there is no line")
        next += 1
        return (contents + (next - 1)).move()
    }

    /// All lines are decided.
    mutating func removeParts() {
        precondition(next == end, "each line is decided")
        (next, end, partCount) = (0, 0, 0)
    }

    /// All lines are decided; more of the last part is to be read.
    mutating func removePartsButLast() {
        let last = self[partCount - 1]
        removeParts()
        add(last)
    }
}

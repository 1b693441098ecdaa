// A file whose name is gone, while its room is given back.

import Glibc

/// The last descriptor of such a file. To close it takes as long as to give all its room back, for a large
/// one tens of milliseconds, and whatever else waits for the disk would wait for that: so the file is cut
/// piece by piece before.
package struct NamelessFile: Sendable {
    private static let pieceBytes: Int64 = 8 << 20

    private let raw: Int32
    private var bytesLeft: Int64
    private var isClosed = false

    /// To be made before the file's name and its other descriptors are gone.
    package init(_ file: borrowing AppendFile) throws(Errno) {
        raw = try file.another()
        bytesLeft = file.size
    }

    /// What gives the next piece back, as a job of `SyncThread`; nil when all is given back. Every one is to
    /// be carried out, in this order: the last closes the descriptor.
    package mutating func nextPiece() -> (@Sendable () -> Int32)? {
        if isClosed { return nil }
        bytesLeft -= NamelessFile.pieceBytes
        let (raw, bytesLeft) = (raw, bytesLeft)
        isClosed = bytesLeft <= 0
        return {
            // Where the cut fails, the close does it all.
            if bytesLeft > 0 { _ = ftruncate(raw, off_t(bytesLeft)) } else { closeDescriptor(raw) }
            return 0
        }
    }
}

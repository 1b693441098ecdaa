// What the client's tests need of the system.

import Glibc
import LeaseClient

func getProcessID() -> Int32 {
    getpid()
}

/// Something that several tasks write down.
final class Notes<Note: Sendable>: Sendable {
    private let notes = Guarded<[Note]>([])

    func append(_ note: Note) {
        notes.withLock { $0.append(note) }
    }

    var all: [Note] { notes.withLock { $0 } }
}

/// A line, without its end; as far as it comes.
func readLine(_ descriptor: Int32) -> String {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while read(descriptor, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
        bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// All that comes until the other end is closed.
func readAll(_ descriptor: Int32) -> String {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while read(descriptor, &byte, 1) == 1 {
        bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
}

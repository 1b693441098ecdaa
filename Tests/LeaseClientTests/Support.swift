// What the client's tests need of the system.

import Glibc
import Synchronization

func getProcessID() -> Int32 {
    getpid()
}

/// Something that several tasks write down.
final class Notes<Note: Sendable>: Sendable {
    private let notes = Mutex<[Note]>([])

    func append(_ note: Note) {
        notes.withLock { $0.append(note) }
    }

    var all: [Note] { notes.withLock { $0 } }
}

// What is to happen when: events by time, and among those of one instant in the order in which they came up.

enum Event {
    case client(Int)
    case clientReads(Int)
    /// A connection that its client has abandoned is closed.
    case closes(Int)
    case daemon
    case thread
    case timer
    case startDaemon
    case dice
    case healDisk
}

struct Agenda {
    private struct Entry {
        let time: Int64
        let number: Int
        let event: Event
    }

    private var heap: [Entry] = []
    private var lastNumber = 0

    mutating func add(_ event: Event, at time: Int64) {
        lastNumber += 1
        heap.append(Entry(time: time, number: lastNumber, event: event))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard isBefore(child, parent) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func next() -> (time: Int64, event: Event)? {
        guard let first = heap.first else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isBefore(child, least) {
                least = child
            }
            if least == parent { break }
            heap.swapAt(least, parent)
            parent = least
        }
        return (first.time, first.event)
    }

    private func isBefore(_ one: Int, _ other: Int) -> Bool {
        (heap[one].time, heap[one].number) < (heap[other].time, heap[other].number)
    }
}

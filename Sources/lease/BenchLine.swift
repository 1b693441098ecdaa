// One connection of a bench: lines out, and lines back, without a copy of what came whole.

import Glibc
import LeaseClient
import LeaseIO

struct BenchLine {
    private let connection: Connection
    var descriptor: Int32 { connection.descriptor }
    private var output: [UInt8] = []
    private var sent = 0
    /// The beginning of a line whose end has not come.
    private var begun: [UInt8] = []
    /// Who waits for an answer, in the order of the requests.
    private var asked: [Int] = []
    private var answered = 0
    /// Whether the poller is to tell when more can be sent.
    private(set) var isBlocked = false
    var isClosed = false

    init(_ connection: Connection) { self.connection = connection }

    var hasOutput: Bool { sent < output.count }

    mutating func append(_ text: [UInt8]) { output.append(contentsOf: text) }

    mutating func append(_ number: UInt64) {
        var digits = (0 as UInt64, 0 as UInt64, 0 as UInt64)
        withUnsafeMutableBytes(of: &digits) { room in
            var first = room.count
            var rest = number
            repeat {
                first -= 1
                room[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: room[first...]))
        }
    }

    mutating func expectAnswer(for loop: Int) { asked.append(loop) }

    /// Whom the next answer is for; nil: nobody.
    private mutating func nextAsked() -> Int? {
        guard answered < asked.count else { return nil }
        answered += 1
        let loop = asked[answered - 1]
        if answered == asked.count {
            asked.removeAll(keepingCapacity: true)
            answered = 0
        } else if answered >= 4_096 {
            asked.removeFirst(answered)
            answered = 0
        }
        return loop
    }

    mutating func flush() {
        isBlocked = false
        while hasOutput, !isClosed {
            let outcome = output.withUnsafeBytes { bytes in
                send(descriptor, UnsafeRawBufferPointer(rebasing: bytes[sent...]))
            }
            switch outcome {
            case .bytes(let count): sent += count
            case .wouldBlock:
                isBlocked = true
                return
            // Reading shows it, and what the daemon said before.
            case .failed: sent = output.count
            }
        }
        output.removeAll(keepingCapacity: true)
        sent = 0
    }

    /// Reads once, and adds the answers that came whole. Their ranges are good until the next reading.
    mutating func receive(into room: UnsafeMutableRawBufferPointer, _ answers: inout [BenchAnswer]) {
        let kept = begun.count
        begun.withUnsafeBytes { room.copyMemory(from: $0) }
        switch readAvailable(descriptor, into: UnsafeMutableRawBufferPointer(rebasing: room[kept...])) {
        case .wouldBlock: return
        case .end, .failed: isClosed = true
        case .bytes(let count):
            let all = UnsafeRawBufferPointer(rebasing: room[..<(kept + count)])
            var from = 0
            while from < all.count, let found = memchr(all.baseAddress! + from, 0x0A, all.count - from) {
                let next = UnsafeRawPointer(found) - all.baseAddress! + 1
                var answer = BenchAnswer(all, from..<next)
                if answer.loop < 0 { answer.loop = nextAsked() ?? -1 }
                answers.append(answer)
                from = next
            }
            begun.removeAll(keepingCapacity: true)
            begun.append(contentsOf: all[from...])
        }
    }
}

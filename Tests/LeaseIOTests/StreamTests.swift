// Bytes over connections, and messages that must never make the daemon wait.

import Glibc
import LeaseIO
import Testing

extension Floor {
    @Suite struct Streams {
        @Test func readingSaysWhatIsThere() {
            let pair = SocketPair()
            var buffer = [UInt8](repeating: 0, count: 4)
            #expect(read(pair.near.raw, &buffer) == .wouldBlock)
            #expect(hello(pair.far) == .bytes(5))
            #expect(read(pair.near.raw, &buffer) == .bytes(4))
            #expect(buffer == Array("hell".utf8))
            #expect(read(pair.near.raw, &buffer) == .bytes(1))
            pair.hangUp()
            #expect(read(pair.near.raw, &buffer) == .end)
            #expect(hello(pair.near.raw) == .failed(Errno(code: EPIPE)))
        }

        @Test func sendingToWhoDoesNotReadWouldBlock() {
            let pair = SocketPair()
            var outcome = hello(pair.near.raw)
            while case .bytes = outcome { outcome = hello(pair.near.raw) }
            #expect(outcome == .wouldBlock)
            pair.hangUp()
        }

        @Test func listsAreReadFromAndSentTo() {
            let (talker, silent, gone) = (SocketPair(), SocketPair(), SocketPair())
            gone.hangUp()
            var sends = Transfers()
            Array("hello".utf8).withUnsafeBytes { bytes in
                for raw in [talker.far, gone.near.raw] { sends.add(raw, tag: 7, bytes) }
                sends.send()
            }
            #expect(sends.sent(at: 0) == .bytes(5) && sends.sent(at: 1) == .failed(Errno(code: EPIPE)))
            var reads = Transfers()
            for (tag, pair) in [talker, silent, gone, talker].enumerated() {
                reads.add(pair.near.raw, tag: UInt64(tag))
            }
            reads.add(-1, tag: 4)
            var buffer = [UInt8](repeating: 0, count: 7)
            let end = buffer.withUnsafeMutableBytes { reads.receive(from: 0, into: $0, each: 4) }
            #expect(end == 1 && reads.received(at: 0) == .bytes(4), "there is no room for another one")
            #expect(buffer == Array("hell\0\0\0".utf8))
            let rest = buffer.withUnsafeMutableBytes { reads.receive(from: 1, into: $0, each: 4) }
            #expect(rest == 5 && reads.tag(at: 4) == 4)
            #expect(
                (1..<5).map { reads.received(at: $0) }
                    == [.wouldBlock, .end, .bytes(1), .failed(Errno(code: EBADF))])
            #expect(buffer.first == UInt8(ascii: "o"))
        }

        @Test func messagesForAFullPipeAreDropped() {
            ignoreSignals([SIGPIPE])
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            var log = LogStream(ends[1])
            for _ in 0..<10_000 { log.write(Array("a message that nobody reads\n".utf8)) }
            let dropped = log.dropped
            #expect(dropped > 0)
            #expect(fcntl(ends[1], F_GETFL) & O_NONBLOCK == 0)
            var page = [UInt8](repeating: 0, count: 4_096)
            #expect(Glibc.read(ends[0], &page, page.count) == 4_096)
            log.write(Array("again\n".utf8))
            let droppedNow = log.dropped
            #expect(droppedNow == dropped)
            closeDescriptor(ends[0])
            closeDescriptor(ends[1])
        }

        @Test func messagesForASocketOrNobodyAreDropped() {
            let pair = SocketPair()
            _ = fcntl(pair.near.raw, F_SETFL, 0)
            var log = LogStream(pair.near.raw)
            while log.dropped == 0 { log.write(Array("a message\n".utf8)) }
            var closed = LogStream(-1)
            closed.write(Array("a message\n".utf8))
            let dropped = closed.dropped
            #expect(dropped == 1)
            pair.hangUp()
        }

        @Test func longMessageForAFileIsWhole() {
            let folder = Folder()
            folder.put("err", [1])
            let raw = open(folder("err"), O_WRONLY | O_APPEND)
            var log = LogStream(raw)
            log.write([UInt8](repeating: 0x61, count: 10_000))
            #expect(folder.size("err") == 10_001)
            closeDescriptor(raw)
        }

        @Test func readinessIsOneNewline() throws {
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            try readyNotice(ends[1])
            var bytes = [UInt8](repeating: 0, count: 9)
            #expect(Glibc.read(ends[0], &bytes, 9) == 1 && bytes[0] == 0x0A)
            #expect(Glibc.read(ends[0], &bytes, 9) == 0)
            closeDescriptor(ends[0])
            #expect(throws: Errno(code: EBADF)) { try readyNotice(9_999) }
        }

        @Test func errorsHaveNamesAndSentences() {
            #expect(Errno(code: ENOSPC).name == "ENOSPC")
            #expect("\(Errno(code: ENOSPC))" == "No space left on device")
            #expect(Errno(code: 99_999).name == "E?")
        }

        private func read(_ raw: Int32, _ buffer: inout [UInt8]) -> ReadOutcome {
            buffer.withUnsafeMutableBytes { readAvailable(raw, into: $0) }
        }

        private func hello(_ raw: Int32) -> SendOutcome {
            Array("hello".utf8).withUnsafeBytes { LeaseIO.send(raw, $0) }
        }
    }
}

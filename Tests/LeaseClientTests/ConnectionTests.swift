// The blocking core against the real daemon: asked, closed, stopped, away.

import Glibc
import LeaseModel
import LeaseWire
import TestSupport
import Testing

@testable import LeaseClient

private func soon() -> Instant { BootClock.now() + .seconds(20) }

private func key(_ text: String) -> Key { Key(printed: Array(text.utf8)) }

private func connect(_ path: String, until deadline: Instant = soon()) throws(ConnectionError) -> Connection {
    try Connection(SocketSearch(told: path), until: deadline)
}

/// The error that something throws; nil where it doesn't.
private func failure(_ body: () throws(ConnectionError) -> Void) -> ConnectionError? {
    do throws(ConnectionError) {
        try body()
        return nil
    } catch {
        return error
    }
}

struct ConnectionTests {
    @Test func asksAndIsAnswered() throws {
        let daemon = try Daemon()
        try daemon.start(["--memory"])
        let connection = try connect(daemon.socketPath)
        let text = "a b\nrelease 1\u{7}%ö"
        let asked = AcquireRequest(keys: Keys(key("user/42")), owner: Text(text))
        #expect(try connection.ask(.acquire(asked), until: soon()).first.number("token") == 1)
        let answer = try connection.ask(.get(key("user/42"), limit: 10), until: soon())
        #expect(answer.lines.count == 1)
        #expect(Text(printed: try #require(answer.lines.first?.value("owner"))).decoded == Array(text.utf8))
        #expect(try connection.ask(.release(ReleaseRequest(token: 1)), until: soon()).status == .ok)
        #expect(try connection.ask(.release(ReleaseRequest(token: 2)), until: soon()).status == .gone)
        let refused = try connection.ask(.get(key("users/42"), limit: 10), until: soon())
        #expect(refused.first.code == .unknownKind)
        #expect(try connection.arrived() == nil)
    }

    @Test func whatComesMeanwhileIsKept() throws {
        let daemon = try Daemon()
        try daemon.start(["--memory"])
        let connection = try connect(daemon.socketPath)
        let asked = AcquireRequest(keys: Keys(key("user/42")), wait: .forever)
        _ = try connection.ask(.acquire(asked), until: soon())
        try connection.send(.acquire(asked), tag: Array("w".utf8), until: soon())
        #expect(try connection.ask(.release(ReleaseRequest(token: 1)), until: soon()).status == .ok)
        guard case .answer(let answer) = try connection.next(until: soon()) else {
            Issue.record("the waiter was not answered")
            return
        }
        #expect(answer.first.tag == Array("w".utf8) && answer.first.number("token") == 2)
    }

    @Test func aDeadlineIsKept() throws {
        let daemon = try Daemon()
        try daemon.start(["--memory"])
        let connection = try connect(daemon.socketPath)
        daemon.program?.pause()
        #expect(failure { () throws(ConnectionError) in
            _ = try connection.ask(.ping, until: BootClock.now() + .milliseconds(50))
        } == .timeout)
        daemon.program?.signal(SIGCONT)
        #expect(try connection.ask(.ping, until: soon()).status == .ok)
        #expect(try connection.arrived() == nil, "the late reply is nobody's")
    }

    @Test func aDaemonThatHasGoneIsNoSignal() throws {
        let daemon = try Daemon()
        try daemon.start(["--memory"])
        let connection = try connect(daemon.socketPath)
        daemon.kill()
        for _ in 0..<3 {
            #expect(failure { () throws(ConnectionError) in
                _ = try connection.ask(.ping, until: soon())
            } == .closed)
        }
        #expect(failure { () throws(ConnectionError) in _ = try connect(daemon.socketPath) }
            == .unavailable(SocketSearch(told: daemon.socketPath), .notListening))
    }

    @Test func aRefusalOfTheConnectionIsTheAnswer() throws {
        let daemon = try Daemon()
        try daemon.start(["--memory", "--connections-max=1"])
        let connection = try connect(daemon.socketPath)
        #expect(try connection.ask(.ping, until: soon()).status == .ok)
        let other = try connect(daemon.socketPath)
        #expect(try other.ask(.ping, until: soon()).first.code == .tooManyConnections)
    }

    @Test(arguments: [
        ("/nowhere/s", Unreachable.noSocket), ("/dev/null/s", .noSocket), ("", .noSocket),
        (String(repeating: "x", count: 108), .pathTooLong(bytesMax: 107)), ("/dev/null", .notListening),
    ])
    func whereThereIsNoDaemon(path: String, reason: Unreachable) {
        #expect(failure { () throws(ConnectionError) in _ = try connect(path) }
            == .unavailable(SocketSearch(told: path), reason))
    }
}

struct ArrivalReaderTests {
    private let stream = Array(
        "#a OK lines=2 x=1\n  one\n  token=2\n* held key=a/b\n#b GONE token=1 why=x\n".utf8)

    @Test func anyPiecesMakeTheSame() throws {
        for size in 1...stream.count {
            var reader = ArrivalReader()
            var arrivals: [Arrival] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                reader.take(stream[start..<min(start + size, stream.count)])
                while let arrival = try reader.next() { arrivals.append(arrival) }
            }
            #expect(arrivals.count == 3)
            guard case .answer(let first) = arrivals.first, case .answer(let last) = arrivals.last else {
                Issue.record("the first and the last are replies")
                return
            }
            #expect(first.lines.map { $0.number("token") } == [nil, 2])
            #expect(last.status == .gone && last.first.tag == Array("b".utf8))
        }
    }

    @Test(arguments: [
        "  alone\n", "HTTP/1.1 400\n", "\n", "OK lines=1\nOK\n", "OK lines=1\n* held\n",
        String(repeating: "O", count: 8_193),
    ])
    func whatNoDaemonSays(text: String) {
        var reader = ArrivalReader()
        reader.take(text.utf8)
        #expect(throws: ConnectionError.self) { while try reader.next() != nil {} }
    }
}

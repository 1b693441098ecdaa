// The talk with the daemon: one connection, one question after the other.

import LeaseClient
import LeaseModel
import LeaseWire

final class Talk {
    let search: SocketSearch
    let connection: Connection

    /// How long a daemon may take to answer what needs no waiting.
    static let patience = Duration.seconds(10)

    convenience init(_ call: Invocation) throws(Complaint) {
        try self.init(SocketSearch(told: call.socket), until: BootClock.now() + Talk.patience)
    }

    init(_ search: SocketSearch, until deadline: Instant) throws(Complaint) {
        self.search = search
        do throws(ConnectionError) {
            connection = try Connection(search, until: deadline)
        } catch {
            throw Complaint(error, search)
        }
    }

    /// The answer, whatever its status is.
    func answer(_ request: Request) throws(Complaint) -> Answer {
        do throws(ConnectionError) {
            return try connection.ask(request, until: BootClock.now() + Talk.patience)
        } catch {
            throw Complaint(error, search)
        }
    }

    /// The answer where it is `OK`.
    func ask(_ request: Request) throws(Complaint) -> Answer {
        let answer = try answer(request)
        guard answer.status == .ok else { throw Complaint(answer.first, answer.status) }
        return answer
    }
}

extension Complaint {
    init(_ error: ConnectionError, _ search: SocketSearch) {
        let path = search.path ?? ""
        switch error {
        case .unavailable(_, let reason): self.init(reason, search)
        case .closed: self.init(.noDaemon, "the daemon at \(path) has closed the connection")
        case .timeout: self.init(.noDaemon, "the daemon at \(path) does not answer")
        case .garbled: self.init(.fault, "what answers at \(path) is no leased")
        }
    }

    private init(_ reason: Unreachable, _ search: SocketSearch) {
        let path = search.path ?? ""
        let start = "start leased, or name another socket with -S"
        switch reason {
        case .noSocket:
            let places = search.places.joined(separator: ", ")
            let told = search.choice == .environment ? " (from $LEASED_SOCKET)" : ""
            self.init(.noDaemon, "no daemon: there is no socket at \(places)\(told); \(start)")
        case .notListening:
            self.init(.noDaemon, "no daemon: nobody listens at \(path) any more; \(start)")
        case .permissionDenied: self.init(.forbidden, "this user may not connect to \(path)")
        case .notAnswering: self.init(.noDaemon, "the daemon at \(path) takes no connections")
        case .pathTooLong(let bytesMax):
            self.init(.usage, "the path of a socket has at most \(bytesMax) bytes: \(path)")
        case .system(let code): self.init(.noDaemon, "the socket \(path): \(systemText(code))")
        }
    }
}

// What is held already by the `lease run` that this program runs inside of, so that nobody waits for itself.

import Glibc
import LeaseClient
import LeaseModel
import LeaseWire

struct Held {
    private static let variable = "LEASE_HELD"
    private var all: [(key: Key, token: Token)] = []

    /// Takes what the environment says of the daemon at this socket.
    init(_ search: SocketSearch) {
        guard let path = search.path, Environment["LEASED_SOCKET"] == Held.absolute(path) else { return }
        for entry in (Environment[Held.variable] ?? "").split(separator: ",") {
            let sides = entry.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, let token = Token(sides[1]),
                let key = try? Key.read(Array(sides[0].utf8).span)
            else { continue }
            all.append((key, token))
        }
    }

    /// Those that stand, by what the daemon says.
    mutating func check(_ keys: Keys, _ call: Invocation, _ search: SocketSearch) throws(Complaint) {
        let wanted = all.filter { keys.all.contains($0.key) }
        guard !wanted.isEmpty else { return }
        let talk = try Talk(search, until: BootClock.now() + Talk.patience)
        for entry in wanted {
            let answer = try talk.answer(.check(entry.token))
            guard answer.status == .ok, Held.keys(of: answer.first).contains(entry.key.string) else {
                all.removeAll { $0 == entry }
                continue
            }
            if answer.first.value("shared") != nil, !call.isShared {
                let way = "\(call.verb == .run ? "use --shared here, or " : "")leave it out there"
                throw Complaint(
                    code: call.conflictCode ?? ExitCode.busy.rawValue,
                    "\(entry.key.string) is held shared by the lease run around this one, which would wait "
                        + "for itself: \(way)")
            }
        }
    }

    func token(of key: Key) -> Token? { all.last { $0.key == key }?.token }

    mutating func add(_ keys: [Key], _ token: Token) {
        all.removeAll { keys.contains($0.key) }
        all += keys.map { ($0, token) }
    }

    /// What a command finds in its environment.
    func variables(
        _ keys: Keys, token: Token, _ search: SocketSearch
    ) -> [(name: String, value: String)] {
        [
            ("LEASE_TOKEN", "\(token)"),
            ("LEASE_KEYS", keys.all.map(\.string).joined(separator: ",")),
            (Held.variable, all.map { "\($0.key.string)=\($0.token)" }.joined(separator: ",")),
            ("LEASED_SOCKET", Held.absolute(search.path ?? "")),
        ]
    }

    /// What a command gets anew, or not at all.
    static let variables: Set<String> = ["LEASE_TOKEN", "LEASE_KEYS", variable, "LEASED_SOCKET"]

    private static func keys(of line: ReplyLine) -> [String] {
        (line.value("key") ?? []).split(separator: UInt8(ascii: ",")).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// The command may work in another directory.
    static func absolute(_ path: String) -> String {
        guard path.utf8.first != UInt8(ascii: "/"), let here = getcwd(nil, 0) else { return path }
        defer { free(here) }
        return "\(String(cString: here))/\(path)"
    }
}

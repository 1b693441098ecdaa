// From a command line to the request for a lease.

import Glibc
import LeaseIO
import LeaseModel

enum Asking {
    /// `owner` is who holds it where the command line doesn't say.
    static func request(_ call: Invocation, keys: Keys, owner: String) throws(Complaint) -> AcquireRequest {
        AcquireRequest(
            keys: keys,
            owner: try Words.text(call.owner, "--owner") ?? Asking.cut(Text(owner)),
            ttl: call.ttl,
            wait: call.timeInLine,
            priority: call.priority,
            isShared: call.isShared,
            whilePID: call.whilePID,
            request: newID(),
            note: try Words.text(call.note, "--note", mayBeEmpty: true))
    }

    /// No other request has it: so a request may be sent again over another connection.
    static func newID() -> Text {
        let random = UInt64.random(in: .min ... .max)
        return Text("lease:\(getpid()):\(String(random, radix: 36))")
    }

    /// A command by its name and pid, as the daemon writes it where nobody says anything.
    static func owner(program: String, pid: Int32) -> String {
        let name = program.utf8.split(separator: UInt8(ascii: "/")).last.map {
            String(decoding: $0, as: UTF8.self)
        }
        return "\(name ?? program):\(pid)"
    }

    /// Who asked for a lease that is not bound to a command: whoever has started us.
    static func parentAsOwner() -> String {
        let parent = getppid()
        let name = ProcessWatch.name(of: parent).map { String(decoding: $0, as: UTF8.self) }
        return owner(program: name ?? "unknown", pid: parent)
    }

    private static func cut(_ text: Text) -> Text {
        text.bytes.count <= Limits.textBytesMax
            ? text : Text(printed: Array(text.bytes.suffix(Limits.textBytesMax / 2).drop { $0 != 0x2F }))
    }
}

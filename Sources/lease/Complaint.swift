// Why the program ends with nothing done: one sentence, and an exit code.

import Glibc

struct Complaint: Error, Equatable {
    let code: Int32
    /// Without its full stop, and without the program's name.
    let sentence: String
    /// The daemon's reply for those who want JSON.
    var reply: JSON?

    init(_ code: ExitCode, _ sentence: String, reply: JSON? = nil) {
        self.init(code: code.rawValue, sentence, reply: reply)
    }

    init(code: Int32, _ sentence: String, reply: JSON? = nil) {
        self.code = code
        self.sentence = sentence
        self.reply = reply
    }
}

extension Complaint {
    /// A system call failed that lease can't do without.
    static func system(_ what: String) -> Complaint {
        Complaint(.fault, "\(what): \(systemText(errno))")
    }
}

/// What the system says of an error number.
func systemText(_ code: Int32) -> String { String(cString: strerror(code)) }

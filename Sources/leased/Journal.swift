// What the daemon says of itself on stderr: little, one line each, and never more than its reader takes.

import LeaseIO

struct Journal: ~Copyable {
    private var stream: LogStream
    private let level: Options.LogLevel

    init(level: Options.LogLevel) {
        stream = LogStream(2)
        self.level = level
    }

    mutating func error(_ sentence: String) { say(sentence, .error) }
    mutating func info(_ sentence: String) { say(sentence, .info) }
    mutating func debug(_ sentence: String) { say(sentence, .debug) }

    private mutating func say(_ sentence: String, _ importance: Options.LogLevel) {
        let order = Options.LogLevel.allCases
        guard order.firstIndex(of: importance)! <= order.firstIndex(of: level)! else { return }
        stream.write(Array("leased: \(sentence)\n".utf8))
    }
}

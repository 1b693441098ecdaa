// A log that is read by itself, without a daemon.

import Glibc
import LeaseCore
import LeaseIO
import LeaseLog
import LeaseModel

enum LogFile {
    /// Applies the records as a daemon's start would, so that what that calls damaged is called so here.
    /// - Returns: where the log is, and how it ended.
    static func read(
        _ place: String, each: (Record, BatchMark?) -> Void
    ) throws(Complaint) -> (path: String, reader: LogReader, end: LogEnd) {
        let path = file(place)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = errno == EACCES ? ExitCode.forbidden : .noFile
            throw Complaint(code, "\(path) can't be read: \(systemText(errno))")
        }
        defer { close(descriptor) }
        var reader = LogReader()
        // The policy plays no part in what a log says.
        var machine = Machine(
            policy: .builtIn, limits: Limits(), hasManualClock: false,
            seed: UInt64.random(in: .min ... .max))
        var told = RecentEvents(capacity: 0)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("\(path) can't be read") }
            guard count > 0 else { break }
            reader.feed(chunk.span.extracting(0..<count), each: each) { records throws(ImpossibleRecord) in
                try machine.recover(records, into: &told)
            }
        }
        let end = reader.finish(currentBoot: (try? Clocks.bootID()).map { Text($0) })
        return (path, reader, end)
    }

    /// A data directory has one file of that name.
    private static func file(_ path: String) -> String {
        var about = stat()
        guard stat(path, &about) == 0, about.st_mode & S_IFMT == S_IFDIR else { return path }
        return path.utf8.last == UInt8(ascii: "/") ? path + "log" : path + "/log"
    }
}
